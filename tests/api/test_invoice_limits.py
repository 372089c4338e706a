"""How often the `invoice` API may be called: one withdrawal request per key and twelve seconds, exactly."""

from collections import Counter
from typing import Any

import pytest

from config.local import ports
from payouts.api import throttling
from payouts.api.invoice import views
from tests.api import invoices
from tests.api.invoices import conformance
from tests.payouts import crowd

LEAST = "0.000000000000000001"


@pytest.mark.django_db
@conformance("S minimum interval between requests: 12 seconds")
@conformance("R rate_limit is 429 with Retry-After; the interval is per key, and a refused attempt does not extend it")
def test_the_next_request_has_to_wait_twelve_seconds_and_refused_ones_do_not_count() -> None:
    program = invoices.program(ETH="1")
    first = program.create()
    assert invoices.result(first)["status"] == "created"
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("1", "0")
    before = invoices.state(program.merchant)
    for ago_s in (0, 3, 7):
        last = invoices.last_request(program.withdrawal_token, ago_s=ago_s)
        refused = program.create()
        assert invoices.error(refused) == (429, "rate_limit")
        assert 0 < int(refused.headers["Retry-After"]) <= 12 - ago_s
        assert invoices.last_request(program.withdrawal_token) == pytest.approx(last, abs=0.001)
    assert invoices.state(program.merchant) == before
    assert invoices.result(program.rested().create())["status"] == "created", "another key has its own interval"
    invoices.last_request(program.withdrawal_token, ago_s=12)
    assert invoices.result(program.create())["status"] == "created"
    assert invoices.error(program.create()) == (429, "rate_limit")
    assert (views.INTERVAL.item.amount, views.INTERVAL.item.get_expiry()) == (1, 12)


@pytest.mark.django_db
@conformance("S minimum interval between requests: whatever became of them")
def test_a_request_that_was_wrong_was_a_request() -> None:
    program = invoices.program(ETH="1")
    assert invoices.error(program.create(currency_code="DOGE")) == (400, "currency_code")
    assert invoices.error(program.create()) == (429, "rate_limit")


@pytest.mark.django_db
def test_who_is_not_let_in_starts_nobodys_interval() -> None:
    program = invoices.program(ETH="1")
    for token in (program.withdrawal_token[:-1], program.shop_token):
        assert invoices.error(invoices.call("POST", invoices.CREATE_PATH, invoices.SEED, token=token))[0] == 400
    assert invoices.call("GET", invoices.CREATE_PATH, token=program.withdrawal_token).status_code == 405
    assert invoices.call("OPTIONS", invoices.CREATE_PATH, token=program.withdrawal_token).status_code == 204
    assert program.create().status_code == 200


@conformance("R the 12 s are exact under concurrency")
def test_of_fifty_creates_at_once_one_passes_and_another_one_twelve_seconds_later(committed: object) -> None:
    program = invoices.program(ETH="1")

    def round_of_fifty() -> Counter[int]:
        statuses: list[int] = []
        crowd.at_once([lambda: statuses.append(program.create(amount=LEAST).status_code)] * 50)
        return Counter(statuses)

    assert round_of_fifty() == {200: 1, 429: 49}
    invoices.last_request(program.withdrawal_token, ago_s=12)
    assert round_of_fifty() == {200: 1, 429: 49}
    assert invoices.held(program.merchant, "ETH")[1] == 2


def test_of_forty_keys_at_once_each_passes_once(committed: object) -> None:
    program = invoices.program(ETH="1")
    statuses: list[int] = []
    keys = [program.rested() for _ in range(10)]
    crowd.at_once([lambda one=one: statuses.append(one.create(amount=LEAST).status_code) for one in keys * 4])  # type: ignore[misc]  # mypy cannot infer a lambda's default
    assert Counter(statuses) == {200: 10, 429: 30}
    assert invoices.held(program.merchant, "ETH")[1] == 10


@pytest.mark.django_db
def test_balances_are_read_sixty_times_a_minute_and_take_nothing_from_the_interval() -> None:
    program = invoices.program(ETH="1")
    assert Counter(program.balances().status_code for _ in range(60)) == {200: 60}
    refused = program.balances()
    assert invoices.error(refused) == (429, "rate_limit")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert program.create().status_code == 200


@pytest.fixture
def redis_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens where the requests are counted."""
    settings.RATE_LIMITS_STORAGE = f"redis://127.0.0.1:{ports.unused([])}/0"
    monkeypatch.setattr(views.Create, "limit", throttling.RateLimit("1/12 second"))
    monkeypatch.setattr(views.Balances, "limit", throttling.RateLimit("60/minute"))


@pytest.mark.django_db
@conformance("R Redis away: money routes answer 503, reads go on")
def test_without_redis_nothing_is_withdrawn_and_balances_are_read(redis_away: None) -> None:
    program = invoices.program(ETH="1")
    before = invoices.state(program.merchant)
    answer = program.create()
    assert invoices.error(answer) == (503, "validate_error")
    assert int(answer.headers["Retry-After"]) > 0
    assert program.balance("ETH")["available_balance"] == 1
    assert invoices.state(program.merchant) == before
