"""What is measured: each load runs for some seconds in so many threads and answers how much it did per second."""

import gc
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import IO
from urllib.parse import unquote, urlsplit
from uuid import UUID

import psycopg
import uuid_utils.compat
from django.db import connection, connections, transaction

from ledger import bulk, fresh, posting
from ledger.accounts import Purpose, Ref
from ledger.posting import Kind, Movement
from tests.bench import orm
from tests.bench.place import ACCOUNTS, BOOKS, HERE, ROOT

BEFOREHAND = 2500  # movements of a caller: about what he posts in two seconds
WARM = 6  # so often a prepared statement is planned anew before its plan is kept
BOOK_BASE, OWNER_BASE = (
    UUID("b0000000-0000-8000-8000-000000000000").int,
    UUID("a0000000-0000-8000-8000-000000000000").int,
)


def refs() -> list[list[Ref]]:
    """The data set's accounts, by book."""
    return [
        [
            Ref(
                book=UUID(int=BOOK_BASE + book),
                owner=UUID(int=OWNER_BASE + book * 1000 + number),
                asset="USDT",
                purpose=Purpose.AVAILABLE,
            )
            for number in range(ACCOUNTS)
        ]
        for book in range(BOOKS)
    ]


REFS = refs()


def movement(source: Ref, target: Ref) -> Movement:
    """A new transfer."""
    event = uuid_utils.compat.uuid7()
    return Movement(event, event, Kind.TRANSFER, source, target, 5)


def anywhere() -> Movement:
    """Between two random accounts of a random book."""
    return movement(*random.sample(random.choice(REFS), 2))


def halves() -> Callable[[], Movement]:
    """Callers whose calls meet in no book: each thread has every second one."""
    numbers = itertools.count()
    own = threading.local()

    def made() -> Movement:
        if not hasattr(own, "books"):
            own.books = REFS[next(numbers) % 2 :: 2]
        return movement(*random.sample(random.choice(own.books), 2))

    return made


def hot() -> Movement:
    """From one account, everybody's, to a random one of its book."""
    return movement(REFS[0][0], random.choice(REFS[0][1:]))


def singles(made: Callable[[], Movement] = anywhere, *, inside: bool = False) -> Callable[[], int]:
    """One posting after another, as a program does it or, `inside`, as a verb in a transaction of its own.

    A thread's first call makes its movements beforehand and has its connection's statements ready: whoever leads later,
    his session knows them.
    """
    own = threading.local()

    def load() -> int:
        if not hasattr(own, "movements"):
            own.movements = iter([made() for _ in range(BEFOREHAND)])
            gc.freeze()  # our stock is no garbage to look through while we measure
            for _ in range(WARM):
                fresh.post_together([made(), made()])
        movement = next(own.movements, None) or made()
        if inside:
            with transaction.atomic():
                posting.post([movement])
        else:
            posting.post([movement])
        return 1

    return load


def post_by_orm() -> int:
    """The same rows, keys and checks by Django's ORM."""
    made = anywhere()
    orm.post(made, source=made.source.owner, target=made.target.owner)
    return 1


def batches(size: int, made: Callable[[], Movement] = anywhere) -> Callable[[], int]:
    """post_many() on movements that the caller has already: they are made outside of the measured time."""

    def load() -> int:
        movements = [made() for _ in range(size)]
        begun = time.perf_counter()
        outcome = bulk.post_many(movements)
        spent.seconds += time.perf_counter() - begun
        return outcome.posted

    return load


class _Spent(threading.local):
    seconds = 0.0


spent = _Spent()


def rate(load: Callable[[], int], *, callers: int, seconds: float) -> float:
    """How much the callers do together per second, by the threads' common clock; batches by the time in their calls."""
    start = threading.Barrier(callers)

    def work(_: int) -> tuple[int, float]:
        try:
            for _ in range(3):
                load()  # opens the connection, prepares the statements, has the pages of the indexes at hand
            start.wait()
            spent.seconds, done, begun = 0.0, 0, time.monotonic()
            while time.monotonic() < begun + seconds:
                done += load()
            return done, spent.seconds or time.monotonic() - begun
        finally:
            connection.close()

    with ThreadPoolExecutor(callers) as pool:
        return sum(done / took for done, took in pool.map(work, range(callers)))


def in_processes(url: str, *, callers: int, seconds: float, processes: int = 2) -> float:
    """post() by callers who share so many processes, as a web server's workers have them."""
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(url, callers // processes, seconds)) for _ in range(processes)]
        for worker in workers:
            _told(worker).write("\n")
            _told(worker).close()
        return sum(float(_said(worker).readline()) for worker in workers)


def at_once(url: str, *, seconds: float) -> float:
    """One caller's batches of thousands beside eight who post in another process."""
    with _worker(url, 8, seconds) as worker:
        _told(worker).write("\n")
        _told(worker).close()
        use(url)
        return rate(batches(8000), callers=1, seconds=seconds) + float(_said(worker).readline())


@contextmanager
def _worker(url: str, callers: int, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.bench.callers", str(callers), str(seconds)]
    env = os.environ | {"DATABASE_URL": url}
    with subprocess.Popen(command, env=env, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as worker:  # noqa: S603 - our own
        _said(worker).readline()
        yield worker


def _told(worker: "subprocess.Popen[str]") -> IO[str]:
    assert worker.stdin
    return worker.stdin


def _said(worker: "subprocess.Popen[str]") -> IO[str]:
    assert worker.stdout
    return worker.stdout


def use(url: str) -> None:
    """Point Django to another database of the bench's cluster."""
    connections["default"].close()
    connections.settings["default"] |= {"NAME": url.rpartition("/")[2]}


@contextmanager
def owner(url: str) -> Iterator[None]:
    """Let Django connect as the tables' owner for a while."""
    shared, address = connections.settings["default"], urlsplit(url)
    before = {key: shared[key] for key in ("USER", "PASSWORD", "NAME")}
    connections["default"].close()
    shared |= {"USER": unquote(address.username or ""), "PASSWORD": unquote(address.password or "")}
    shared |= {"NAME": address.path.removeprefix("/")}
    try:
        yield
    finally:
        shared |= before


def hordak_database(server: str) -> str:
    """The URL of a database for django-hordak, made at the first call."""
    with psycopg.connect(f"{server}postgres", autocommit=True) as db:
        if not db.execute("SELECT 1 FROM pg_database WHERE datname = 'bench_hordak'").fetchone():
            db.execute("CREATE DATABASE bench_hordak")
    return f"{server}bench_hordak"


def floor(binary: Path, url: str, *, callers: int, seconds: float) -> float:
    """The least that can be done, by pgbench."""
    command = [str(binary), "-n", "-M", "prepared", "-c", str(callers), "-j", str(min(callers, 2))]
    command += ["-T", str(1 + max(1, round(seconds))), "-P", "1", "-f", str(HERE / "floor.pgbench"), url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr  # noqa: S603 - our own
    each = [float(line.split(", ")[1].removesuffix(" tps")) for line in said.splitlines() if "progress:" in line]
    return statistics.mean(each[1:])  # the first second is its warming up


def hordak(python: Path, url: str, *, callers: int, seconds: float) -> float:
    """django-hordak's own transfer."""
    said = _output([str(python), str(HERE / "hordak_side.py"), url, str(callers), str(seconds)])
    return float(json.loads(said.strip().splitlines()[-1])["per_second"])


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own
