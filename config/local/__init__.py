"""The local default: real PostgreSQL, Redis, anvil and TRON dev node on loopback, started where no URL is given.

Imported by the settings, so it costs little: what starts anything is imported when it is asked for.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from config.local import place, record

URLS = ("DATABASE_URL", "REDIS_URL", "EVM_RPC_URLS", "TRON_RPC_URLS")
DATABASE_PAIR = ("DATABASE_URL", "DATABASE_OWNER_URL")  # of one database: both are given or both are ours
SIGNER_ONLY = "KEYSTORE_PASSPHRASE_FILE"
NEED_NO_SERVICE = {"help", "version", "check", "collectstatic", "makemigrations", "diffsettings", "sqlmigrate"}
OWNERS_COMMANDS = {"migrate", "showmigrations", "flush"}


def discovered(environ: Mapping[str, str]) -> dict[str, str]:
    """What the running local default adds to `environ`: only variables that it does not give; {} without one."""
    return missing_from(environ, record.published(place.data_dir(environ)))


def missing_from(environ: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Those of the local default's variables that this process lacks and may have."""
    withheld = set(DATABASE_PAIR) if any(environ.get(name) for name in DATABASE_PAIR) else set()
    if environ.get("SLUICE_ROLE") != "signer":
        withheld.add(SIGNER_ONLY)
    return {name: value for name, value in env.items() if not environ.get(name) and name not in withheld}


@contextmanager
def services_for(argv: Sequence[str]) -> Iterator[None]:
    """Have everything running that this management command needs, and leave nothing running that was not before.

    Raises: SystemExit with the reason when a service is neither given nor can be started.
    """
    command = argv[0] if argv else "help"
    if command.startswith("-") or command in NEED_NO_SERVICE or "--help" in argv or _all_given(os.environ):
        _owner_where_needed(command)
        yield
        return
    from config.local import temporary  # starts processes: only now needed

    with temporary.environment(os.environ, migrated=command not in OWNERS_COMMANDS) as env:
        os.environ.update(missing_from(os.environ, env))
        _owner_where_needed(command)
        yield


def _all_given(environ: Mapping[str, str]) -> bool:
    return environ.get("SLUICE_ENV") == "production" or all(environ.get(name) for name in URLS)


def _owner_where_needed(command: str) -> None:
    owner = os.environ.get("DATABASE_OWNER_URL")
    if command in OWNERS_COMMANDS and owner:
        os.environ["DATABASE_URL"] = owner
