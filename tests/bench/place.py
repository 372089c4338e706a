"""The bench's own PostgreSQL under .local/bench: durable, with memory as a server has it; its databases are kept."""

import calendar
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from config.local import stack

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
BOOKS, ACCOUNTS = 200, 50
SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "maintenance_work_mem": "1GB",
    "checkpoint_timeout": "30min",
    "autovacuum_naptime": "1h",  # nothing else at work while we measure
}
ROUNDS_AT_ONCE = 10
NOWHERE = {  # for settings of services that a section does without
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EVM_RPC_URLS": "http://127.0.0.1:1",
    "TRON_RPC_URLS": "http://127.0.0.1:1",
}


@contextmanager
def running(*further: str) -> Iterator[stack.Services]:
    """The cluster and what is wanted beside it; its `env` has the application's and the owner's URLs."""
    services = stack.start(ROOT / ".local" / "bench", environ={}, wanted=("postgres", *further), durable=True)
    try:
        with psycopg.connect(services.env["DATABASE_OWNER_URL"], autocommit=True) as db:
            stale = [name for name, value in SETTINGS.items() if _shown(db, name) != value]
            for name in stale:
                db.execute(
                    sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(SETTINGS[name]))
                )
        if stale:
            child = services.children[0]
            child.ask_to_stop()
            child.see_stopped(patience_s=60)
            services.restart(child)
            child.wait_ready(timeout_s=60)
        yield services
    finally:
        services.stop()


def _shown(db: psycopg.Connection, name: str) -> str:
    row = db.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchone()
    return str(row[0]) if row else ""


def named(url: str, database: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def database(env: dict[str, str], name: str, *, fill: Callable[[str], None], anew: bool = False) -> str:
    """Make a database and fill it, unless one of these migrations is there; answers the application's URL.

    The name carries the migrations' state, so that a changed schema is loaded anew.
    """
    owner = env["DATABASE_OWNER_URL"]
    with psycopg.connect(named(owner, "postgres"), autocommit=True) as db:
        there = {row[0] for row in db.execute("SELECT datname FROM pg_database")}
        if name in there and not anew:
            return named(env["DATABASE_URL"], name)
        fresh = f"{name}_new"
        for outdated in there & {fresh, name} | {other for other in there if _superseded(other, name)}:
            db.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(outdated)))
        db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(fresh)))
        migrate(named(owner, fresh))
        fill(named(owner, fresh))
        db.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(fresh), sql.Identifier(name)))
    return named(env["DATABASE_URL"], name)


def _superseded(other: str, name: str) -> bool:
    return other != name and other.rpartition("_")[0] == name.rpartition("_")[0]


def fingerprint(*apps: str, beside: Sequence[str]) -> str:
    """A hash over what decides how these apps' tables look, and over the data's own making."""
    digest = hashlib.sha256()
    migrations = [path for app in apps for path in (ROOT / app / "migrations").rglob("*.*")]
    for path in sorted([*migrations, *(HERE / name for name in beside)]):
        if path.suffix in (".py", ".sql"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def migrate(url: str) -> None:
    """Every migration, as the owner."""
    env = os.environ | {"DATABASE_URL": url, "DATABASE_OWNER_URL": url}
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, check=True, env=env, cwd=ROOT)  # noqa: S603 - our own


def load(url: str, *, rounds: int) -> None:
    """The accounts, the events and the floor's tables."""
    parts = _dataset(rounds)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(parts["accounts"])
        chunks = [(first, min(first + ROUNDS_AT_ONCE, rounds) - 1) for first in range(0, rounds, ROUNDS_AT_ONCE)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda number: _rounds(url, parts["rounds"], chunks[number::2]), range(2)))
        db.execute(parts["finish"])
        db.execute((HERE / "floor.sql").read_text(encoding="utf-8"))
        db.execute("VACUUM (ANALYZE)")
        db.execute("CHECKPOINT")


def _rounds(url: str, statement: str, chunks: list[tuple[int, int]]) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        for first, last in chunks:
            db.execute(statement, {"first": first, "last": last})


def _dataset(rounds: int) -> dict[str, str]:
    now = datetime.now(tz=UTC)
    start = datetime(now.year, now.month, 1, tzinfo=UTC)
    end = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    first_ms = calendar.timegm(start.timetuple()) * 1000
    values = {
        "books": BOOKS,
        "accounts": ACCOUNTS,
        "rounds": rounds,
        "events": BOOKS * ACCOUNTS * (rounds + 1),
        "first_ms": first_ms,
        "span_ms": int(now.timestamp() * 1000) - first_ms - 1000,
        "partition": f"ledger_event_{now:%Y%m}",
        "bounds": f"FOR VALUES FROM (ledger_first_id('{start.isoformat()}')) TO (ledger_first_id('{end.isoformat()}'))",
    }
    text = (HERE / "dataset.sql").read_text(encoding="utf-8").format(**values)
    return {part.partition("\n")[0].strip(): part.partition("\n")[2] for part in text.split("--@ ")[1:]}
