"""The ledger's own fixture: somebody with the owner's role, whose work is rolled back."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from django.db import connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from tests import databases


@pytest.fixture
def owner_inside(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[psycopg.Connection]:
    """Django's connection as the tables' owner, in a transaction that is rolled back: tampering leaves no trace."""
    shared = connections.settings["default"]
    url = urlsplit(databases.owner_url(shared["NAME"]))
    before = {key: shared[key] for key in ("USER", "PASSWORD")}
    with django_db_blocker.unblock():
        connection.close()
        shared |= {"USER": unquote(url.username or ""), "PASSWORD": unquote(url.password or "")}
        try:
            whole = transaction.atomic()
            setattr(whole, "_from_testcase", True)  # noqa: B010 - Django's mark of a test's: durable ones go inside
            with whole:
                connection.ensure_connection()
                assert connection.connection is not None
                yield connection.connection
                transaction.set_rollback(True)
        finally:
            connection.close()
            shared |= before
