"""What every test can ask for: a database of its own, the owner's connection, an empty Redis, the two chains.

Tests connect as the application's own role (`sluice_web`), not as the tables' owner. `@pytest.mark.django_db` rolls
back at the end; a test that commits, uses threads or starts processes asks for `committed` instead.
"""

import os
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from config.local import redis as local_redis
from tests import chains, databases

LONG_S = 240  # a test with this time-out or a longer one is a long one


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Say early that flushing tables is not the application's right; put long tests first, so that none is left alone.

    The order is random among the long ones and among the others.
    """
    for item in items:
        for marker in item.iter_markers("django_db"):
            if marker.kwargs.get("transaction") or True in marker.args:
                raise pytest.UsageError(f"{item.nodeid}: use the `committed` fixture, not django_db(transaction=True)")
    yield
    items.sort(key=lambda item: not _takes_long(item))


def _takes_long(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("timeout")
    return marker is not None and marker.args[0] >= LONG_S


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give this process a clone of the migrated template, dropped at the end."""
    with databases.clone("run") as database, django_db_blocker.unblock(), databases.used(database):
        yield


@pytest.fixture
def committed(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[databases.Database]:
    """A fresh database, for tests that commit, use threads or start processes; dropped afterwards.

    Subprocesses find it through DATABASE_URL; `.owner_url` and `.web_url` name it.
    """
    if request.node.get_closest_marker("django_db"):
        raise pytest.UsageError("`committed` stands in the place of the django_db mark: leave one of them out")
    with databases.clone("test") as database, django_db_blocker.unblock(), databases.used(database):
        yield database


@pytest.fixture
def owner(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A connection as the tables' owner to the test's current database, each statement committed: for tampering."""
    request.getfixturevalue("committed" if "committed" in request.fixturenames else "django_db_setup")
    name = settings.DATABASES["default"]["NAME"]
    with psycopg.connect(databases.owner_url(name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def redis_clean() -> Iterator[str]:
    """The URL of an empty Redis database of this process's own."""
    local_redis.flush(os.environ["REDIS_URL"])
    yield os.environ["REDIS_URL"]
    local_redis.flush(os.environ["REDIS_URL"])


@pytest.fixture(scope="session")
def anvil_url() -> Iterator[str]:
    """The RPC URL of an anvil of this process's own (settings.EVM_RPC_URLS names it too)."""
    with chains.anvil_running() as url:
        yield url


@pytest.fixture(scope="session")
def tron_url() -> Iterator[str]:
    """The base URL of a TRON dev node of this process's own (settings.TRON_RPC_URLS names it too)."""
    with chains.tron_running() as url:
        yield url
