"""No user's memorandum drifts from the merchant's money, whatever happens to their withdrawals in whatever order."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain.models import IntentState
from ledger import audit
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import users
from tests.api.users import Program

pytestmark = pytest.mark.django_db
CURRENCIES = {"USDT-TRC20": ("tron", 2_000_000), "USDT-ERC20": ("ethereum", 2_500_000)}
USERS = ("ann", "ben")
BACK, OPEN = {"failed", "rejected"}, {"pending", "processing"}
AMOUNTS = st.integers(0, 90_000_000)
NO_LIMIT = 10**9


@dataclass
class Known:
    """A user's withdrawal as the model knows it: what the user is owed less, what the merchant pays."""

    user: str
    network: str
    memo_units: int
    amount_units: int
    fee_units: int
    status: str


@dataclass
class World:
    """One merchant, its two users, and what should be there by the history alone."""

    program: Program
    deposited: dict[str, int] = field(default_factory=lambda: dict.fromkeys(USERS, 0))
    own_units: int = 0
    known: dict[str, Known] = field(default_factory=dict)
    settings: dict[str, Any] = field(
        default_factory=lambda: {"auto_withdraw": False, "max_auto_units": 0, "withdrawal_fee_payer": "user"}
    )

    def owed(self, user: str) -> tuple[int, int]:
        """What the user may take out, and what is on its way."""
        mine = [one for one in self.known.values() if one.user == user]
        gone = sum(one.memo_units for one in mine if one.status not in BACK)
        return self.deposited[user] - gone, sum(one.memo_units for one in mine if one.status in OPEN)

    def available_units(self) -> int:
        """What the merchant may spend."""
        gone = sum(one.amount_units for one in self.known.values() if one.status not in BACK)
        return sum(self.deposited.values()) + self.own_units - gone

    def deposit(self, user: str, amount_units: int) -> None:
        wallet = self.program.merchant.user_wallets.get(user_id=user)
        users.deposit(wallet, str(amount_units / 10**6))
        self.deposited[user] += amount_units

    def spend(self, amount_units: int) -> None:
        """The merchant pays something else by another API; what the users are owed may not be there any more."""
        amount_units = min(amount_units, self.available_units())
        if amount_units > 1_000_000:
            make.withdrawal(self.program.merchant, str(amount_units / 10**6))
            self.own_units -= amount_units

    def ask(self, door: str, user: str, currency: str, amount_units: int) -> None:
        network, fee_units = CURRENCIES[currency]
        on_top_units = fee_units if self.settings["withdrawal_fee_payer"] == "merchant" else 0
        pays_units = amount_units + on_top_units
        body = {"userId": user, "amount": amount_units / 10**6, "currencyType": currency}
        caller = users.colleague(self.program)  # a key of its own per call, which the limits do not stop
        answer = caller.post(door, body | {"walletAddress": make.ADDRESSES[network]})
        refusals = [
            (amount_units < 100_000, "Minimum withdrawal amount is greater than 0.1 USDT"),
            (pays_units <= fee_units, "Net amount after fee must be positive"),
            (amount_units > self.owed(user)[0], "Insufficient user wallet balance"),
            (pays_units > self.available_units(), "Insufficient merchant balance"),
        ]
        for refused, text in refusals:
            if refused:
                assert users.error(answer) == (400, text)
                return
        made = users.data(answer, status=201)
        is_auto = self.settings["auto_withdraw"] and amount_units <= self.settings["max_auto_units"]
        waits = door == users.REQUESTS and not is_auto
        assert made["status"] == ("pending" if waits else "processing")
        self.known[made["id"]] = Known(user, network, amount_units, pays_units, fee_units, made["status"])

    def go_on(self, id_: str, verb: str) -> None:
        known, row = self.known[id_], Withdrawal.objects.get(id=id_)
        caller = users.colleague(self.program)
        if verb in ("approve", "reject"):
            answer = caller.post(f"{users.REQUESTS}/{id_}/{verb}")
            if known.status == "pending":
                known.status = users.data(answer)["status"]
            else:
                assert users.error(answer)[0] == 400
        elif known.status == "processing":
            if row.status == "PENDING":
                withdrawals.screen(row.id, now=make.now())
            row.refresh_from_db()
            if row.status == "APPROVED":
                row = withdrawals.dispatch(row.id, now=make.now())
            withdrawals.settle(make.decided(row, IntentState(verb)), now=make.now())
            known.status = "completed" if verb == "PAID" else "failed"

    def agrees(self) -> None:
        merchant = self.program.merchant
        for user in USERS:
            assert users.owed(merchant, user) == self.owed(user)
        held = make.holds(merchant)
        owed_units = sum(sum(self.owed(user)) for user in USERS)
        open_rows = Withdrawal.objects.filter(merchant=merchant, user_wallet__isnull=True)
        own_frozen_units = sum(int(row.amount_units) for row in open_rows)
        frozen_units = sum(one.amount_units for one in self.known.values() if one.status in OPEN)
        assert held.get("available", 0) == self.available_units()
        assert held.get("frozen", 0) == frozen_units + own_frozen_units
        assert -held.get("memo_contra", 0) == owed_units == held.get("memo", 0) + held.get("memo_frozen", 0)
        assert held.get("fees", 0) == sum(one.fee_units for one in self.known.values() if one.status == "completed")


ACTIONS = st.tuples(
    st.sampled_from(["create"] * 3 + ["request"] * 3 + ["go on"] * 8 + ["deposit", "spend", "set", "rotate"]),
    AMOUNTS,
    st.integers(0, 11),
)


def happen(world: World, action: tuple[str, int, int]) -> None:
    name, amount_units, number = action
    user, currency = USERS[number % 2], [*CURRENCIES][number // 2 % 2]
    if name == "deposit" and amount_units:
        world.deposit(user, amount_units)
    elif name == "spend":
        world.spend(amount_units)
    elif name == "set":
        payer = ("user", "merchant")[number % 2]
        world.settings = {
            "auto_withdraw": number < 6,
            "max_auto_units": amount_units,
            "withdrawal_fee_payer": payer,
        }
        users.set_up(world.program.merchant, **world.settings)
    elif name == "rotate":
        users.data(users.colleague(world.program).post("/public/webhook/secret/rotate"))
    elif name in ("create", "request"):
        world.ask(users.CREATE_PATH if name == "create" else users.REQUESTS, user, currency, amount_units)
    elif name == "go on" and world.known:
        id_ = [*world.known][amount_units % len(world.known)]
        world.go_on(id_, ("approve", "PAID", "DEAD", "reject")[number % 4])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(ACTIONS, min_size=15, max_size=30))
def test_any_history_leaves_user_and_merchant_in_step(history: list[tuple[str, int, int]], settings: Any) -> None:
    settings.WITHDRAWAL_WAIT_S = 0
    for network in make.ADDRESSES:
        make.lane(network)
    world = World(users.program(funds="50", user_funds="0"), own_units=50_000_000)
    for user in USERS:
        users.wallet(world.program.merchant, user)
        world.deposit(user, 150_000_000)
    for action in history:
        happen(world, action)
        world.agrees()
    assert audit.prove().problems == []
