"""What is read of withdrawals, and what webhooks are told. Invariant 6: everything is reached through its merchant."""

import json

import pytest

from chain.models import IntentState
from payouts.webhooks import endpoints
from payouts.webhooks.models import Message
from payouts.withdrawals import queries, rules, snapshots, withdrawals
from payouts.withdrawals.models import Approval, PolicyRule, Status, Withdrawal
from tests import make

pytestmark = pytest.mark.django_db


def test_a_merchant_sees_its_own_withdrawals_newest_first() -> None:
    mine, other = make.merchant(funds="1000"), make.merchant(funds="1000")
    made = [make.withdrawal(mine) for _ in range(3)]
    foreign = make.withdrawal(other)
    assert [row.id for row in queries.of(mine)] == [row.id for row in reversed(made)]
    assert not queries.of(mine).filter(id=foreign.id).exists()
    assert list(queries.of(mine, api="public")) == []
    assert queries.of(mine, api="merchant").count() == 3


def test_sweeps_are_given_the_oldest_of_one_status() -> None:
    merchant = make.merchant(funds="1000")
    made = [make.withdrawal(merchant) for _ in range(3)]
    withdrawals.screen(made[0].id, now=make.now())
    assert queries.ids_in(Status.PENDING, limit=1) == [made[1].id]
    assert queries.ids_in(Status.PENDING_REVIEW, limit=9) == [made[0].id]


def test_dispatch_is_given_one_networks_approved_withdrawals() -> None:
    merchant = make.merchant(funds="1000")
    on_tron, on_ethereum = (
        make.nodded(merchant, network=name, destination=address) for name, address in make.ADDRESSES.items()
    )
    make.withdrawal(merchant)
    assert list(queries.approved("tron", "USDT", now=make.now())) == [on_tron]
    assert list(queries.approved("ethereum", "USDT", now=make.now())) == [on_ethereum]
    assert list(queries.approved("tron", "USDC", now=make.now())) == []
    assert queries.approved_pairs(networks=["ethereum", "tron"]) == [("ethereum", "USDT"), ("tron", "USDT")]


def test_webhooks_are_told_what_was_true_at_that_step() -> None:
    make.lane()
    merchant = make.merchant(funds="1000")
    wanted = ["withdrawal.created", "withdrawal.completed"]
    endpoints.register(merchant, api="merchant", url="https://hooks.example/in", events=wanted, now=make.now())
    foreign = make.merchant()
    endpoints.register(foreign, api="merchant", url="https://hooks.example/of", events=wanted, now=make.now())
    made = withdrawals.dispatch(make.nodded(merchant).id, now=make.now())
    done = withdrawals.settle(make.decided(made, IntentState.PAID), now=make.now())

    told = list(Message.objects.order_by("id"))
    assert [message.event for message in told] == wanted
    assert [(message.data["status"], message.data["txid"]) for message in told] == [
        ("PENDING", None),
        ("COMPLETED", done.txid),
    ]
    assert told[1].data == json.loads(json.dumps(snapshots.of(Withdrawal.objects.get(id=done.id))))
    assert (told[1].data["amount_units"], told[1].data["fee_units"]) == ("100000000", "1000000")


@pytest.mark.parametrize(
    ("amount", "wanted"),
    [("99.999999", "NONE"), ("100", "ONE_LEVEL"), ("500", "ONE_LEVEL"), ("500.000001", "TWO_LEVELS")],
)
def test_the_first_policy_that_fits_decides_both_ends_included(amount: str, wanted: str) -> None:
    merchant = make.merchant(funds="1000")
    rows = [(1, Approval.ONE_LEVEL, "100", "500"), (2, Approval.NONE, "0", "500")]
    for priority, approval, lowest, highest in rows:
        make.policy(
            merchant,
            approval,
            priority=priority,
            asset="USDT",
            from_units=int(lowest) * 10**6,
            to_units=make.usdt(highest),
        )
    assert make.withdrawal(merchant, amount).approval == wanted
    assert make.withdrawal(make.merchant(funds="1000"), amount).approval == Approval.TWO_LEVELS


def test_without_any_policy_two_people_must_approve() -> None:
    for row in PolicyRule.objects.all():
        make.unruled(row)
    assert make.withdrawal(make.merchant(funds="1000")).approval == Approval.TWO_LEVELS


def test_screening_tells_a_known_address_from_a_new_one() -> None:
    make.lane()
    merchant = make.merchant(funds="1000")
    first = withdrawals.dispatch(make.nodded(merchant).id, now=make.now())
    assert rules.findings(first) == ["first withdrawal to this address"]
    withdrawals.settle(make.decided(first, IntentState.PAID), now=make.now())
    assert rules.findings(make.withdrawal(merchant)) == []
    assert rules.findings(make.withdrawal(make.merchant(funds="1000"))) == ["first withdrawal to this address"]
