"""What the tests of the seals share: seal everything, look at the blocks."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from django.db import connection, transaction

from ledger import export, seals, verify
from ledger.models import Block, Event
from ledger.posting import Kind
from tests.ledger.books import Book

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def seal(limit: int = 5) -> int:
    """Seal all that is committed."""
    settle()
    return seal_now(limit)


def seal_now(limit: int = 5) -> int:
    return seals.seal_due(now=NOON, limit=limit)


def settle(xid: int | None = None) -> None:
    """Wait until no older transaction runs, of the neighbours in the same PostgreSQL either."""
    deadline = time.monotonic() + 60
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(%s::text::xid8, max(xid), '0')::text FROM ledger_event", [xid and str(xid)])
        (last,) = cursor.fetchone()
        while True:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot()) > %s::text::xid8", [last])
            if cursor.fetchone() == (True,):
                return
            assert time.monotonic() < deadline
            cursor.execute("SELECT pg_sleep(0.005)")


def blocks() -> list[Block]:
    return list(Block.objects.order_by("number"))


def newest_hash() -> str:
    return bytes(blocks()[-1].hash).hex()


def exported(folder: Path) -> Path:
    """The whole chain in a file."""
    stream = BytesIO()
    export.chain(stream)
    file = folder / "chain.txt"
    file.write_bytes(stream.getvalue())
    return file


def chain_problems(folder: Path, root: str | None = None) -> list[str]:
    return verify.chain_problems(exported(folder), root)[0]


def block_of(event: Event) -> int | None:
    found = Block.objects.filter(xid_to__gt=event.xid).order_by("xid_to").first()
    return found.number if found else None


@contextmanager
def open_transaction(book: Book, kind: Kind | None = Kind.FREEZE) -> Iterator[threading.Event]:
    """Another connection's transaction that has its number, and posted if it was given a kind, until set."""
    begun, finish = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                if kind:
                    book.post(kind, 1)
                else:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT pg_current_xact_id()")
                begun.set()
                assert finish.wait(30)
        finally:
            begun.set()
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(30)
    try:
        yield finish
    finally:
        finish.set()
        thread.join()


def elsewhere(job: Callable[[], object]) -> None:
    """Do it on a connection of its own, to the end."""

    def work() -> None:
        try:
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
