"""A rule is changed by two people or not at all: nobody alone, no second time, not by the application's own role."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import DatabaseError, connection, transaction

from payouts.merchants import otp
from payouts.merchants.book import BookedAddress
from payouts.merchants.models import Challenge
from payouts.withdrawals import amending
from payouts.withdrawals.models import Approval, PolicyRule
from payouts.withdrawals.rule_models import Kind, LimitRule, RuleDecision, RuleProposal, Verdict
from tests import make

pytestmark = pytest.mark.django_db


def person(*rights: str) -> make.Approver:
    made = make.approver(1)
    made.person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return make.Approver(User.objects.get(pk=made.person.pk), made.totp_secret)


def both() -> make.Approver:
    return person("propose_rules", "confirm_rules")


def new_rule(**changes: Any) -> amending.Change:
    row = PolicyRule(**({"priority": 7, "approval": Approval.NONE} | changes))
    return amending.Change(Kind.POLICY, None, amending.values(row), "because")


def proposed(change: amending.Change, by: make.Approver | None = None) -> RuleProposal:
    return amending.propose(change, by=(by or both()).person, now=make.now())


def confirm(proposal: RuleProposal, by: make.Approver, **changes: Any) -> RuleDecision:
    now = make.now()
    shown = amending.show(proposal, person=by.person, now=now)
    facts: dict[str, Any] = {"person": by.person, "challenge_id": shown.id, "code": by.code(), "now": now}
    return amending.confirm(proposal.id, **(facts | changes))


def rules() -> list[dict[str, Any]]:
    return [dict(row) for row in PolicyRule.objects.order_by("id").values()]


def test_a_proposal_changes_nothing_and_a_second_persons_code_does() -> None:
    before = rules()
    proposal = proposed(new_rule())
    assert rules() == before
    decision = confirm(proposal, both())
    row = PolicyRule.objects.get(priority=7)
    assert row.id == decision.row
    assert (row.approval, row.merchant) == (Approval.NONE, None)
    assert (decision.verdict, decision.proposed_by_id) == (Verdict.CONFIRMED, proposal.by_id)
    assert list(amending.undecided()) == []


def test_a_row_is_changed_and_removed_the_same_way_and_all_of_it_stays_written_down() -> None:
    row = make.policy(make.merchant(), Approval.NONE, asset="USDT", to_units=make.usdt("5"))
    row.approval, row.to_units = Approval.ONE_LEVEL, None
    make.ruled(row)
    make.unruled(row)
    assert not PolicyRule.objects.filter(id=row.id).exists()
    history = RuleProposal.objects.filter(decision__row=row.id).order_by("id")
    assert [(one.before or {}).get("to_units") for one in history] == [None, "5000000", None]
    assert [one.after and one.after["approval"] for one in history] == ["NONE", "ONE_LEVEL", None]


def test_nobody_confirms_what_he_proposed_superusers_neither() -> None:
    someone = both()
    User.objects.filter(pk=someone.person.pk).update(is_superuser=True)
    proposal = proposed(new_rule(), someone)
    with pytest.raises(amending.SamePerson):
        confirm(proposal, someone)
    with pytest.raises(DatabaseError, match="rule_takes_two_people"), transaction.atomic():
        decide_raw(proposal, someone.person)
    assert not RuleDecision.objects.exists()


def decide_raw(proposal: RuleProposal, by: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payouts_decide_rule(%s, 'CONFIRMED', %s, now())", [proposal.id, by.pk])


def test_each_part_takes_its_right() -> None:
    with pytest.raises(amending.NotAllowed):
        proposed(new_rule(), person("confirm_rules", "approve_level1"))
    proposal = proposed(new_rule(), person("propose_rules"))
    for other in (person("propose_rules"), person("approve_level1", "approve_level2")):
        with pytest.raises(amending.NotAllowed):
            confirm(proposal, other)
        with pytest.raises(amending.NotAllowed):
            amending.decline(proposal.id, person=other.person, now=make.now())
    assert confirm(proposal, person("confirm_rules"))


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "000000"])
def test_without_a_good_code_nothing_is_confirmed(code: str) -> None:
    before, proposal, other = rules(), proposed(new_rule()), both()
    if other.code() == code:
        return
    with pytest.raises(otp.OtpRefused):
        confirm(proposal, other, code=code)
    assert rules() == before


def test_a_code_confirms_what_was_shown_and_nothing_else() -> None:
    other, harmless, harmful = both(), proposed(new_rule(approval=Approval.TWO_LEVELS)), proposed(new_rule())
    shown = amending.show(harmless, person=other.person, now=make.now())
    with pytest.raises(otp.OtpRefused):
        confirm(harmful, other, challenge_id=shown.id)
    assert not RuleDecision.objects.exists()
    assert Challenge.objects.get(id=shown.id).spent_at is None


def test_what_was_declined_or_confirmed_stays_so() -> None:
    proposal = proposed(new_rule())
    amending.decline(proposal.id, person=both().person, now=make.now())
    with pytest.raises(amending.DecidedAlready):
        confirm(proposal, both())
    confirmed = proposed(new_rule())
    confirm(confirmed, both())
    with pytest.raises(amending.DecidedAlready):
        amending.decline(confirmed.id, person=both().person, now=make.now())
    assert PolicyRule.objects.filter(priority=7).count() == 1


def test_who_proposed_it_may_take_it_back() -> None:
    someone = person("propose_rules")
    proposal = proposed(new_rule(), someone)
    assert amending.decline(proposal.id, person=someone.person, now=make.now()).verdict == Verdict.DECLINED


def test_a_row_that_has_moved_on_is_not_overwritten() -> None:
    row = make.policy(make.merchant(), Approval.NONE)
    older = proposed(amending.Change(Kind.POLICY, row.id, amending.values(row) | {"priority": 3}))
    removal = proposed(amending.Change(Kind.POLICY, row.id, None))
    row.approval = Approval.TWO_LEVELS
    make.ruled(row)
    for stale in (older, removal):
        with pytest.raises(amending.RowMoved):
            confirm(stale, both())
    assert PolicyRule.objects.get(id=row.id).approval == Approval.TWO_LEVELS


def test_nothing_is_not_a_change() -> None:
    row = make.policy(make.merchant(), Approval.NONE)
    with pytest.raises(amending.NothingChanges):
        proposed(amending.Change(Kind.POLICY, row.id, amending.values(row)))


def test_what_the_database_refuses_is_a_refusal_and_leaves_the_proposal_open() -> None:
    proposal = proposed(new_rule(approval="NOBODY"))
    with pytest.raises(amending.CannotBe, match="policy_approval_known"):
        confirm(proposal, both())
    assert list(amending.undecided()) == [proposal]


def test_the_cool_down_of_an_address_begins_with_the_second_yes() -> None:
    merchant, earlier = make.merchant(), make.now() - timedelta(days=9)
    row = BookedAddress(merchant=merchant, network="tron", address=make.TRON_ADDRESS, label="treasury")
    change = amending.Change(Kind.ADDRESS, None, amending.values(row) | {"added_at": "2001-01-01T00:00:00Z"})
    proposal = amending.propose(change, by=both().person, now=earlier)
    decision = confirm(proposal, both())
    booked = BookedAddress.objects.get(merchant=merchant)
    assert (booked.added_at, booked.added_by_id) == (decision.at, proposal.by_id)
    with pytest.raises(amending.CannotBe):
        confirm(proposed(amending.Change(Kind.ADDRESS, None, amending.values(booked))), both())


# What somebody can try who has the application's database role and no second person.
STATEMENTS = [
    "UPDATE payouts_policyrule SET approval = 'NONE'",
    "DELETE FROM payouts_policyrule",
    "INSERT INTO payouts_policyrule DEFAULT VALUES",
    "UPDATE payouts_limitrule SET payment_units = NULL, cool_down_hours = 1",
    "DELETE FROM payouts_limitrule",
    "DELETE FROM payouts_bookedaddress",
    "UPDATE payouts_bookedaddress SET added_at = '2001-01-01'",
    "UPDATE payouts_ruleproposal SET after = before",
    "DELETE FROM payouts_ruleproposal",
    "UPDATE payouts_ruledecision SET verdict = 'CONFIRMED'",
    "DELETE FROM payouts_ruledecision",
    "INSERT INTO payouts_ruledecision DEFAULT VALUES",
    "TRUNCATE payouts_policyrule",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_applications_role_writes_no_rule_and_no_history_by_itself(statement: str) -> None:
    proposed(new_rule())
    make.ruled(LimitRule(asset="USDT", payment_units=1))
    make.ruled(BookedAddress(merchant=make.merchant(), network="tron", address=make.TRON_ADDRESS, label="x"))
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
