"""Who may say yes, to what.

Invariant 5: maker, level 1 and level 2 are three people, by a database constraint; an approval binds its payload.
"""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.db import DatabaseError, IntegrityError, connection, transaction

from chain import addresses
from chain.models import IntentState
from payouts.merchants import otp
from payouts.merchants.models import Merchant
from payouts.withdrawals import advance, authority, decisions, payload, steps, withdrawals
from payouts.withdrawals.models import Approval, Status, StepTaken, Withdrawal
from tests import make
from tests.databases import Database


@pytest.fixture
def merchant(db: None) -> Merchant:
    make.lane()
    return make.merchant(funds="1000", credit="10")


@pytest.fixture
def opened(owner_inside: psycopg.Connection) -> Merchant:
    """The merchant, to somebody with the owner's role who has taken the lock off the withdrawals."""
    owner_inside.execute("ALTER TABLE payouts_withdrawal DISABLE TRIGGER withdrawal_kept")
    make.lane()
    return make.merchant(funds="1000", credit="10")


def both_levels(*, superuser: bool = False) -> make.Approver:
    made = make.approver(1)
    made.person.user_permissions.add(Permission.objects.get(codename="approve_level2"))
    User.objects.filter(pk=made.person.pk).update(is_superuser=superuser)
    return make.Approver(User.objects.get(pk=made.person.pk), made.totp_secret)


def superuser() -> make.Approver:
    return both_levels(superuser=True)


def state(withdrawal: Withdrawal) -> dict[str, Any]:
    row = Withdrawal.objects.filter(id=withdrawal.id).values().get()
    taken = list(StepTaken.objects.filter(withdrawal=withdrawal).values_list("verb", flat=True))
    return row | {"taken": taken, "holds": make.holds(withdrawal.merchant)}


def raw(statement: str, *parameters: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.mark.conformance("merchant S withdrawals are reviewed by people: a first approver, then a second")
def test_two_people_make_it_approved(merchant: Merchant) -> None:
    made, one, two = make.withdrawal(merchant), make.approver(1), make.approver(2)
    assert make.approve(made.id, level=1, by=one).status == Status.LEVEL1_APPROVED
    done = make.approve(made.id, level=2, by=two)
    assert (done.status, done.level1_by, done.level2_by) == (Status.APPROVED, one.person, two.person)
    people = {step.verb: step.person for step in done.steps.all()}
    assert people == {"create": None, "approve_l1": one.person, "approve_l2": two.person}


@pytest.mark.parametrize("who", [both_levels, superuser])
def test_one_person_cannot_give_both_levels(merchant: Merchant, who: Callable[[], make.Approver]) -> None:
    made, one = make.withdrawal(merchant), who()
    make.approve(made.id, level=1, by=one)
    before = state(made)
    with pytest.raises(advance.SameApprover):
        make.approve(made.id, level=2, by=one)
    assert state(made) == before


@pytest.mark.parametrize("who", [both_levels, superuser])
@pytest.mark.parametrize("level", [1, 2])
def test_the_maker_can_give_neither(merchant: Merchant, who: Callable[[], make.Approver], level: int) -> None:
    maker = who()
    made = make.withdrawal(merchant, maker=maker.person)
    if level == 2:
        make.approve(made.id, level=1, by=make.approver(1))
    before = state(made)
    with pytest.raises(advance.SameApprover):
        make.approve(made.id, level=level, by=maker)
    assert state(made) == before


def test_a_refusal_is_told_anew_each_time(merchant: Merchant) -> None:
    """A kept exception would keep, and pass to the next caller, the frames of everybody who met it."""
    made = make.withdrawal(merchant, maker=(maker := both_levels()).person)
    seen = []
    for _ in range(2):
        with pytest.raises(advance.SameApprover) as caught:
            make.approve(made.id, level=1, by=maker)
        seen.append(caught.value)
    assert seen[0] is not seen[1]


@pytest.mark.parametrize(
    "change",
    ["maker_id = %s, level1_by_id = %s", "maker_id = %s, level2_by_id = %s", "level1_by_id = %s, level2_by_id = %s"],
)
def test_the_database_refuses_one_person_twice_whoever_writes(opened: Merchant, change: str) -> None:
    made, person = make.withdrawal(opened), make.approver(1).person
    before = state(made)
    update = f"UPDATE payouts_withdrawal SET {change} WHERE id = %s"  # noqa: S608 - the test's own columns
    with pytest.raises(IntegrityError, match="four_eyes"):
        raw(update, person.pk, person.pk, made.id)
    assert state(made) == before


@pytest.mark.parametrize("level", [1, 2])
def test_a_level_is_a_right_of_its_own(merchant: Merchant, level: int) -> None:
    made = make.withdrawal(merchant)
    if level == 2:
        make.approve(made.id, level=1, by=make.approver(1))
    before = state(made)
    with pytest.raises(decisions.NotAnApprover):
        make.approve(made.id, level=level, by=make.approver(3 - level))
    assert state(made) == before


def test_somebody_who_left_approves_nothing(merchant: Merchant) -> None:
    made, gone = make.withdrawal(merchant), superuser()
    gone.person.is_active = False
    gone.person.save()
    with pytest.raises(decisions.NotAnApprover):
        make.approve(made.id, level=1, by=gone)
    with pytest.raises(decisions.NotAnApprover):
        make.reject(made.id, by=gone)


def test_a_rejection_of_the_second_level_needs_the_second_levels_right(merchant: Merchant) -> None:
    made = make.withdrawal(merchant)
    make.approve(made.id, level=1, by=make.approver(1))
    before = state(made)
    with pytest.raises(decisions.NotAnApprover):
        make.reject(made.id, by=make.approver(1))
    assert state(made) == before


def test_a_right_is_looked_at_again_under_the_lock(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first look and the lock somebody approves: the first level's right is not enough any more."""
    made, one, other = make.withdrawal(merchant), make.approver(1), make.approver(1)
    confirm = otp.confirm

    def overtaken(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(otp, "confirm", confirm)
        make.approve(made.id, level=1, by=other)
        confirm(*args, **kwargs)

    shown = decisions.show(made, "reject", person=one.person, now=make.now())
    monkeypatch.setattr(otp, "confirm", overtaken)
    with pytest.raises(decisions.NotAnApprover):
        decisions.reject(
            made.id, person=one.person, challenge_id=shown.id, code=one.code(), reason="no", now=make.now()
        )
    assert Withdrawal.objects.get(id=made.id).status == Status.LEVEL1_APPROVED


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_rejection_says_why(merchant: Merchant, reason: str) -> None:
    made = make.withdrawal(merchant)
    before = state(made)
    with pytest.raises(decisions.ReasonMissing):
        make.reject(made.id, by=make.approver(1), reason=reason)
    assert state(made) == before


def test_the_last_yes_needs_an_address_that_can_be_paid(db: None) -> None:
    merchant = make.merchant(funds="1000", mode=Merchant.Mode.TEST)
    lane = make.lane()
    for destination in (make.TRON_ADDRESS[:-1] + "x", lane.address):
        made = make.withdrawal(merchant, destination=destination)
        make.approve(made.id, level=1, by=make.approver(1))
        before = state(made)
        with pytest.raises(addresses.BadAddress):
            make.approve(made.id, level=2, by=make.approver(2))
        assert state(made) == before


CHANGED = {
    "asset": "asset = 'USDC'",
    "network": "network = 'ethereum'",
    "address": f"destination = '{make.EVM_ADDRESS}'",
    "amount": "amount_units = amount_units + 1, net_units = net_units + 1",
    "fee": "fee_units = fee_units - 1, net_units = net_units + 1",
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED.keys())
def test_what_changed_after_it_was_shown_is_not_approved(opened: Merchant, change: str) -> None:
    made, one = make.withdrawal(opened), make.approver(1)
    shown = decisions.show(made, "approve_l1", person=one.person, now=make.now())
    raw(f"UPDATE payouts_withdrawal SET {change} WHERE id = %s", made.id)  # noqa: S608 - the test's own columns
    before = state(made)
    with pytest.raises(otp.OtpRefused):
        decisions.approve(made.id, level=1, person=one.person, challenge_id=shown.id, code=one.code(), now=make.now())
    assert state(made) == before


def processing(of: Merchant) -> Withdrawal:
    return withdrawals.dispatch(make.approved(of).id, now=make.now())


def test_what_two_people_approved_is_authorised(merchant: Merchant) -> None:
    made = processing(merchant)
    assert authority.authorised(made.id) == withdrawals.payment(made)


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED.keys())
def test_what_changed_after_it_was_approved_is_not_authorised(opened: Merchant, change: str) -> None:
    made = processing(opened)
    raw(f"UPDATE payouts_withdrawal SET {change} WHERE id = %s", made.id)  # noqa: S608 - the test's own columns
    with pytest.raises(authority.NotAuthorised, match="another payload"):
        authority.authorised(made.id)


def test_only_what_is_being_processed_is_authorised(merchant: Merchant) -> None:
    made = make.approved(merchant)
    with pytest.raises(authority.NotAuthorised):
        authority.authorised(made.id)
    withdrawals.dispatch(made.id, now=make.now())
    withdrawals.settle(make.decided(made, IntentState.PAID), now=make.now())
    with pytest.raises(authority.NotAuthorised):
        authority.authorised(made.id)


@pytest.mark.parametrize("wanted", list(Approval))
def test_a_status_without_its_approvals_on_record_is_not_authorised(opened: Merchant, wanted: Approval) -> None:
    made = make.withdrawal(opened)
    people = [make.approver(1).person.pk, make.approver(2).person.pk]
    raw(
        "UPDATE payouts_withdrawal SET status = 'PROCESSING', approval = %s, level1_by_id = %s, level2_by_id = %s"
        " WHERE id = %s",
        wanted,
        *people,
        made.id,
    )
    with pytest.raises(authority.NotAuthorised, match="lacks"):
        authority.authorised(made.id)


def test_one_of_two_approvals_is_not_enough(merchant: Merchant) -> None:
    made = make.withdrawal(merchant)
    make.approve(made.id, level=1, by=make.approver(1))
    raw(
        "UPDATE payouts_withdrawal SET status = 'PROCESSING', level2_by_id = %s WHERE id = %s",
        make.approver(2).person.pk,
        made.id,
    )
    with pytest.raises(authority.NotAuthorised, match="lacks"):
        authority.authorised(made.id)


@pytest.mark.parametrize("who", ["the first approver", "the maker", "nobody"])
def test_history_that_names_one_person_twice_is_not_authorised(merchant: Merchant, who: str) -> None:
    """The signer's own look: it does not rely on the constraint of the withdrawal's row."""
    made = make.withdrawal(merchant, maker=make.approver(1).person)
    one = make.approver(1)
    make.approve(made.id, level=1, by=one)
    forged = {"the first approver": one.person.pk, "the maker": made.maker_id, "nobody": None}[who]
    StepTaken.objects.create(
        withdrawal=made,
        verb="approve_l2",
        to_status="APPROVED",
        actor="forger",
        person_id=forged,
        payload_hash=payload.payload_hash(made),
        at=make.now(),
    )
    raw(
        "UPDATE payouts_withdrawal SET status = 'PROCESSING', level2_by_id = %s WHERE id = %s",
        make.approver(2).person.pk,
        made.id,
    )
    with pytest.raises(authority.NotAuthorised, match="different people"):
        authority.authorised(made.id)


def test_one_level_and_policy_are_enough_where_one_level_is_asked_for(merchant: Merchant) -> None:
    make.policy(merchant, Approval.ONE_LEVEL)
    made = make.withdrawal(merchant)
    done = make.approve(made.id, level=1, by=make.approver(1))
    assert done.status == Status.APPROVED
    withdrawals.dispatch(made.id, now=make.now())
    assert authority.authorised(made.id).payout_id == made.id


@pytest.mark.parametrize("wanted", [Approval.NONE, Approval.MERCHANT])
def test_two_people_are_enough_for_what_nobody_asked_them(merchant: Merchant, wanted: Approval) -> None:
    """Approvers who are quicker than screening must not leave a payment behind that nobody can sign or cancel."""
    make.policy(merchant, wanted)
    made = make.withdrawal(merchant)
    make.approve(made.id, level=1, by=make.approver(1))
    make.approve(made.id, level=2, by=make.approver(2))
    withdrawals.dispatch(made.id, now=make.now())
    assert authority.authorised(made.id).payout_id == made.id


@pytest.mark.parametrize(
    "statement",
    ["UPDATE payouts_steptaken SET actor = 'me'", "DELETE FROM payouts_steptaken", "TRUNCATE payouts_steptaken"],
)
def test_history_is_never_rewritten(committed: Database, owner: psycopg.Connection, statement: str) -> None:
    """Not by the application's role, and not by the owner's without taking the lock off first."""
    made = make.withdrawal(make.merchant(funds="1000"))
    before = list(made.steps.values())
    with pytest.raises(DatabaseError):
        raw(statement)
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(statement)
    assert list(made.steps.values()) == before


def test_the_database_refuses_a_payment_that_lacks_a_level(merchant: Merchant) -> None:
    made = make.withdrawal(merchant)
    for status in ("APPROVED", "PROCESSING", "COMPLETED", "FAILED"):
        with pytest.raises(IntegrityError, match="two_levels_before_money_moves"):
            raw("UPDATE payouts_withdrawal SET status = %s, txid = 'x' WHERE id = %s", status, made.id)


def test_an_approver_of_the_queue_rejects_with_a_refund(merchant: Merchant) -> None:
    before = make.holds(merchant)
    made = withdrawals.screen(make.withdrawal(merchant).id, now=make.now())
    done = make.reject(made.id, by=make.approver(1), reason="  unknown to us ")
    assert (done.status, done.reason) == (Status.REJECTED, "unknown to us")
    assert make.holds(merchant) == before
    with pytest.raises(steps.StepRefused):
        make.reject(made.id, by=make.approver(1))
