"""The money of the `extraction` API: many at once, any history, repeats, limits, and what is away."""

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain import units
from config.local import ports
from ledger import audit
from ledger.accounts import Purpose
from payouts.api import throttling
from payouts.api.extraction import views
from payouts.merchants import supervisors
from payouts.merchants.store_models import AddressChange, Supervisor
from payouts.withdrawals import extractions
from payouts.withdrawals.models import IdempotencyKey, Withdrawal
from tests import make
from tests.api import shops
from tests.api.shops import CREATE, MONEY, conformance
from tests.payouts import crowd

db = pytest.mark.django_db
KEY = {"Idempotency_Key": "order-4711"}


@conformance("R extractions at once never take more than balance and credit")
def test_extractions_at_once_on_one_account_spend_each_unit_once(committed: object) -> None:
    shop = shops.shop(funds="250", credit="230")
    shop.caller.extract(amount=10)
    buyer = shop.buyer()
    statuses: list[int] = []
    jobs = [
        lambda who=who: statuses.append(who.extract(amount=100, address=None).status_code)
        for who in (shop.caller, buyer)
    ]
    buyer.log_in()
    crowd.at_once(jobs * 8)
    assert Counter(statuses) == {201: 4, 422: 12}
    assert shop.has() == (0, 70)
    rows = list(Withdrawal.objects.all())
    assert sum(int(row.amount_units) for row in rows) == make.usdt("410")
    assert sum(int(row.credit_units) for row in rows) == make.usdt("160")
    assert audit.prove().problems == []


def test_addresses_that_change_at_once_leave_a_history_without_gaps(committed: object) -> None:
    shop = shops.shop(funds="100")
    shop.caller.log_in()
    both = [make.TRON_ADDRESS, make.EVM_ADDRESS]
    crowd.at_once([lambda address=address: shop.caller.extract(amount=1, address=address) for address in both] * 6)
    rows = list(AddressChange.objects.order_by("id"))
    assert [row.before for row in rows] == ["", *(row.after for row in rows[:-1])]
    assert all(row.before != row.after for row in rows)
    assert shop.qr_code.last_address == rows[-1].after
    assert Withdrawal.objects.count() == 12


def test_a_flag_that_is_taken_waits_for_the_extraction_under_way_and_lets_none_follow(committed: object) -> None:
    shop = shops.shop(funds="100")
    shop.caller.extract(amount=1)
    shop.buyer()
    supervisor = Supervisor.objects.select_related("person").get()
    wanted = extractions.Wanted(shop.store, supervisor.person, supervisor, None, Decimal(1))
    extractions.create(wanted, now=make.now())
    Supervisor.objects.update(buy_usdt_active=False)  # after the caller was let in, before the core is reached
    with pytest.raises(supervisors.NotAllowed):
        extractions.create(wanted, now=make.now())
    assert Withdrawal.objects.count() == 2


OUTCOMES = {"REJECTED": True, "CANCELLED": True, "FAILED": True, "COMPLETED": False}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a shop; `which` chooses among the open extractions."""

    name: str
    amount_units: int
    which: int


class Model:
    """A shop and what must be there: what may be spent, what the line still gives, and what is open."""

    def __init__(self) -> None:
        self.shop = shops.shop()
        self.balance_units, self.limit_units, self.drawn_units = 0, 0, 0
        self.open: dict[str, tuple[int, int]] = {}

    @property
    def credit_units(self) -> int:
        return self.limit_units - self.drawn_units

    def happen(self, event: Event) -> None:
        if event.name == "deposit":
            self.shop.deposit(event.amount_units)
            self.balance_units += event.amount_units
        elif event.name == "limit":
            if event.amount_units >= self.drawn_units:
                self.shop.lend(event.amount_units)
                self.limit_units = event.amount_units
        elif event.name == "extract" or not self.open:
            self.extract(event)
        else:
            self.end([*self.open][event.which % len(self.open)], event.name)

    def extract(self, event: Event) -> None:
        literal = units.text("USDT", event.amount_units)
        answer = self.shop.caller.post(CREATE, json.dumps(MONEY).replace("500", literal, 1))
        if event.amount_units > self.balance_units + self.credit_units:
            assert shops.error(answer)[0] == 422
            return
        made = answer.json(parse_float=Decimal)
        from_balance_units = min(event.amount_units, self.balance_units)
        from_credit_units = event.amount_units - from_balance_units
        told = [units.text("USDT", part, 0) for part in (from_balance_units, from_credit_units)]
        assert [str(made["balanceUsed"]), str(made["creditUsed"])] == told
        self.balance_units -= from_balance_units
        self.drawn_units += from_credit_units
        self.open[made["id"]] = from_balance_units, from_credit_units

    def end(self, extraction: str, status: str) -> None:
        from_balance_units, from_credit_units = self.open.pop(extraction)
        shops.reach(extraction, status)
        if OUTCOMES[status]:
            self.balance_units += from_balance_units
            self.drawn_units -= from_credit_units

    def agrees(self) -> None:
        shown = [units.text("USDT", part, 0) for part in (self.balance_units, self.credit_units)]
        answer = self.shop.caller.get(f"/account/{self.shop.qr_code.account}")
        assert f'"balance":{shown[0]},'.encode() in answer.content
        assert f'"availableCredit":{shown[1]}}}'.encode() in answer.content
        held = make.holds(self.shop.merchant)
        assert held.get("frozen", 0) == sum(map(sum, self.open.values()))
        assert held.get("credit", 0) == -self.drawn_units
        assert sum(held.values()) == 0


EVENTS = st.builds(
    Event,
    st.sampled_from(["extract"] * 5 + ["deposit"] * 2 + ["limit", *OUTCOMES]),
    st.integers(1, 60_000_000),
    st.integers(0, 9),
)


@conformance("S created: deducted at once; rejected: restored automatically")
@db
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(EVENTS, min_size=8, max_size=20))
def test_after_any_history_each_part_is_where_it_came_from(history: list[Event]) -> None:
    here = Model()
    for event in history:
        here.happen(event)
        here.agrees()
    for extraction in [*here.open]:
        here.end(extraction, "REJECTED")
    here.agrees()
    assert audit.prove().problems == []


@conformance("R Idempotency-Key on every create: same body the first answer, another body 422")
@db
def test_a_repeat_gets_the_first_answer_and_another_body_is_refused() -> None:
    shop = shops.shop(funds="1000")
    first = shop.caller.post(CREATE, MONEY, **KEY)
    shops.reach(first.json()["id"], "REJECTED")
    before = shops.state(shop.merchant)
    again = shop.caller.post(CREATE, json.dumps(dict(reversed(MONEY.items())), indent=2), **KEY)
    assert (again.status_code, again.json()) == (201, first.json())
    reused = (422, "idempotency key was used with another request")
    for change in ({"amount": 501}, {"amount": "500"}, {"address": make.EVM_ADDRESS}, {"memo": 1}):
        assert shops.error(shop.caller.post(CREATE, MONEY | change, **KEY)) == reused
    assert shops.state(shop.merchant) == before


@db
def test_a_key_is_one_persons_on_one_endpoint_and_a_refusal_uses_none_up() -> None:
    shop = shops.shop(funds="400")
    sibling = shops.shop(funds="500", of=shop.merchant)
    assert shop.caller.post(CREATE, MONEY, **KEY).status_code == 422
    shop.deposit(make.usdt("600"))
    first = shop.caller.post(CREATE, MONEY, **KEY).json()
    other = sibling.caller.post(CREATE, MONEY, **KEY).json()
    assert shop.buyer().post(CREATE, MONEY, **KEY).json()["id"] not in (first["id"], other["id"])
    assert first["accountId"] != other["accountId"]
    assert shop.caller.post("/supervisor", {"name": "Sam", "email": "s@shop.example"}, **KEY).status_code == 201


def test_many_at_once_with_one_key_make_one_extraction(committed: object) -> None:
    shop = shops.shop(funds="1000")
    shop.caller.log_in()
    answers: list[Any] = []
    crowd.at_once([lambda: answers.append(shop.caller.post(CREATE, MONEY, **KEY))] * 16)
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert Withdrawal.objects.count() == IdempotencyKey.objects.count() == 1
    assert shop.has() == (500, 0)


@conformance("R limits: per person, with RateLimit-* and Retry-After")
@db
def test_each_persons_calls_are_counted_and_the_sixty_first_told_when_to_come_back() -> None:
    shop = shops.shop(funds="1000")
    buyer = shop.buyer()
    left = [shop.caller.get("/supervisor").headers["RateLimit-Remaining"] for _ in range(58)]
    assert left[-1] == "0", "making the supervisor took the other two"
    before = shops.state(shop.merchant)
    answer = shop.caller.extract()
    assert shops.error(answer) == (429, "rate limit exceeded")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    told = [answer.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining")]
    assert (told, int(answer.headers["RateLimit-Reset"]) <= 60) == (["60", "0"], True)
    assert shops.state(shop.merchant) == before
    assert buyer.get("/supervisor/me").status_code == 200


@db
def test_logins_are_counted_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = throttling.RateLimit("2/minute")
    monkeypatch.setattr(views.Door, "limit", limit)
    shop = shops.shop()
    body = {"username": shop.caller.username, "password": shop.caller.password}
    statuses = [shops.call("POST", "/auth/login", body, origin="192.0.2.7").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert shops.call("POST", "/auth/login", body, origin="192.0.2.8").status_code == 200


@conformance("R without Redis money routes answer 503, reads go on")
@db
def test_without_redis_reads_and_logins_go_on_and_no_money_moves(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS_STORAGE = f"redis://127.0.0.1:{ports.unused([])}/0"
    for view in (views.ApiView, views.CallerView):
        monkeypatch.setattr(view, "limit", throttling.RateLimit("60/minute"))
    shop = shops.shop(funds="1000")
    assert shop.has() == (1000, 0)
    before = shops.state(shop.merchant)
    answer = shop.caller.extract()
    assert shops.error(answer) == (503, "service temporarily unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert shops.state(shop.merchant) == before


@pytest.mark.parametrize(
    "change", ["UPDATE payouts_addresschange SET after = before", "DELETE FROM payouts_addresschange"]
)
@db
def test_the_history_of_addresses_is_append_only(change: str) -> None:
    shop = shops.shop(funds="10")
    shop.caller.extract(amount=1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert AddressChange.objects.get().after == make.TRON_ADDRESS


@db
def test_a_stores_money_is_not_its_merchants_nor_another_stores() -> None:
    shop = shops.shop(funds="100", credit="10")
    sibling = shops.shop(of=shop.merchant)
    make.deposit(shop.merchant, "1000")
    assert shops.error(sibling.caller.extract(amount=1))[0] == 422
    assert shops.error(shop.caller.extract(amount=110.000001))[0] == 422
    assert shop.caller.extract(amount=110).status_code == 201
    assert make.account(shop.merchant, Purpose.AVAILABLE) != shop.ref(Purpose.AVAILABLE)
    assert sibling.has() == (0, 0)
