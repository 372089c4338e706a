"""Many at once against one limit, many who confirm one change: exactly those that fit, exactly one."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from ledger import audit
from payouts.withdrawals import amending, limits
from payouts.withdrawals.models import Approval, PolicyRule, Status, Withdrawal
from payouts.withdrawals.rule_models import Kind, LimitRule, RuleDecision, RuleProposal
from tests import make
from tests.payouts.crowd import at_once

pytestmark = pytest.mark.usefixtures("committed")


@pytest.mark.parametrize(("what", "passes"), [({"window_units": 10**9}, 10), ({"window_count": 7}, 7)])
def test_of_fifty_at_once_exactly_those_pass_that_fit(what: dict[str, Any], passes: int) -> None:
    merchant = make.merchant(funds="10000")
    make.ruled(LimitRule(merchant=merchant, asset="USDT", window_hours=24, **what))
    outcomes = at_once([lambda: make.withdrawal(merchant, "100")] * 50, refusals=(limits.WindowLimitExceeded,))
    assert outcomes == {"done": passes, "WindowLimitExceeded": 50 - passes}
    assert Withdrawal.objects.filter(status=Status.PENDING).count() == passes
    assert make.holds(merchant)["frozen"] == passes * make.usdt("100")
    assert audit.prove().problems == []


def _proposed(change: amending.Change) -> RuleProposal:
    someone = User.objects.create(username=f"first-{RuleProposal.objects.count()}", is_superuser=True)
    return amending.propose(change, by=someone, now=make.now())


def test_of_many_who_confirm_at_once_one_does() -> None:
    row = make.policy(make.merchant(), Approval.NONE)
    proposal = _proposed(amending.Change(Kind.POLICY, row.id, amending.values(row) | {"priority": 3}))
    rival = _proposed(amending.Change(Kind.POLICY, row.id, amending.values(row) | {"priority": 4}))
    people = [User.objects.create(username=f"second-{number}", is_superuser=True) for number in range(12)]

    def say(change: RuleProposal, by: User) -> object:
        return amending.enact(change, by=by, now=make.now())

    jobs = [lambda by=by, one=one: say(one, by) for by, one in zip(people, [proposal, rival] * 6, strict=True)]
    outcomes = at_once(jobs, refusals=(amending.DecidedAlready, amending.RowMoved))
    assert outcomes["done"] == 1
    won = RuleDecision.objects.get(proposal__in=(proposal, rival))
    assert PolicyRule.objects.get(id=row.id).priority == (3 if won.proposal_id == proposal.id else 4)
