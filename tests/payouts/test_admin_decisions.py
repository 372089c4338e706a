"""The two approval buttons: who may, with what code, for what was shown; through the admin's real forms."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from ledger import balances
from ledger.accounts import Purpose
from ledger.models import Event
from payouts.merchants.models import Merchant
from payouts.withdrawals import decisions, withdrawals
from payouts.withdrawals.models import Approval, Status, Withdrawal
from tests import make
from tests.payouts.desk import QUEUE, Desk, challenges, code, in_review, log_in, refusal, soup, state, superuser, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def status(withdrawal: Withdrawal) -> str:
    return Withdrawal.objects.get(id=withdrawal.id).status


def both_levels() -> make.Approver:
    approver = make.approver(1)
    approver.person.user_permissions.add(Permission.objects.get(codename="approve_level2"))
    return approver


def test_two_people_approve_through_the_real_forms() -> None:
    withdrawal = in_review()
    first = Desk(make.approver(1)).decide(withdrawal)
    assert (first.status_code, first.url) == (302, QUEUE)
    assert status(withdrawal) == Status.LEVEL1_APPROVED
    assert Desk(make.approver(2)).decide(withdrawal).status_code == 302
    assert status(withdrawal) == Status.APPROVED


def test_success_says_what_was_approved_and_where_it_is_now() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    desk.decide(withdrawal)
    assert f"Approved: 99.00 USDT to {withdrawal.destination} on TRON (TRC20)." in text(desk.get(QUEUE))


def test_one_level_is_enough_where_policy_asks_for_one() -> None:
    merchant = make.merchant(funds="1000")
    make.policy(merchant, Approval.ONE_LEVEL)
    withdrawal = make.withdrawal(merchant)
    Desk(make.approver(1)).decide(withdrawal)
    assert status(withdrawal) == Status.APPROVED


def test_the_same_person_cannot_give_both_levels() -> None:
    desk, withdrawal = Desk(both_levels()), in_review()
    desk.decide(withdrawal)
    before = state(withdrawal)
    asked = desk.page(withdrawal)
    assert asked.status_code == 409
    assert soup(asked).find("input", {"name": "otp"}) is None
    answer = desk.post(
        withdrawal,
        challenge=desk.shown(Withdrawal.objects.get(id=withdrawal.id), "approve_l2"),
        otp=code(desk.approver),
    )
    assert answer.status_code == 409
    assert "three different people" in refusal(answer)
    assert state(withdrawal) == before


@pytest.mark.parametrize("who", [lambda: make.approver(1), superuser], ids=["an approver", "a superuser"])
def test_the_maker_cannot_approve(who: Callable[[], make.Approver]) -> None:
    desk = Desk(who())
    withdrawal = in_review(maker=desk.approver.person)
    before = state(withdrawal)
    asked = desk.page(withdrawal)
    assert asked.status_code == 409
    assert soup(asked).find("input", {"name": "otp"}) is None
    answer = desk.post(withdrawal, challenge=desk.shown(withdrawal, "approve_l1"), otp=code(desk.approver))
    assert (answer.status_code, state(withdrawal)) == (409, before)
    assert "three different people" in refusal(answer)


def test_a_superuser_cannot_give_both_levels() -> None:
    desk, withdrawal = Desk(superuser()), in_review()
    desk.decide(withdrawal)
    before = state(withdrawal)
    shown = desk.shown(Withdrawal.objects.get(id=withdrawal.id), "approve_l2")
    answer = desk.post(withdrawal, challenge=shown, otp=code(desk.approver))
    assert (answer.status_code, state(withdrawal)) == (409, before)


@pytest.mark.parametrize("typed", ["", "000000", "12345", "1234567", "abcdef", " 12345", "123 456"])
def test_a_code_that_is_none_changes_nothing(typed: str) -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    answer = desk.decide(withdrawal, otp=typed)
    assert (answer.status_code, state(withdrawal)) == (400, before)
    assert refusal(answer)


def test_a_missing_code_changes_nothing() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    answer = desk.post(withdrawal, challenge=desk.challenge(withdrawal))
    assert (answer.status_code, state(withdrawal)) == (400, before)


def test_full_width_digits_are_no_code() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    full_width = code(desk.approver).translate({ord(digit): 0xFF10 + int(digit) for digit in "0123456789"})
    answer = desk.decide(withdrawal, otp=full_width)
    assert (answer.status_code, state(withdrawal)) == (400, before)
    assert "six digits" in refusal(answer)


def test_somebody_elses_code_is_refused() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    answer = desk.decide(withdrawal, otp=code(make.approver(1)))
    assert (answer.status_code, state(withdrawal)) == (400, before)


def test_a_code_works_once() -> None:
    desk, first, second = Desk(make.approver(1)), in_review(), in_review()
    used = code(desk.approver)
    assert desk.decide(first, otp=used).status_code == 302
    before = state(second)
    answer = desk.decide(second, otp=used)
    assert (answer.status_code, state(second)) == (400, before)
    assert "already used" in refusal(answer)


def test_the_code_of_the_login_does_not_approve() -> None:
    approver, withdrawal = make.approver(1), in_review()
    used, desk = code(approver), Desk(approver)
    answer = desk.decide(withdrawal, otp=used)
    assert (answer.status_code, status(withdrawal)) == (400, Status.PENDING_REVIEW)


def test_a_challenge_confirms_only_its_own_withdrawal() -> None:
    desk, shown, other = Desk(make.approver(1)), in_review(), in_review()
    before = state(other)
    answer = desk.decide(other, challenge=desk.challenge(shown))
    assert (answer.status_code, state(other)) == (400, before)
    assert "something else" in refusal(answer)


def test_a_challenge_to_reject_does_not_approve() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    answer = desk.decide(withdrawal, challenge=desk.challenge(withdrawal, "reject"))
    assert (answer.status_code, state(withdrawal)) == (400, before)


def test_a_challenge_is_good_for_ten_minutes() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    earlier = make.now() - timedelta(minutes=11)
    old = decisions.show(withdrawal, "approve_l1", person=desk.approver.person, now=earlier)
    answer = desk.decide(withdrawal, challenge=str(old.id))
    assert (answer.status_code, state(withdrawal)) == (400, before)
    assert "expired" in refusal(answer)


@pytest.mark.parametrize("challenge", ["", "nonsense", "a4cf34e8-6a0f-4fd7-83a4-89cd86ce64c9"])
def test_a_challenge_that_is_none_is_refused(challenge: str) -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    answer = desk.decide(withdrawal, challenge=challenge)
    assert (answer.status_code, state(withdrawal)) == (400, before)


def test_somebody_elses_challenge_is_refused() -> None:
    desk, colleague, withdrawal = Desk(make.approver(1)), Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    answer = desk.decide(withdrawal, challenge=colleague.challenge(withdrawal))
    assert (answer.status_code, state(withdrawal)) == (400, before)


def test_a_refusal_asks_again_with_a_fresh_challenge() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    first = desk.challenge(withdrawal)
    answer = desk.post(withdrawal, challenge=first, otp="")
    field = soup(answer).find("input", {"name": "challenge"})
    assert field is not None
    assert field["value"] != first
    again = desk.post(withdrawal, challenge=str(field["value"]), otp=code(desk.approver))
    assert again.status_code == 302


def test_an_approver_of_the_other_level_is_sent_away() -> None:
    desk, withdrawal = Desk(make.approver(2)), in_review()
    before = state(withdrawal)
    assert desk.page(withdrawal).status_code == 403
    answer = desk.post(withdrawal, challenge=desk.shown(withdrawal, "approve_l1"), otp=code(desk.approver))
    assert (answer.status_code, state(withdrawal)) == (403, before)


def test_a_person_without_any_right_sees_no_withdrawal() -> None:
    approver, withdrawal = make.approver(1), in_review()
    approver.person.user_permissions.clear()
    desk = Desk(approver)
    assert [desk.page(withdrawal).status_code, desk.get(QUEUE).status_code] == [403, 403]
    assert desk.post(withdrawal, challenge=str(uuid4()), otp=code(approver)).status_code == 403


def test_whoever_may_not_see_withdrawals_decides_none() -> None:
    approver, withdrawal = make.approver(1), in_review()
    approver.person.user_permissions.remove(Permission.objects.get(codename="view_withdrawal"))
    desk = Desk(approver)
    before = state(withdrawal)
    assert desk.page(withdrawal).status_code == 403
    answer = desk.post(withdrawal, challenge=desk.shown(withdrawal, "approve_l1"), otp=code(approver))
    assert (answer.status_code, state(withdrawal)) == (403, before)


def test_a_right_taken_away_counts_at_once() -> None:
    approver, withdrawal = make.approver(1), in_review()
    desk = Desk(approver)
    challenge = desk.challenge(withdrawal)
    approver.person.user_permissions.remove(Permission.objects.get(codename="approve_level1"))
    answer = desk.post(withdrawal, challenge=challenge, otp=code(approver))
    assert (answer.status_code, status(withdrawal)) == (403, Status.PENDING_REVIEW)


def test_nobody_decides_without_logging_in() -> None:
    withdrawal = in_review()
    for answer in (Client().get(f"{QUEUE}{withdrawal.id}/approve/"), Client().post(f"{QUEUE}{withdrawal.id}/approve/")):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


def test_a_password_without_a_code_is_no_login() -> None:
    approver, withdrawal, client = make.approver(1), in_review(), Client()
    client.force_login(approver.person, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"{QUEUE}{withdrawal.id}/approve/")
    assert (answer.status_code, challenges()) == (302, 0)


def test_the_form_is_protected_against_forgery() -> None:
    approver, withdrawal = make.approver(1), in_review()
    desk = Desk(approver)
    desk.client.handler.enforce_csrf_checks = True
    shown = desk.challenge(withdrawal)
    answer = desk.post(withdrawal, challenge=shown, otp=code(approver))
    assert (answer.status_code, status(withdrawal)) == (403, Status.PENDING_REVIEW)


def test_a_decided_withdrawal_asks_for_no_code() -> None:
    desk, withdrawal = Desk(both_levels()), in_review()
    make.reject(withdrawal.id, by=make.approver(1))
    answer = desk.page(withdrawal)
    assert answer.status_code == 409
    assert "REJECTED" in refusal(answer)
    assert soup(answer).find("input", {"name": "otp"}) is None


def test_the_page_that_was_overtaken_does_not_approve() -> None:
    desk, withdrawal = Desk(both_levels()), in_review()
    challenge = desk.challenge(withdrawal)
    make.approve(withdrawal.id, level=1, by=make.approver(1))
    answer = desk.post(withdrawal, challenge=challenge, otp=code(desk.approver))
    assert (answer.status_code, status(withdrawal)) == (400, Status.LEVEL1_APPROVED)


def test_an_address_that_cannot_be_paid_gets_no_last_approval() -> None:
    merchant = make.merchant(funds="1000", mode=Merchant.Mode.TEST)
    bad = make.TRON_ADDRESS[:-1] + ("x" if make.TRON_ADDRESS[-1] != "x" else "y")
    withdrawal = withdrawals.screen(make.withdrawal(merchant, destination=bad).id, now=make.now())
    Desk(make.approver(1)).decide(withdrawal)
    answer = Desk(make.approver(2)).decide(withdrawal)
    assert (answer.status_code, status(withdrawal)) == (422, Status.LEVEL1_APPROVED)
    assert refusal(answer)


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_rejection_needs_a_reason(reason: str) -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before = state(withdrawal)
    answer = desk.decide(withdrawal, "reject", reason=reason)
    assert (answer.status_code, state(withdrawal)) == (400, before)
    assert "say why" in refusal(answer)


def test_a_rejection_refunds_and_tells_why() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    answer = desk.decide(withdrawal, "reject", reason="unknown recipient")
    assert answer.status_code == 302
    row = Withdrawal.objects.get(id=withdrawal.id)
    assert (row.status, row.reason) == (Status.REJECTED, "unknown recipient")
    assert balances.balance(make.account(row.merchant, Purpose.AVAILABLE)).balance_units == make.usdt("1000")
    assert balances.balance(make.account(row.merchant, Purpose.FROZEN)).balance_units == 0


def test_a_refused_rejection_keeps_its_reason_in_the_form() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    answer = desk.decide(withdrawal, "reject", reason="<b>why</b>", otp="000000")
    assert "&lt;b&gt;why&lt;/b&gt;" in answer.content.decode()


def test_the_second_level_rejects_what_the_first_approved() -> None:
    withdrawal = in_review()
    Desk(make.approver(1)).decide(withdrawal)
    Desk(make.approver(2)).decide(withdrawal, "reject", reason="not this one")
    assert status(withdrawal) == Status.REJECTED


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_looking_changes_nothing_but_makes_a_challenge(action: str) -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    before, events = state(withdrawal), Event.objects.count()
    assert desk.page(withdrawal, action).status_code == 200
    assert (state(withdrawal), Event.objects.count(), challenges()) == (before, events, 1)


def test_the_whole_payload_stands_before_the_button() -> None:
    withdrawal = in_review(network="ethereum", destination=make.EVM_ADDRESS)
    page = Desk(make.approver(1)).page(withdrawal).content.decode()
    form = page.index('id="decision-form"')
    for fact in (
        make.EVM_ADDRESS,
        "100.00 USDT",
        "1.00 USDT",
        "99.00 USDT",
        "Ethereum (ERC20)",
        withdrawal.merchant.name,
    ):
        assert page.index(fact) < form
    assert page.index("first withdrawal to this address") < form
    assert page.index("900.00 USDT") < form  # what the merchant has left


def test_an_absent_withdrawal_is_not_found() -> None:
    assert Desk(make.approver(1)).get(f"{QUEUE}{uuid4()}/approve/").status_code == 404


def test_other_methods_are_refused() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    assert desk.client.put(f"{QUEUE}{withdrawal.id}/approve/").status_code == 405


def test_a_login_of_one_person_does_not_lend_its_device_to_another() -> None:
    mine, theirs, client = make.approver(1), make.approver(1), Client()
    device = TOTPDevice.objects.get(user=theirs.person).persistent_id
    answer = log_in(client, mine, otp_token=code(theirs), otp_device=device)
    assert (answer.status_code, "_auth_user_id" in client.session) == (200, False)


def test_the_page_opens_at_the_payload_and_returns_to_the_code_after_a_refusal() -> None:
    desk, withdrawal = Desk(make.approver(1)), in_review()
    pages = (desk.page(withdrawal), desk.decide(withdrawal, otp=""))
    fields = [soup(page).find("input", {"name": "otp"}) for page in pages]
    assert [field is not None and field.has_attr("autofocus") for field in fields] == [False, True]
