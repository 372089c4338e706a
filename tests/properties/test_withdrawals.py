"""Any history of one merchant's withdrawals leaves the money where a model of DESIGN §2 and §3 says.

Invariant 1: replay is the balances, sums are zero. Invariant 2: floors. Invariant 4: one outcome per withdrawal.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain import units
from chain.models import IntentState
from ledger import audit, posting
from ledger.accounts import Purpose
from payouts.withdrawals import advance, decisions, steps, withdrawals
from payouts.withdrawals.models import Withdrawal
from tests import make

FEE_UNITS = make.usdt("1")
AMOUNTS = st.integers(1, 200).map(lambda coins: coins * FEE_UNITS) | st.integers(FEE_UNITS + 1, 3 * FEE_UNITS)
# fmt: off
TABLE = {  # DESIGN §3 in the model's own words: what is tried, where it starts, where it leads
    "screen":     ({"PENDING"},                                                  "PENDING_REVIEW"),
    "approve_l1": ({"PENDING", "PENDING_REVIEW"},                                "LEVEL1_APPROVED"),
    "approve_l2": ({"LEVEL1_APPROVED"},                                          "APPROVED"),
    "reject":     ({"PENDING", "PENDING_REVIEW", "LEVEL1_APPROVED"},             "REJECTED"),
    "cancel":     ({"PENDING", "PENDING_REVIEW", "LEVEL1_APPROVED", "APPROVED"}, "CANCELLED"),
    "dispatch":   ({"APPROVED"},                                                 "PROCESSING"),
    "PAID":       ({"PROCESSING"},                                               "COMPLETED"),
    "DEAD":       ({"PROCESSING"},                                               "FAILED"),
}
# fmt: on
BACK = {"REJECTED", "CANCELLED", "FAILED"}
OPEN = {"PENDING", "PENDING_REVIEW", "LEVEL1_APPROVED", "APPROVED", "PROCESSING"}


@pytest.fixture
def people(db: None, settings: Any) -> dict[int, make.Approver]:
    """An approver for each level; and a lane on each network."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for network in make.ADDRESSES:
        make.lane(network)
    return {level: make.approver(level) for level in (1, 2)}


@dataclass
class Known:
    """A withdrawal as the model knows it."""

    amount_units: int
    credit_units: int
    network: str
    status: str = "PENDING"


class Merchant:
    """One merchant and its model: what came in, what the line allows, and every withdrawal."""

    def __init__(self, people: dict[int, make.Approver]) -> None:
        self.merchant = make.merchant()
        self.people = people
        self.came_in_units, self.limit_units = 0, 0
        self.known: dict[UUID, Known] = {}

    def model(self) -> dict[str, int]:
        """What the book must hold, from the history alone."""
        drawn = sum(it.credit_units for it in self.known.values() if it.status not in BACK)
        frozen = sum(it.amount_units for it in self.known.values() if it.status in OPEN)
        paid = [it for it in self.known.values() if it.status == "COMPLETED"]
        spent = sum(it.amount_units for it in paid)
        sent = {name: sum(it.amount_units - FEE_UNITS for it in paid if it.network == name) for name in make.ADDRESSES}
        held = {
            "available": self.came_in_units + drawn - frozen - spent,
            "frozen": frozen,
            "credit": -drawn,
            "fees": FEE_UNITS * len(paid),
            "external/tron": sent["tron"] - self.came_in_units,
            "external/ethereum": sent["ethereum"],
        }
        return {name: amount_units for name, amount_units in held.items() if amount_units}

    def deposit(self, amount_units: int) -> None:
        make.deposit(self.merchant, str(units.to_decimal("USDT", amount_units)))
        self.came_in_units += amount_units

    def set_limit(self, limit_units: int) -> None:
        ref = make.account(self.merchant, Purpose.CREDIT)
        set_limit: dict[str, Any] = {"limit_units": limit_units, "by": "tests", "at": make.now()}
        if limit_units < -self.model().get("credit", 0):
            with pytest.raises(posting.LimitBelowDrawn):
                posting.set_credit_limit(ref, **set_limit)
        else:
            posting.set_credit_limit(ref, **set_limit)
            self.limit_units = limit_units

    def create(self, amount_units: int, network: str) -> None:
        model = self.model()
        short_units = max(0, amount_units - model.get("available", 0))
        wanted: dict[str, Any] = {
            "amount_units": amount_units,
            "network": network,
            "destination": make.ADDRESSES[network],
        }
        if amount_units <= FEE_UNITS:
            with pytest.raises(withdrawals.AmountTooSmall):
                make.withdrawal(self.merchant, **wanted)
            return
        if short_units > self.limit_units + model.get("credit", 0):
            with pytest.raises(posting.InsufficientFunds):
                make.withdrawal(self.merchant, **wanted)
            return
        made = make.withdrawal(self.merchant, **wanted)
        self.known[made.id] = Known(amount_units, short_units, network)

    def go_on(self, row: UUID, number: int) -> None:
        """One of the steps that the table allows there, mostly one that leads on."""
        status = self.known[row].status
        allowed = [verb for verb, (source, _) in TABLE.items() if status in source]
        leads_on = [verb for verb in allowed if verb not in ("reject", "cancel")]
        if allowed:
            here = leads_on if number < 7 else allowed
            self.take(row, here[number % len(here)])

    def take(self, row: UUID, verb: str) -> None:
        known, (source, target) = self.known[row], TABLE[verb]
        if known.status in source:
            self.do(row, verb)
            known.status = target
        else:
            with pytest.raises((steps.StepRefused, decisions.NotAnApprover)):
                self.do(row, verb)

    def do(self, row: UUID, verb: str) -> None:
        withdrawal = Withdrawal.objects.get(id=row)
        if verb.startswith("approve"):
            level = int(verb[-1])
            make.approve(row, level=level, by=self.people[level])
        elif verb == "reject":
            make.reject(row, by=self.people[2 if withdrawal.status == "LEVEL1_APPROVED" else 1])
        elif verb == "cancel":
            withdrawals.cancel(row, by=advance.By("tests"), now=make.now())
        elif verb in IntentState:
            self.settle(withdrawal, IntentState(verb))
        else:
            {"screen": withdrawals.screen, "dispatch": withdrawals.dispatch}[verb](row, now=make.now())

    def settle(self, withdrawal: Withdrawal, outcome: IntentState) -> None:
        if withdrawal.status == "PROCESSING":
            verdict = make.decided(withdrawal, outcome)
        else:
            verdict = make.verdict(withdrawal, outcome, intent_id=uuid4())
        withdrawals.settle(verdict, now=make.now())

    def agrees(self) -> None:
        held = make.holds(self.merchant)
        assert held == self.model()
        assert sum(held.values()) == 0
        rows = Withdrawal.objects.filter(merchant=self.merchant)
        assert {row.id: row.status for row in rows} == {id_: it.status for id_, it in self.known.items()}
        assert sum(int(row.amount_units) for row in rows if row.status in OPEN) == held.get("frozen", 0)


@dataclass(frozen=True)
class Action:
    """Something that happens; the numbers choose a row, a verb or a network among those that are there."""

    name: str
    amount_units: int
    row: int
    number: int

    def happen(self, here: Merchant) -> None:
        rows = list(here.known)
        if self.name == "deposit":
            here.deposit(self.amount_units)
        elif self.name == "limit":
            here.set_limit(self.amount_units)
        elif self.name == "create" or not rows:
            here.create(self.amount_units, [*make.ADDRESSES][self.number % 2])
        elif self.name == "go on":
            here.go_on(rows[self.row % len(rows)], self.number)
        else:
            here.take(rows[self.row % len(rows)], [*TABLE][self.number % len(TABLE)])


ACTIONS = st.builds(
    Action,
    st.sampled_from(["create"] * 3 + ["go on"] * 6 + ["anything"] * 2 + ["deposit", "limit"]),
    AMOUNTS,
    st.integers(0, 5),
    st.integers(0, 9),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(ACTIONS, min_size=20, max_size=50))
def test_any_history_leaves_what_the_model_says(people: dict[int, make.Approver], history: list[Action]) -> None:
    here = Merchant(people)
    here.deposit(300 * FEE_UNITS)
    here.set_limit(50 * FEE_UNITS)
    for action in history:
        action.happen(here)
        here.agrees()
    for row, known in here.known.items():
        for verb in ("cancel", "dispatch", "PAID", "DEAD"):
            if known.status not in TABLE[verb][0]:
                here.take(row, verb)
    here.agrees()
    assert audit.prove().problems == []
