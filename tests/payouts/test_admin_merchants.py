"""What the platform's people set in the admin: credit lines, keys, fees, policy, people; and who may."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import DatabaseError, transaction

from ledger import balances, posting
from ledger.accounts import Purpose
from ledger.models import CreditLimitChange
from payouts.merchants import keys
from payouts.merchants.models import ApiKey, Merchant
from payouts.webhooks import endpoints
from payouts.webhooks.models import Message
from payouts.withdrawals import amending
from payouts.withdrawals.models import FeeRule
from payouts.withdrawals.rule_models import Kind, RuleDecision, RuleProposal
from tests import make
from tests.payouts.desk import Desk, confirm, superuser, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def with_rights(*codenames: str) -> make.Approver:
    approver = make.approver(1)
    approver.person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return approver


def propose_credit(desk: Desk, merchant: Merchant, limit: str) -> Any:
    fields = {"asset": "USDT", "limit": limit, "reason": "a good customer"}
    return desk.client.post(f"/admin/payouts/merchant/{merchant.id}/credit/", fields)


def limit_units(merchant: Merchant) -> int | None:
    return balances.balance(make.account(merchant, Purpose.CREDIT)).floor_units


def test_a_credit_line_is_proposed_in_coins_confirmed_by_another_and_the_ledger_knows_both() -> None:
    first, merchant = with_rights("view_merchant", "propose_rules"), make.merchant()
    assert propose_credit(Desk(first), merchant, "2500.50").status_code == 302
    assert limit_units(merchant) == 0
    second = Desk(with_rights("view_ruleproposal", "confirm_rules"))
    proposal = RuleProposal.objects.get(kind=Kind.CREDIT)
    page = text(second.get(f"/admin/payouts/ruleproposal/{proposal.id}/change/"))
    for shown in (merchant.name, "the merchant's own", "0.00 USDT", "2,500.50 USDT", "a good customer"):
        assert shown in page
    assert confirm(second, proposal).status_code == 302
    assert limit_units(merchant) == -make.usdt("2500.50")
    names = f"{first.person.username}, confirmed by {second.approver.person.username}"
    assert CreditLimitChange.objects.get(book=merchant.id).by == names


def test_a_credit_line_is_closed_with_zero_and_by_no_superuser_alone() -> None:
    desk, merchant = Desk(superuser()), make.merchant(credit="100")
    assert propose_credit(desk, merchant, "0").status_code == 302
    proposal = RuleProposal.objects.get(kind=Kind.CREDIT)
    with pytest.raises(amending.SamePerson):
        amending.enact(proposal, by=desk.approver.person, now=make.now())
    assert limit_units(merchant) == -make.usdt("100")
    amending.enact(proposal, by=superuser().person, now=make.now())
    assert limit_units(merchant) == 0


def test_a_credit_line_that_moved_or_was_drawn_since_it_was_proposed_stays() -> None:
    desk, merchant, other = Desk(superuser()), make.merchant(credit="100"), superuser().person
    for limit in ("50", "70"):
        assert propose_credit(desk, merchant, limit).status_code == 302
    make.withdrawal(merchant, amount_units=make.usdt("60"))
    drawn, moved = RuleProposal.objects.filter(kind=Kind.CREDIT).order_by("id")
    with pytest.raises(amending.CannotBe, match="more than that is drawn"):
        amending.enact(drawn, by=other, now=make.now())
    posting.set_credit_limit(make.account(merchant, Purpose.CREDIT), limit_units=10**8 - 1, by="x", at=make.now())
    with pytest.raises(amending.RowMoved):
        amending.enact(moved, by=other, now=make.now())
    assert limit_units(merchant) == 1 - 10**8
    assert not RuleDecision.objects.filter(proposal__kind=Kind.CREDIT).exists()


@pytest.mark.parametrize("limit", ["", "-1", "1e3", "1_0", "１０", "NaN", "1.0000001", "1.2.3", ".", "9" * 40, "50"])
def test_a_credit_line_that_is_no_amount_or_below_what_is_drawn_is_refused(limit: str) -> None:
    desk, merchant = Desk(superuser()), make.merchant(credit="100")
    make.withdrawal(merchant, amount_units=make.usdt("80"))
    assert propose_credit(desk, merchant, limit).status_code == 200
    assert not RuleProposal.objects.filter(kind=Kind.CREDIT).exists()


def test_a_credit_line_needs_the_right_to_propose_and_to_see_the_merchant() -> None:
    merchant = make.merchant()
    for rights in (("view_merchant", "change_merchant", "approve_level1"), ("propose_rules",)):
        assert propose_credit(Desk(with_rights(*rights)), merchant, "100").status_code == 403


def test_a_key_is_switched_off_but_neither_made_nor_moved_here() -> None:
    desk, merchant, other = Desk(superuser()), make.merchant(), make.merchant()
    key = keys.issue(merchant, api="merchant").key
    path = f"/admin/payouts/apikey/{key.id}/change/"
    desk.client.post(path, {"require_request_signing": "on", "merchant": str(other.id), "key_id": "mine"})
    changed = ApiKey.objects.get(id=key.id)
    assert (changed.is_active, changed.require_request_signing) == (False, True)
    assert (changed.merchant_id, changed.key_id) == (merchant.id, key.key_id)
    assert desk.get("/admin/payouts/apikey/add/").status_code == 403


def test_no_page_shows_a_secret() -> None:
    desk, merchant = Desk(superuser()), make.merchant()
    issued = keys.issue(merchant, api="merchant")
    page = desk.get(f"/admin/payouts/apikey/{issued.key.id}/change/").content.decode()
    assert issued.secret not in page
    assert bytes(issued.key.secret_sealed).hex() not in page


def test_fees_are_proposed_in_coins_and_confirmed_by_another() -> None:
    desk, rule = Desk(superuser()), FeeRule.objects.get(api="merchant", network="tron", merchant=None)
    fields = {
        "merchant": "",
        "api": "merchant",
        "asset": "USDT",
        "network": "tron",
        "percent": "0",
        "reason": "dearer gas",
    }
    path = f"/admin/payouts/feerule/{rule.id}/change/"
    assert desk.client.post(path, fields | {"fee": "-2"}).status_code == 200
    assert desk.client.post(path, fields | {"fee": ""}).status_code == 200
    assert desk.client.post(path, fields | {"fee": "2.5"}).status_code == 302
    proposal = RuleProposal.objects.get(kind=Kind.FEE)
    assert FeeRule.objects.get(id=rule.id).flat_units == rule.flat_units
    second = Desk(superuser())
    page = text(second.get(f"/admin/payouts/ruleproposal/{proposal.id}/change/"))
    assert "1.00 USDT 2.50 USDT" in page
    assert "0 % 0 %" in page
    assert confirm(second, proposal).status_code == 302
    assert FeeRule.objects.get(id=rule.id).flat_units == make.usdt("2.5")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        FeeRule.objects.filter(id=rule.id).update(flat_units=0)


def test_a_merchants_own_fee_is_added_once_and_taken_away_by_two() -> None:
    desk, merchant = Desk(superuser()), make.merchant()
    fields = {"merchant": str(merchant.id), "api": "merchant", "asset": "USDT", "network": "tron", "fee": "0"}
    fields |= {"percent": "0.5", "reason": "a friend"}
    for _ in range(2):
        assert desk.client.post("/admin/payouts/feerule/add/", fields).status_code == 302
    first, second = RuleProposal.objects.filter(kind=Kind.FEE).order_by("id")
    amending.enact(first, by=superuser().person, now=make.now())
    with pytest.raises(amending.CannotBe, match="there is a fee for this case already"):
        amending.enact(second, by=superuser().person, now=make.now())
    assert desk.client.post("/admin/payouts/feerule/add/", fields).status_code == 200
    rule = FeeRule.objects.get(merchant=merchant)
    assert (rule.flat_units, rule.percent) == (0, Decimal("0.5"))
    make.unruled(rule)
    assert not FeeRule.objects.filter(merchant=merchant).exists()


@pytest.mark.parametrize("path", ["feerule/add/", "policyrule/add/", "merchant/add/", "policyrule/", "apikey/"])
def test_an_approver_has_no_say_in_the_rules(path: str) -> None:
    assert Desk(make.approver(1)).get(f"/admin/payouts/{path}").status_code == 403


def failed_message() -> Message:
    merchant = make.merchant(funds="500")
    endpoints.register(
        merchant, api="merchant", url="https://hooks.example.com/x", events=["withdrawal.created"], now=make.now()
    )
    message = Message.objects.get(subject_id=make.withdrawal(merchant).id)
    Message.objects.update(state=Message.State.FAILED, next_attempt_at=None, attempts_made=9)
    return message


def replay(desk: Desk, message: Message) -> None:
    desk.client.post("/admin/payouts/message/", {"action": "replay", "_selected_action": str(message.id)})


def test_a_message_is_sent_again_when_asked_for() -> None:
    message = failed_message()
    replay(Desk(with_rights("view_message", "change_message")), message)
    message.refresh_from_db()
    assert (message.state, message.attempts_made) == (Message.State.PENDING, 0)


def test_sending_again_needs_its_right() -> None:
    message = failed_message()
    replay(Desk(with_rights("view_message")), message)
    message.refresh_from_db()
    assert message.state == Message.State.FAILED


def test_only_superusers_see_and_change_people() -> None:
    everything = [right.codename for right in Permission.objects.filter(content_type__app_label="auth")]
    desk, path = Desk(with_rights(*everything)), "/admin/auth/user/"
    me = desk.approver.person.pk
    assert [desk.get(path).status_code, desk.get(f"{path}add/").status_code] == [403, 403]
    for page in (f"{path}{me}/change/", f"{path}{me}/password/"):
        assert desk.client.post(page, {"username": "me", "is_superuser": "on"}).status_code == 403
    assert not User.objects.get(pk=me).is_superuser


def test_a_superuser_gives_rights_that_mean_something() -> None:
    desk, person = Desk(superuser()), make.approver(1).person
    page = text(desk.get(f"/admin/auth/user/{person.pk}/change/"))
    assert "Can give the second approval" in page
    assert "Can change withdrawal " not in page.replace("withdrawal settings", "settings")
    level2 = Permission.objects.get(codename="approve_level2")
    fields = {"username": person.username, "is_active": "on", "is_staff": "on", "user_permissions": [level2.pk]}
    assert desk.client.post(f"/admin/auth/user/{person.pk}/change/", fields).status_code == 302
    assert User.objects.get(pk=person.pk).get_user_permissions() == {"payouts.approve_level2"}


def test_a_superuser_makes_people_but_never_removes_them() -> None:
    desk = Desk(superuser())
    fields = {"username": "new", "usable_password": "true", "password1": make.PASSWORD, "password2": make.PASSWORD}
    assert desk.client.post("/admin/auth/user/add/", fields).status_code == 302
    person = User.objects.get(username="new")
    assert desk.client.post(f"/admin/auth/user/{person.pk}/delete/", {"post": "yes"}).status_code == 403


def test_merchants_are_never_removed() -> None:
    merchant = make.merchant()
    answer = Desk(superuser()).client.post(f"/admin/payouts/merchant/{merchant.id}/delete/", {"post": "yes"})
    assert answer.status_code == 403
