"""The local default: real PostgreSQL, Redis, anvil and TRON dev node on loopback, started where no URL is given.

Imported by the settings, so it costs little: what starts anything is imported when it is asked for.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from config.local import place, record

URLS = ("DATABASE_URL", "REDIS_URL", "EVM_RPC_URLS", "TRON_RPC_URLS")
DATABASE_PAIR = ("DATABASE_URL", "DATABASE_OWNER_URL")  # of one database: both are given or both are ours
WHOSE = {  # by SLUICE_ROLE; what is not here is everybody's
    "KEYSTORE_PASSPHRASE_FILE": ("signer",),
    "APPROVAL_KEY": ("web", "signer"),
    "SIGNER_DATABASE_URL": (),  # becomes the signer's DATABASE_URL
}
NEED_NO_SERVICE = {"help", "version", "check", "collectstatic", "makemigrations", "diffsettings", "sqlmigrate"}
OWNERS_COMMANDS = {"migrate", "showmigrations", "flush"}


def discovered(environ: Mapping[str, str]) -> dict[str, str]:
    """What the running local default adds to `environ`: only variables that it does not give; {} without one."""
    return missing_from(environ, record.published(place.data_dir(environ)))


def missing_from(environ: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Those of the local default's variables that this process lacks and may have."""
    given = {name for name, value in environ.items() if value}
    if environ.get("DATABASE_URL") == env.get("DATABASE_URL"):  # from a parent of another role, which had it from here
        given -= set(DATABASE_PAIR)
    withheld = given.union(DATABASE_PAIR) if given.intersection(DATABASE_PAIR) else given
    ours = for_role(env, environ.get("SLUICE_ROLE") or "web")
    return {name: value for name, value in ours.items() if name not in withheld}


def for_role(env: Mapping[str, str], role: str) -> dict[str, str]:
    """What of the local default's variables a process of that role gets; the signer has a database login of its own."""
    kept = {name: value for name, value in env.items() if role in WHOSE.get(name, (role,))}
    own = {"DATABASE_URL": env["SIGNER_DATABASE_URL"]} if role == "signer" and "SIGNER_DATABASE_URL" in env else {}
    return kept | own


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
