"""Every verb from every status: what DESIGN §3's table allows happens whole, everything else changes nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from ledger import posting
from ledger.models import Event
from payouts.webhooks import endpoints
from payouts.webhooks.models import Message
from payouts.withdrawals import advance, payload, steps
from payouts.withdrawals.models import Approval, Status, StepTaken, Withdrawal
from tests import make

FROZEN = {("credit_draw", "CREDIT_DRAW"), ("freeze", "FREEZE")}
SETTLED = {("outcome", "DEBIT"), ("fee", "FEE")}
REFUNDED = {("outcome", "REFUND"), ("credit_repay", "CREDIT_REPAY")}

# DESIGN §3 once more, written down apart from steps.py: verb → where it starts, where it ends, what the ledger gets.
# fmt: off
DESIGN: dict[str, tuple[set[str], str, set[tuple[str, str]]]] = {
    "create":           ({""},                                                           "PENDING",         FROZEN),
    "flag":             ({"PENDING"},                                                    "PENDING_REVIEW",  set()),
    # From LEVEL1_APPROVED too: that is how policy ends a withdrawal for which one level is enough.
    "auto_approve":     ({"PENDING", "LEVEL1_APPROVED"},                                 "APPROVED",        set()),
    "merchant_approve": ({"PENDING"},                                                    "APPROVED",        set()),
    "approve_l1":       ({"PENDING", "PENDING_REVIEW"},                                  "LEVEL1_APPROVED", set()),
    "approve_l2":       ({"LEVEL1_APPROVED"},                                            "APPROVED",        set()),
    "dispatch":         ({"APPROVED"},                                                   "PROCESSING",      set()),
    "complete":         ({"PROCESSING"},                                                 "COMPLETED",       SETTLED),
    "fail":             ({"PROCESSING"},                                                 "FAILED",          REFUNDED),
    "reject":           ({"PENDING", "PENDING_REVIEW", "LEVEL1_APPROVED"},               "REJECTED",        REFUNDED),
    "cancel":           ({"PENDING", "PENDING_REVIEW", "LEVEL1_APPROVED", "APPROVED"},   "CANCELLED",       REFUNDED),
}
ROADS: dict[str, tuple[str, ...]] = {
    "PENDING":         (),
    "PENDING_REVIEW":  ("flag",),
    "LEVEL1_APPROVED": ("approve_l1",),
    "APPROVED":        ("auto_approve",),
    "PROCESSING":      ("auto_approve", "dispatch"),
    "COMPLETED":       ("auto_approve", "dispatch", "complete"),
    "FAILED":          ("auto_approve", "dispatch", "fail"),
    "CANCELLED":       ("cancel",),
    "REJECTED":        ("reject",),
}
# fmt: on
CELLS = [(verb, status) for verb in DESIGN for status in ROADS]


def at(status: str) -> Withdrawal:
    """A withdrawal of 100 of which 40 are drawn credit, there by the table's own steps."""
    merchant = make.merchant(funds="60", credit="50")
    endpoints.register(merchant, api="merchant", url="https://hooks.example/in", events=[*steps.EVENTS], now=make.now())
    make.policy(merchant, Approval.NONE)
    made = make.withdrawal(merchant)
    for verb in ROADS[status]:
        take(made.id, verb)
    return made


def take(withdrawal_id: UUID, verb: str) -> Withdrawal:
    with transaction.atomic():
        withdrawal = advance.locked(withdrawal_id)
        withdrawal.txid = withdrawal.txid or "ab" * 32
        by = advance.By("tests", reason=f"why {verb}")
        return advance.take(withdrawal, verb, by, now=withdrawal.updated_at + timedelta(seconds=1))


def everything(withdrawal: Withdrawal) -> dict[str, Any]:
    """All that a step may touch."""
    return {
        "row": Withdrawal.objects.filter(id=withdrawal.id).values().get(),
        "steps": list(withdrawal.steps.values_list("id", flat=True)),
        "events": set(Event.objects.filter(book=withdrawal.merchant_id).values_list("id", flat=True)),
        "holds": make.holds(withdrawal.merchant),
        "told": Message.objects.filter(subject_id=withdrawal.id).count(),
    }


def test_the_table_is_the_designs() -> None:
    assert {verb: (set(map(str, step.source)) or {""}, step.target) for verb, step in steps.STEPS.items()} == {
        verb: (set(source), target) for verb, (source, target, _) in DESIGN.items()
    }
    assert set(ROADS) == set(map(str, Status))
    assert set(map(str, steps.FINAL)) == set(ROADS) - {status for source, _, _ in DESIGN.values() for status in source}


@pytest.mark.django_db
@pytest.mark.parametrize(("verb", "status"), CELLS)
def test_every_cell_does_all_of_it_or_nothing(verb: str, status: str) -> None:
    withdrawal = at(status)
    before = everything(withdrawal)
    source, target, posts = DESIGN[verb]
    assert steps.allowed(verb, status) == (status in source)

    if status not in source:
        with pytest.raises(steps.StepRefused) as refused:
            take(withdrawal.id, verb)
        assert (refused.value.verb, refused.value.status) == (verb, status)
        assert everything(withdrawal) == before
        return

    take(withdrawal.id, verb)

    after = everything(withdrawal)
    taken = StepTaken.objects.get(id=(set(after["steps"]) - set(before["steps"])).pop())
    assert after["row"]["status"] == target
    assert after["row"]["updated_at"] == taken.at > before["row"]["updated_at"]
    assert (taken.verb, taken.from_status, taken.to_status) == (verb, status, target)
    assert (taken.actor, taken.reason) == ("tests", f"why {verb}")
    assert bytes(taken.payload_hash) == payload.payload_hash(Withdrawal.objects.get(id=withdrawal.id))
    assert new_events(before, after) == {(posting.event_id(withdrawal.id, step), kind) for step, kind in posts}
    assert after["told"] - before["told"] == (steps.STEPS[verb].tells is not None)


def new_events(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[UUID, str]]:
    ids = after["events"] - before["events"]
    return set(Event.objects.filter(id__in=ids).values_list("id", "kind"))


@pytest.mark.django_db
def test_creating_is_a_step_like_the_others() -> None:
    merchant = make.merchant(funds="60", credit="50")
    before = set(Event.objects.filter(book=merchant.id).values_list("id", flat=True))
    made = make.withdrawal(merchant)

    assert made.status == "PENDING"
    (taken,) = made.steps.all()
    assert (taken.verb, taken.from_status, taken.to_status, taken.actor) == ("create", "", "PENDING", "tests")
    events = Event.objects.filter(book=merchant.id).exclude(id__in=before).values_list("id", "kind", "txn", "reference")
    txn = posting.event_id(made.id, "frozen")
    assert set(events) == {(posting.event_id(made.id, step), kind, txn, str(made.id)) for step, kind in FROZEN}


def test_a_step_outside_a_transaction_is_a_fault_of_the_caller(committed: object) -> None:
    made = make.withdrawal(make.merchant(funds="1000"))
    with pytest.raises(RuntimeError):
        advance.take(made, "flag", advance.By("tests"), now=make.now())
    assert Withdrawal.objects.get(id=made.id).status == "PENDING"


@pytest.mark.django_db
def test_a_policy_cannot_pass_what_two_people_must_approve() -> None:
    made = make.withdrawal(make.merchant(funds="1000"))
    with pytest.raises(IntegrityError, match="two_levels_before_money_moves"):
        take(made.id, "auto_approve")
    assert Withdrawal.objects.get(id=made.id).status == "PENDING"
