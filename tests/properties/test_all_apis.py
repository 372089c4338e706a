"""Any sequence of calls of all APIs on one merchant leaves the money right, and each API shows the same of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain import units
from chain.models import IntentState
from ledger import audit, posting
from ledger.accounts import Purpose
from payouts.api import dialects
from payouts.merchants import tokens
from payouts.merchants.user_models import UserWallet
from payouts.withdrawals import withdrawals
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import invoices, shops, users

pytestmark = pytest.mark.django_db
BACK = {"REJECTED", "CANCELLED", "FAILED"}
MAIN, SHOP = "main", "shop"
AMOUNTS = st.integers(3_000_000, 90_000_000)  # above every fee


@dataclass(slots=True)
class Purse:
    """An account with its credit line as the model knows it."""

    came_in_units: int = 0
    limit_units: int = 0


@dataclass(slots=True)
class World:
    """One merchant, its store and its user, and what should be there by the history alone."""

    people: dict[int, make.Approver]
    program: users.Program = field(init=False)
    shop: shops.Shop = field(init=False)
    purses: dict[str, Purse] = field(default_factory=lambda: {MAIN: Purse(), SHOP: Purse()})
    user_units: int = 0
    rows: dict[UUID, str] = field(default_factory=dict)  # each withdrawal's purse

    def __post_init__(self) -> None:
        self.program = users.program(funds="0", user_funds="0")
        self.shop = shops.shop(of=self.merchant)

    @property
    def merchant(self) -> Any:
        return self.program.merchant

    def of(self, purse: str) -> list[Withdrawal]:
        return [row for row in Withdrawal.objects.filter(id__in=self.rows) if self.rows[row.id] == purse]

    def drawn_units(self, purse: str) -> int:
        return sum(int(row.credit_units) for row in self.of(purse) if row.status not in BACK)

    def available_units(self, purse: str) -> int:
        gone = sum(int(row.amount_units) for row in self.of(purse) if row.status not in BACK)
        return self.purses[purse].came_in_units + self.drawn_units(purse) - gone

    def frozen_units(self, purse: str) -> int:
        rows = (row for row in self.of(purse) if row.status not in BACK and row.status != "COMPLETED")
        return sum(int(row.amount_units) for row in rows)

    def owed(self) -> tuple[int, int]:
        """What the user may take out, and what is on its way."""
        mine = [row for row in self.of(MAIN) if row.memo_units and row.status not in BACK]
        gone = sum(int(row.memo_units) for row in mine)
        return self.user_units - gone, sum(int(row.memo_units) for row in mine if row.status != "COMPLETED")

    # --- what happens -----------------------------------------------------------------------------------------------
    def deposit(self, door: str, amount_units: int) -> None:
        amount = str(units.to_decimal("USDT", amount_units))
        if door == "user":
            users.deposit(UserWallet.objects.get(merchant=self.merchant), amount)
            self.user_units += amount_units
        elif door == MAIN:
            make.deposit(self.merchant, amount, network="ethereum")
        else:
            self.shop.deposit(amount_units)
        self.purses[SHOP if door == SHOP else MAIN].came_in_units += amount_units

    def lend(self, purse: str, limit_units: int) -> None:
        ref = self.shop.ref(Purpose.CREDIT) if purse == SHOP else make.account(self.merchant, Purpose.CREDIT)
        if limit_units < self.drawn_units(purse):
            with pytest.raises(posting.LimitBelowDrawn):
                posting.set_credit_limit(ref, limit_units=limit_units, by="tests", at=make.now())
        else:
            posting.set_credit_limit(ref, limit_units=limit_units, by="tests", at=make.now())
            self.purses[purse].limit_units = limit_units

    def ask(self, api: str, amount_units: int) -> None:
        """Call an API's create; it is refused exactly when the money is not there."""
        purse = SHOP if api == "extraction" else MAIN
        line_units = self.purses[purse].limit_units - self.drawn_units(purse)
        fits = amount_units <= self.available_units(purse) + line_units
        if api in ("create", "request"):
            fits = fits and amount_units <= self.owed()[0]
        answer = self.calls()[api](units.to_decimal("USDT", amount_units))
        new = set(Withdrawal.objects.filter(merchant=self.merchant).values_list("id", flat=True)) - set(self.rows)
        assert (answer.status_code in (200, 201), len(new)) == (fits, int(fits)), answer.content
        self.rows |= dict.fromkeys(new, purse)

    def calls(self) -> dict[str, Callable[[Decimal], Any]]:
        """Each API's create, by keys of their own, which no limit stops."""
        invoice = invoices.Program(self.merchant, invoices.issue(self.merchant, tokens.WITHDRAWAL), "")
        public, to = users.colleague(self.program), {"destination_address": make.TRON_ADDRESS, "network": "TRC20"}
        code = {"currency_code": "USDT_ERC20", "to_address": make.EVM_ADDRESS}
        return {
            "merchant": lambda amount: make.client(self.merchant).post("/v1/withdrawals", to | {"amount": str(amount)}),
            "invoice": lambda amount: invoice.create(code | {"amount": str(amount)}),
            "create": lambda amount: public.create(amount=float(amount)),
            "request": lambda amount: public.request(amount=float(amount)),
            "extraction": lambda amount: self.shop.caller.extract(amount=float(amount)),
        }

    def go_on(self, row: Withdrawal, number: int) -> None:
        """The next step, or an end before it."""
        ends = {"cancel": self.cancel, "reject": self.reject}
        end = ends.get(("", "", "", "", "", "", "", "cancel", "reject", "")[number])
        if end is not None and row.status not in {"PROCESSING", "COMPLETED", *BACK}:
            end(row)
        elif row.status == "PROCESSING":
            outcome = IntentState("DEAD" if number == 9 else "PAID")
            withdrawals.settle(make.decided(row, outcome), now=make.now())
        elif row.status == "APPROVED":
            withdrawals.dispatch(row.id, now=make.now())
        elif row.approval == "MERCHANT" and row.status == "PENDING":
            users.data(users.colleague(self.program).post(f"{users.REQUESTS}/{row.id}/approve"))
        elif row.status == "PENDING":
            withdrawals.screen(row.id, now=make.now())
        elif row.status in ("PENDING_REVIEW", "LEVEL1_APPROVED"):
            level = 2 if row.status == "LEVEL1_APPROVED" else 1
            make.approve(row.id, level=level, by=self.people[level])

    def cancel(self, row: Withdrawal) -> None:
        if row.api == "merchant":
            public_id = dialects.DIALECTS["merchant"].public_id(row.id)
            assert make.client(self.merchant).post(f"/v1/withdrawals/{public_id}/cancel").status_code == 200
        else:
            withdrawals.cancel(row.id, by=By("tests"), now=make.now())

    def reject(self, row: Withdrawal) -> None:
        if row.approval == "MERCHANT" and row.status == "PENDING":
            users.data(users.colleague(self.program).post(f"{users.REQUESTS}/{row.id}/reject"))
        elif row.status != "APPROVED":
            make.reject(row.id, by=self.people[2 if row.status == "LEVEL1_APPROVED" else 1])

    # --- what must be so --------------------------------------------------------------------------------------------
    def agrees(self) -> None:
        available, frozen = self.available_units(MAIN), self.frozen_units(MAIN)
        shown = make.client(self.merchant).get("/v1/balance").json()
        assert (_units(shown["available"]), _units(shown["frozen"])) == (available, frozen)
        public = users.colleague(self.program)
        assert _public(public.get("/public/balance")) == (available, frozen)
        assert _public(public.get(f"/public/user/balance?userId={users.USER}")) == self.owed()
        invoice = invoices.Program(self.merchant, "", invoices.issue(self.merchant, tokens.SHOP))
        for code in ("USDT_TRC20", "USDT_ERC20"):
            entry = invoice.balance(code)
            assert _units(entry["available_balance"]) == available
            assert _units(entry["balance_crypto"]) == available + frozen
        line_units = self.purses[SHOP].limit_units - self.drawn_units(SHOP)
        assert tuple(_units(one) for one in self.shop.has()) == (self.available_units(SHOP), line_units)
        self.adds_up()

    def adds_up(self) -> None:
        """Balance, frozen and credit of all accounts against what came in and what left."""
        held = make.holds(self.merchant)
        paid = [row for purse in self.purses for row in self.of(purse) if row.status == "COMPLETED"]
        owed = sum(self.owed())
        came_in_units = sum(purse.came_in_units for purse in self.purses.values())
        outside = sum(amount_units for name, amount_units in held.items() if name.startswith("external"))
        assert held.get("available", 0) == sum(map(self.available_units, self.purses))
        assert held.get("frozen", 0) == sum(map(self.frozen_units, self.purses))
        assert -held.get("credit", 0) == sum(map(self.drawn_units, self.purses))
        assert held.get("fees", 0) == sum(int(row.fee_units) for row in paid)
        assert -outside == came_in_units - sum(int(row.net_units) for row in paid)
        assert -held.get("memo_contra", 0) == owed == held.get("memo", 0) + held.get("memo_frozen", 0)
        assert sum(held.values()) == 0


def _units(shown: object) -> int:
    """An amount that an API shows, to its last digit."""
    amount_units = Decimal(str(shown)) * 10**6
    assert amount_units == int(amount_units)
    return int(amount_units)


def _public(answer: Any) -> tuple[int, int]:
    """Available and pending as the public API says them."""
    users.data(answer)
    data = json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)["data"]
    return _units(data["totalAmt"]), _units(data["pendingAmt"])


APIS = ("merchant", "invoice", "create", "request", "extraction")
ACTIONS = st.tuples(st.sampled_from([*APIS, *APIS, *["go on"] * 14, "deposit", "lend"]), AMOUNTS, st.integers(0, 9))


def happen(world: World, action: tuple[str, int, int]) -> None:
    name, amount_units, number = action
    if name in APIS:
        world.ask(name, amount_units)
    elif name == "deposit":
        world.deposit(("user", MAIN, SHOP)[number % 3], amount_units)
    elif name == "lend":
        world.lend((MAIN, SHOP)[number % 2], amount_units * (number % 3))
    elif world.rows:
        rows = sorted(world.rows)
        world.go_on(Withdrawal.objects.get(id=rows[amount_units % len(rows)]), number)


@pytest.fixture
def people(settings: Any) -> dict[int, make.Approver]:
    """An approver for each level, a lane on each network; creates do not wait."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "payouts.merchants.oauth.Peppered"]
    settings.WITHDRAWAL_WAIT_S = 0
    for network in make.ADDRESSES:
        make.lane(network)
    return {level: make.approver(level) for level in (1, 2)}


@pytest.mark.timeout(600)  # on a busy machine
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(ACTIONS, min_size=15, max_size=30))
def test_any_history_over_all_apis_leaves_the_money_right(
    history: list[tuple[str, int, int]], people: dict[int, make.Approver]
) -> None:
    world = World(people)
    for door in ("user", MAIN, SHOP):
        world.deposit(door, 150_000_000)
    for action in history:
        happen(world, action)
        world.agrees()
    assert audit.prove().problems == []
