"""How often the `public` API may be called: per key, address and endpoint, said in every answer."""

from collections import Counter
from typing import Any

import pytest

from config.local import ports
from payouts.api import throttling
from payouts.api.public import frame, views
from tests.api import users
from tests.api.users import CREATE, CREATE_PATH, REQUESTS, Program, conformance
from tests.payouts import crowd

ABSENT = "01900000-0000-7000-8000-000000000000"
# fmt: off
LIMITS = [  # as the document tables them
    ("S POST /public/user/withdrawal/create",  "POST", CREATE_PATH,                    30),
    ("S GET /public/withdrawal-requests",      "GET",  REQUESTS,                       100),
    ("S POST …/{id}/approve",                  "POST", f"{REQUESTS}/{ABSENT}/approve", 30),
    ("S POST …/{id}/reject",                   "POST", f"{REQUESTS}/{ABSENT}/reject",  30),
    ("S GET /public/payout/get",               "GET",  f"/public/payout/get?id={ABSENT}", 100),
    ("N POST /public/wallet/generate",         "POST", "/public/wallet/generate",      20),
    ("R POST /public/withdrawal-requests",     "POST", REQUESTS,                       30),
]
# fmt: on


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [pytest.param(*case, marks=conformance(f"{line}: {case[-1]} per 15 min")) for line, *case in LIMITS],
)
@conformance("N 429 with RateLimit-Limit, -Remaining, -Reset and Retry-After")
@conformance("R every authenticated call counts, whatever its answer, per key and endpoint")
def test_the_call_after_the_last_is_told_when_to_come_back(method: str, path: str, limit: int) -> None:
    program = users.program()
    for number in range(1, limit + 1):
        answer = program.call(method, path, "{}" if method == "POST" else "")
        assert answer.status_code in (200, 400, 404)
        assert answer.headers["RateLimit-Limit"] == str(limit)
        assert answer.headers["RateLimit-Remaining"] == str(limit - number)
        assert 1 <= int(answer.headers["RateLimit-Reset"]) <= 900
    refused = program.call(method, path, "{}" if method == "POST" else "")
    assert users.error(refused)[0] == 429
    assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= int(refused.headers["Retry-After"]) <= 900
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert users.colleague(program).call(method, path, "{}").status_code != 429, "another key has its own"
    assert program.get("/public/balance").status_code == 200, "another endpoint has its own"


@pytest.mark.django_db
def test_who_is_not_let_in_uses_nothing_up() -> None:
    program = users.program()
    for _ in range(35):
        wrong = program.post(CREATE_PATH, CREATE, headers={"apikey": program.apikey, "x-api-secret": "0"})
        assert users.error(wrong)[0] == 401
    assert program.create().status_code == 201


def test_of_forty_creates_at_once_exactly_thirty_pass(committed: object) -> None:
    program = users.program(user_funds="1000")
    statuses: list[int] = []
    crowd.at_once([lambda: statuses.append(program.create(amount=3).status_code)] * 40)
    assert Counter(statuses) == {201: 30, 429: 10}


@pytest.fixture
def redis_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens where the limits are counted."""
    settings.RATE_LIMITS_STORAGE = f"redis://127.0.0.1:{ports.unused([])}/0"
    for name, rule in (("STANDARD", "100/15 minute"), ("FINANCIAL", "30/15 minute")):
        limit = throttling.RateLimit(rule)
        monkeypatch.setattr(frame.PublicView, "limit", limit)
        for view in (views.CreateWithdrawal, views.GetPayout):
            if view.limit is getattr(frame, name):
                monkeypatch.setattr(view, "limit", limit)


@pytest.mark.django_db
@conformance("R Redis away: money routes answer 503, reads go on")
def test_without_redis_reads_go_on_and_nothing_that_moves_money_passes(redis_away: None) -> None:
    program: Program = users.program()
    before = users.state(program.merchant)
    answer = program.create()
    assert users.error(answer)[0] == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert program.get("/public/balance").status_code == 200
    assert users.error(program.get(f"/public/payout/get?id={ABSENT}"))[0] == 404
    assert users.state(program.merchant) == before
