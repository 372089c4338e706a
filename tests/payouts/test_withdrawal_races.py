"""Many at once on one balance, one withdrawal, one key: the locks hold, and money adds up afterwards.

Invariant 2: no overdraft. Invariant 3: one payment. Invariant 4: one outcome.
"""

from collections.abc import Callable
from typing import Any

import pytest

from chain import transfers
from chain.models import Intent, IntentState
from ledger import audit
from ledger.posting import InsufficientFunds
from payouts import tasks
from payouts.merchants import otp
from payouts.withdrawals import advance, decisions, idempotency, steps, withdrawals
from payouts.withdrawals.models import Approval, IdempotencyKey, Status, StepTaken, Withdrawal
from tests import make
from tests.databases import Database
from tests.payouts.crowd import at_once

REFUSALS = (steps.StepRefused, otp.OtpRefused, transfers.NotToCollect)
OPEN = [Status.PENDING, Status.PENDING_REVIEW, Status.LEVEL1_APPROVED, Status.APPROVED, Status.PROCESSING]


@pytest.fixture(autouse=True)
def _ready(committed: Database) -> None:
    make.lane()


def open_units() -> int:
    return sum(int(row.amount_units) for row in Withdrawal.objects.filter(status__in=OPEN))


def test_fifty_creates_at_once_against_a_balance_for_twenty_make_twenty() -> None:
    merchant = make.merchant(funds="2050")

    outcomes = at_once([lambda: make.withdrawal(merchant, "100")] * 50, refusals=(InsufficientFunds,))

    assert outcomes == {"done": 20, "InsufficientFunds": 30}
    assert Withdrawal.objects.count() == StepTaken.objects.count() == 20
    assert make.holds(merchant) == {
        "available": make.usdt("50"),
        "frozen": make.usdt("2000"),
        "external/tron": -make.usdt("2050"),
    }
    assert audit.prove().problems == []


def test_creates_at_once_draw_each_unit_of_credit_once() -> None:
    merchant = make.merchant(funds="250", credit="230")

    outcomes = at_once([lambda: make.withdrawal(merchant, "100")] * 16, refusals=(InsufficientFunds,))

    assert outcomes == {"done": 4, "InsufficientFunds": 12}
    assert make.holds(merchant) == {
        "credit": -make.usdt("150"),
        "frozen": make.usdt("400"),
        "external/tron": -make.usdt("250"),
    }
    assert sum(int(row.credit_units) for row in Withdrawal.objects.all()) == make.usdt("150")


def decide(withdrawal: Withdrawal, verb: str, by: make.Approver) -> Callable[[], object]:
    """The person has seen the page and types a code of their own; what is left is the pressing of the button."""
    shown = decisions.show(withdrawal, verb, person=by.person, now=make.now())
    facts: dict[str, Any] = {"person": by.person, "challenge_id": shown.id, "code": by.code(), "now": make.now()}
    if verb == "reject":
        return lambda: decisions.reject(withdrawal.id, reason="no", **facts)
    return lambda: decisions.approve(withdrawal.id, level=int(verb[-1]), **facts)


def cancel(withdrawal: Withdrawal) -> Callable[[], object]:
    return lambda: withdrawals.cancel(withdrawal.id, by=advance.By("mk_test"), now=make.now())


def test_of_approvals_rejections_and_cancels_at_once_only_a_chain_of_steps_wins() -> None:
    merchant = make.merchant(funds="1000")
    made = make.withdrawal(merchant)
    jobs = [decide(made, "approve_l1", make.approver(1)) for _ in range(4)]
    jobs += [decide(made, "reject", make.approver(1)) for _ in range(4)]
    jobs += [cancel(made)] * 4

    outcomes = at_once(jobs, refusals=(*REFUSALS, decisions.NotAnApprover))

    taken = list(StepTaken.objects.filter(withdrawal=made).values_list("verb", flat=True))
    now = Withdrawal.objects.get(id=made.id)
    assert outcomes["done"] == len(taken) - 1
    assert taken.count("approve_l1") <= 1
    assert taken.count("reject") + taken.count("cancel") == 1  # somebody's no comes in the end, and it comes once
    assert now.status in (Status.REJECTED, Status.CANCELLED)
    assert make.holds(merchant) == {"available": make.usdt("1000"), "external/tron": -make.usdt("1000")}


def test_of_cancels_and_dispatches_at_once_exactly_one_wins() -> None:
    merchant = make.merchant(funds="1000")
    for _ in range(3):
        made = make.nodded(merchant)
        dispatch: Callable[[], object] = lambda one=made: withdrawals.dispatch(one.id, now=make.now())  # type: ignore[misc]  # noqa: E731 - bound to this round's row
        assert at_once([cancel(made), dispatch] * 4, refusals=REFUSALS) == {"done": 1, "StepRefused": 7}
        now = Withdrawal.objects.get(id=made.id)
        assert Intent.objects.filter(payout_id=made.id).count() == (now.status == Status.PROCESSING)
        assert now.status in (Status.PROCESSING, Status.CANCELLED)
    assert make.holds(merchant).get("frozen", 0) == open_units()
    assert audit.prove().problems == []


def test_a_verdict_taken_by_many_at_once_settles_once() -> None:
    merchant = make.merchant(funds="1000")
    for outcome in (IntentState.PAID, IntentState.DEAD):
        made = withdrawals.dispatch(make.nodded(merchant).id, now=make.now())
        verdict = make.decided(made, outcome)
        job: Callable[[], object] = lambda one=verdict: withdrawals.settle(one, now=make.now())  # type: ignore[misc]  # noqa: E731 - bound to this round's row
        assert at_once([job] * 8, refusals=REFUSALS) == {"done": 1, "StepRefused": 7}
    assert make.holds(merchant) == {
        "available": make.usdt("900"),
        "fees": make.usdt("1"),
        "external/tron": -make.usdt("901"),
    }
    assert audit.prove().problems == []


def test_screening_sweeps_at_once_look_at_each_withdrawal_once() -> None:
    merchant = make.merchant(funds="1000")
    for _ in range(5):
        make.withdrawal(merchant, "50")
    at_once([tasks.screen] * 4)
    assert (
        StepTaken.objects.filter(verb="flag").count() == Withdrawal.objects.filter(status="PENDING_REVIEW").count() == 5
    )


def test_two_different_people_at_once_still_give_one_second_approval() -> None:
    made = make.withdrawal(make.merchant(funds="1000"))
    make.approve(made.id, level=1, by=make.approver(1))
    jobs = [decide(made, "approve_l2", make.approver(2)) for _ in range(6)]
    assert at_once(jobs, refusals=REFUSALS) == {"done": 1, "StepRefused": 5}
    assert StepTaken.objects.filter(verb="approve_l2").count() == 1


def test_the_same_key_at_once_makes_one_withdrawal() -> None:
    merchant = make.merchant(funds="1000")
    make.policy(merchant, Approval.TWO_LEVELS)
    answers: list[idempotency.Answer] = []

    def create() -> None:
        scope = idempotency.Scope(merchant=merchant, endpoint="POST /x", key="k", request={"amount": "100"})
        answers.append(
            idempotency.once(scope, lambda: (201, {"id": str(make.withdrawal(merchant).id)}), now=make.now())
        )

    outcomes = at_once([create] * 16, refusals=(idempotency.StillInFlight,))

    assert Withdrawal.objects.count() == IdempotencyKey.objects.count() == 1
    assert answers == [(201, {"id": str(Withdrawal.objects.get().id)})] * outcomes["done"]
    assert outcomes["done"] >= 1
    create()
    assert answers[-1] == answers[0]
