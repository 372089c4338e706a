"""Creating a withdrawal over HTTP with everything on, beside a bare view of one insert; and listing a million."""

# ruff: noqa: T201 - it prints its findings

import os
import random
import re
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import django
import psycopg

from config.local import stack
from tests.bench import place, serving, table
from tests.bench.serving import Measured, Server, Shot

SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "5"))
ONLY = os.environ.get("BENCH_ONLY", "")  # a regular expression: the loads whose names it is found in
CALLERS, READERS = 8, 1
LISTED = {"10 k": 10_000, "1 M": 1_000_000}
AT_ONCE = 100_000
LISTER = UUID("00000000-0000-4000-8000-00000000115e")
LIST = "list, merchant"
BARE, BEHIND = "bare view, one row", "bare view, our middlewares"
ZEROS = "0" * 64

Load = Callable[[], Measured]


def run() -> None:
    """Start a server for each side, measure them in turn several times, print medians."""
    with place.running("redis") as services, ExitStack() as servers:
        os.environ |= place.NOWHERE | services.env | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        urls = _databases(services.env)
        os.environ["DATABASE_URL"] = urls["creates"]
        django.setup()
        loads = {**_creates(servers, services, urls["creates"]), **_lists(servers, services, urls)}
        measured: dict[str, list[Measured]] = {name: [] for name in loads if re.search(ONLY, name)}
        for name in measured:
            loads[name]()  # connections, caches, plans
        for _ in range(REPEATS):
            for name in random.sample(list(measured), len(measured)):
                measured[name].append(loads[name]())
                print(f"  {name}: {measured[name][-1]}", file=sys.stderr)
    print(f"\napi, medians of {REPEATS} runs of {SECONDS:g} s each, in turn; {table.machine()}")
    print(f"granian, {serving.WORKERS} workers of {serving.THREADS} threads; creates by {CALLERS} callers, each of its")
    print("own merchant, with authentication, rate limits (counted, but far away), Idempotency-Key, policy, ledger,")
    print("outbox and doorbell; `public` answers without its wait (WITHDRAWAL_WAIT_S=0). PostgreSQL 18, fsync and")
    print("synchronous_commit on. CPU: the server's, PostgreSQL's and Redis', without the callers'\n")
    print("\n".join(_rows(measured)))


def _databases(env: dict[str, str]) -> dict[str, str]:
    state = place.fingerprint("ledger", "chain", "payouts", beside=("withdrawals.sql", "bare_row.sql"))
    urls = {"creates": place.database(env, f"bench_creates_{state}", fill=_prepare, anew=True)}
    for size, rows in _listed().items():
        name = f"bench_list{size.replace(' ', '').lower()}_{state}"
        urls[size] = place.database(env, name, fill=partial(_fill, rows=rows))
    return urls


def _prepare(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute((place.HERE / "bare_row.sql").read_text(encoding="utf-8"))


def _fill(url: str, *, rows: int) -> None:
    """One merchant with so many withdrawals."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(
            "INSERT INTO payouts_merchant (id, name, mode, created_at) VALUES (%s, 'lister', 'LIVE', now())", [LISTER]
        )
        for first in range(1, rows + 1, AT_ONCE):
            values = {"merchant": LISTER, "first": first, "last": min(rows, first + AT_ONCE - 1)}
            db.execute((place.HERE / "withdrawals.sql").read_text(encoding="utf-8"), values)
        db.execute("VACUUM (ANALYZE)")


def _env(services: stack.Services, url: str, **changes: str) -> dict[str, str]:
    """Production's, as far as it can be had on loopback."""
    return (
        {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        | place.NOWHERE
        | services.env
        | {"DATABASE_URL": url, "SLUICE_ENV": "production", "SLUICE_ROLE": "web", "ALLOWED_HOSTS": "127.0.0.1"}
        | {"SECURE_SSL_REDIRECT": "false", "BASE_URL": "https://sluice.example", "WITHDRAWAL_WAIT_S": "0"}
        | changes
    )


@contextmanager
def _server(services: stack.Services, target: str, url: str, **changes: str) -> Iterator[Server]:
    log = place.ROOT / ".local" / "bench" / "server.log"
    beside = [child.pid for child in services.children]
    with serving.granian(target, _env(services, url, **changes), beside=beside, log=Path(log)) as server:
        yield server


def _creates(servers: ExitStack, services: stack.Services, url: str) -> dict[str, Load]:
    from tests.bench import loads as it  # Django has its settings now
    from tests.bench import shops

    with it.owner(place.named(services.env["DATABASE_OWNER_URL"], url.rpartition("/")[2])):
        shops.enrol()
    ours = servers.enter_context(_server(services, "tests.bench.raised:application", url))
    loads = {}
    for name, middlewares in {BARE: "false", BEHIND: "true"}.items():
        changes = {"DJANGO_SETTINGS_MODULE": "tests.bench.bare_settings", "BENCH_MIDDLEWARES": middlewares}
        bare = servers.enter_context(_server(services, "config.wsgi:application", url, **changes))
        loads[name] = _load(bare, [shops.bare()] * CALLERS, expected=201)
    for api, (make, expected) in shops.CREATES.items():
        if re.search(ONLY, f"create, {api}"):
            loads[f"create, {api}"] = _load(ours, [make() for _ in range(CALLERS)], expected=expected)
    return loads


def _load(server: Server, shots: Sequence[Shot], *, expected: int) -> Load:
    return partial(server.under, shots, seconds=SECONDS, expected=expected)


def _lists(servers: ExitStack, services: stack.Services, urls: Mapping[str, str]) -> dict[str, Load]:
    loads = {}
    for size in _listed():
        server = servers.enter_context(_server(services, "tests.bench.raised:application", urls[size]))
        loads[f"{LIST}, {size}"] = _load(server, [_page(urls[size])] * READERS, expected=200)
    return loads


def _listed() -> Mapping[str, int]:
    """The listings that are asked for: a million rows are not made for a run of something else."""
    return {size: rows for size, rows in LISTED.items() if re.search(ONLY, f"{LIST}, {size}")}


def _page(url: str) -> Shot:
    """What the merchant of that database asks for."""
    from payouts.merchants.models import Merchant
    from tests.bench import loads, shops

    loads.use(url)
    headers = shops.bearer(Merchant.objects.get(id=LISTER))
    loads.use(os.environ["DATABASE_URL"])
    return Shot("GET", "/v1/withdrawals?limit=20", headers)


def _rows(measured: Mapping[str, Sequence[Measured]]) -> list[str]:
    lines = [f"{'':28}{'per second':>12}{'CPU ms':>10}{'p50 ms':>10}{'p99 ms':>10}"]
    medians = {
        name: {field: statistics.median(getattr(run, field) for run in runs) for field in Measured.__slots__}
        for name, runs in measured.items()
    }
    for name, run in medians.items():
        line = f"{name:28}{run['per_second']:>12,.0f}{run['cpu_ms']:>10.2f}{run['p50_ms']:>10.2f}{run['p99_ms']:>10.2f}"
        smaller = name.replace("1 M", "10 k")
        bares = [medians[bare] for bare in (BARE, BEHIND) if bare in medians]
        if name.startswith("create") and bares:
            line += "   " + " and ".join(f"{run['per_second'] / bare['per_second']:.2f}" for bare in bares)
            line += " of the bare view's rate, by CPU "
            line += " and ".join(f"{bare['cpu_ms'] / run['cpu_ms']:.2f}" for bare in bares)
        elif smaller != name and smaller in medians:
            line += f"   p50 {run['p50_ms'] / medians[smaller]['p50_ms']:.2f} of that at 10 k"
        lines.append(line)
    return lines
