"""The local default: real PostgreSQL, Redis, anvil and TRON dev node on loopback, started when no URL is given.

Imported by the settings, so it costs little: what starts anything is imported when it is asked for.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.local import record

ROOT = Path(__file__).resolve().parent.parent.parent
LOCAL = ROOT / ".local"
URLS = ("DATABASE_URL", "REDIS_URL", "EVM_RPC_URLS", "TRON_RPC_URLS")
NEED_NO_SERVICE = {"help", "version", "check", "collectstatic", "makemigrations", "diffsettings"}
DATABASE_PAIR = ("DATABASE_URL", "DATABASE_OWNER_URL")  # of one database: both are given or both are ours
SIGNER_ONLY = "KEYSTORE_PASSPHRASE_FILE"


def discovered(environ: Mapping[str, str], *, data_dir: Path = LOCAL) -> dict[str, str]:
    """What the running local default adds to `environ`: only variables that it does not give; {} without one."""
    env = record.published(data_dir)
    if any(environ.get(name) for name in DATABASE_PAIR):
        env = {name: value for name, value in env.items() if name not in DATABASE_PAIR}
    if environ.get("SLUICE_ROLE") != "signer":
        env.pop(SIGNER_ONLY, None)
    return {name: value for name, value in env.items() if not environ.get(name)}


@contextmanager
def services_for(argv: Sequence[str]) -> Iterator[None]:
    """Have everything running that this management command needs, and leave nothing behind that was not there."""
    yield
