"""How often a key may call the `merchant` API, and what it is told while something behind the API is away."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from rest_framework.exceptions import Throttled

from config.local import ports
from payouts.api import throttling
from payouts.api.merchant import views
from payouts.merchants.models import Merchant
from tests import make
from tests.api import speaker
from tests.api.speaker import CREATE, Program, conformance
from tests.payouts import crowd


@pytest.fixture
def redis_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens where the rate limits are counted."""
    settings.RATE_LIMITS_STORAGE = f"redis://127.0.0.1:{ports.unused([])}/0"
    monkeypatch.setattr(views, "LIMIT", throttling.RateLimit("60/minute"))


@pytest.fixture
def postgres_away(committed: object) -> Iterator[None]:
    """Nothing listens where the database was, until the test ends."""
    shared = connections.settings["default"]
    port = shared["PORT"]
    connections["default"].close()
    shared["PORT"] = ports.unused([])
    yield
    connections["default"].close()
    shared["PORT"] = port


@conformance("N 60 a minute and key, then 429 with Retry-After")
@pytest.mark.django_db
def test_a_keys_sixty_first_call_within_a_minute_is_told_when_to_come_back(merchant: Merchant) -> None:
    program, colleague = speaker.program(merchant), speaker.program(merchant)
    statuses = Counter(program.get("/v1/balance").status_code for _ in range(60))
    refused = program.post("/v1/withdrawals", CREATE)
    assert statuses == {200: 60}
    assert speaker.error(refused) == (429, "rate limit exceeded")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert make.holds(merchant).get("frozen") is None
    assert colleague.get("/v1/balance").status_code == 200, "another key of the same merchant has its own minute"


@pytest.mark.django_db
def test_a_refused_attempt_does_not_make_the_wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = throttling.RateLimit("2/second")
    monkeypatch.setattr(views, "LIMIT", limit)
    program = speaker.program(make.merchant())
    statuses: list[int] = []
    while statuses.count(200) < 6:  # hammers on without a pause; were refusals counted, the third would never pass
        statuses.append(program.get("/v1/balance").status_code)
        assert len(statuses) < 2000
    assert 429 in statuses


@pytest.mark.django_db
def test_who_is_not_let_in_uses_up_nobodys_minute(program: Program) -> None:
    for _ in range(70):
        assert program.call("GET", "/v1/balance", authorization=program.bearer(sig="0" * 64)).status_code == 401
    assert program.get("/v1/balance").status_code == 200


def test_exactly_sixty_of_two_hundred_calls_at_once_pass(redis_clean: str) -> None:
    outcomes = Counter[str]()
    limit = throttling.RateLimit("60/minute")

    start = threading.Barrier(200)

    def call(_: int) -> None:
        start.wait(30)
        try:
            limit.hit("merchant", "the key", money=True)
        except Throttled as refused:
            outcomes["refused" if 1 <= getattr(refused, "wait", 0) <= 60 else "refused without a time"] += 1
        else:
            outcomes["passed"] += 1

    with ThreadPoolExecutor(200) as pool:
        list(pool.map(call, range(200)))
    assert outcomes == {"passed": 60, "refused": 140}


@pytest.mark.parametrize("money", [True, False])
def test_calls_that_find_every_connection_taken_wait_and_are_counted(
    redis_clean: str, monkeypatch: pytest.MonkeyPatch, *, money: bool
) -> None:
    monkeypatch.setattr(throttling, "POOLED", 1)
    limit, start = throttling.RateLimit("10/minute"), threading.Barrier(40)
    limit.hit("merchant", "the pool is made", money=money)

    def call(_: int) -> bool:
        start.wait(30)
        try:
            limit.hit("merchant", "one connection", money=money)
        except Throttled:
            return False
        return True

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(call, range(40))) == 10


def test_exactly_sixty_of_ninety_requests_at_once_pass(merchant: Merchant, program: Program) -> None:
    statuses: list[int] = []
    job = lambda: statuses.append(program.get("/v1/balance").status_code)  # noqa: E731 - a job
    for _ in range(3):
        crowd.at_once([job] * 30)
    assert Counter(statuses) == {200: 60, 429: 30}


@conformance("R Redis away: money routes answer 503, reads go on")
@pytest.mark.django_db
def test_without_redis_reads_go_on_and_nothing_that_moves_money_passes(
    redis_away: None, merchant: Merchant, program: Program
) -> None:
    before = speaker.state(merchant)
    for method in ("GET", "HEAD", "OPTIONS"):
        assert program.call(method, "/v1/withdrawals").status_code in (200, 204)
    answer = program.post("/v1/withdrawals", CREATE)
    assert speaker.error(answer) == (503, "service temporarily unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert speaker.state(merchant) == before


def test_without_postgresql_every_call_is_answered_503_in_the_envelope(postgres_away: None) -> None:
    program = speaker.Program("mk_live_whoever", "ab" * 32)
    for method, path in (("GET", "/v1/balance"), ("POST", "/v1/withdrawals"), ("GET", "/v1/withdrawals")):
        answer = program.call(method, path, json.dumps(CREATE))
        assert speaker.error(answer) == (503, "service temporarily unavailable")
