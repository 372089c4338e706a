"""The suite's databases: one migrated template per state of the migrations, clones of it for processes and tests."""

import fcntl
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import sql

from tests import services

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE_PREFIX = "template_"


@dataclass(frozen=True, slots=True)
class Database:
    """One database, and the URLs of the two roles."""

    name: str
    web_url: str
    owner_url: str


def owner_url(name: str) -> str:
    """The owner's URL of a database."""
    return _named(os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"], name)


@contextmanager
def clone(purpose: str) -> Iterator[Database]:
    """A database of its own, copied from the migrated template and dropped afterwards."""
    template = _template()
    name = f"{purpose}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    _as_owner("CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield Database(name, web_url=_named(os.environ["DATABASE_URL"], name), owner_url=owner_url(name))
    finally:
        _as_owner("DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def used(database: Database) -> Iterator[None]:
    """Point Django, in all threads and processes started from here, to that database; then close what was opened."""
    opened: list[psycopg.Connection] = []

    def remember(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
        opened.append(connection.connection)

    shared = connections.settings["default"]  # the very dict that every thread's connection reads when it opens
    name, url = shared["NAME"], os.environ["DATABASE_URL"]
    connections["default"].close()
    shared["NAME"] = settings.DATABASES["default"]["NAME"] = database.name
    os.environ["DATABASE_URL"] = database.web_url
    connection_created.connect(remember)
    try:
        yield
    finally:
        connection_created.disconnect(remember)
        connections["default"].close()
        for other in opened:
            other.close()
        shared["NAME"] = settings.DATABASES["default"]["NAME"] = name
        os.environ["DATABASE_URL"] = url


def _template() -> str:
    """The name of the template for the migrations as they are now; made by whichever process comes first."""
    name = TEMPLATE_PREFIX + os.environ[services.MIGRATIONS]
    lock = Path(os.environ[services.FOLDER]) / "template.lock"
    with lock.open("a") as held, psycopg.connect(owner_url("postgres"), autocommit=True) as db:
        fcntl.flock(held, fcntl.LOCK_EX)
        names = {row[0] for row in db.execute("SELECT datname FROM pg_database")}
        if name in names:
            return name
        fresh = f"{name}_new"
        for outdated in names:
            if outdated.startswith(TEMPLATE_PREFIX):
                db.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(outdated)))
        db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(fresh)))
        _migrate(owner_url(fresh))
        # A test is web, worker and signer in one process; what each may do by itself, tests of their own say.
        db.execute(
            sql.SQL("GRANT sluice_signer TO {}").format(
                sql.Identifier(urlsplit(os.environ["DATABASE_URL"]).username or "")
            )
        )
        db.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(fresh), sql.Identifier(name)))
    return name


def _migrate(url: str) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    env = os.environ | {"DATABASE_URL": url, "DATABASE_OWNER_URL": url}
    done = subprocess.run(command, check=False, env=env, cwd=ROOT, capture_output=True, text=True)  # noqa: S603 - our own
    if done.returncode:
        raise RuntimeError(f"migrate failed:\n{done.stdout}{done.stderr}")


def _as_owner(statement: str, *names: str) -> None:
    with psycopg.connect(owner_url("postgres"), autocommit=True) as db:
        db.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
