"""The screens on which two people change rules: in coins, refused beside the field, nothing before the second yes."""

import pytest
from django.contrib.auth.models import Permission, User

from payouts.merchants.book import BookedAddress
from payouts.withdrawals.models import Approval, PolicyRule
from payouts.withdrawals.rule_models import LimitRule, RuleProposal
from tests import make
from tests.payouts.desk import CHANGES, Desk, code, confirm, refusal, soup, text

pytestmark = pytest.mark.django_db

VIEWS = ("view_policyrule", "view_limitrule", "view_bookedaddress", "view_ruleproposal")
POLICY = {
    "priority": "5", "merchant": "", "api": "public", "channel": "create", "asset": "USDT", "from_coins": "100",
    "to_coins": "2500.50", "destination": "new", "approval": "ONE_LEVEL", "reason": "new addresses above 100",
}  # fmt: skip
LIMIT = {
    "merchant": "", "api": "", "asset": "USDT", "payment_coins": "500", "window_hours": "24", "window_coins": "1000",
    "window_count": "", "cool_down_hours": "0", "reason": "first month",
}  # fmt: skip


def desk(*rights: str) -> Desk:
    approver = make.approver(1)
    approver.person.user_permissions.set(Permission.objects.filter(codename__in=(*VIEWS, *rights)))
    return Desk(make.Approver(User.objects.get(pk=approver.person.pk), approver.totp_secret))


def one() -> Desk:
    return desk("propose_rules", "confirm_rules")


def propose(by: Desk, path: str, fields: dict[str, str]) -> RuleProposal:
    answer = by.client.post(f"/admin/payouts/{path}", fields)
    assert answer.status_code == 302, text(answer)
    return RuleProposal.objects.latest("id")


def test_a_policy_typed_in_coins_takes_effect_with_the_second_persons_code() -> None:
    first, second = one(), one()
    proposal = propose(first, "policyrule/add/", POLICY)
    assert not PolicyRule.objects.filter(priority=5).exists()
    page = text(second.get(f"{CHANGES}{proposal.id}/change/"))
    for shown in ("100.00 USDT to 2,500.50 USDT", "new addresses", "one approver", "new addresses above 100"):
        assert shown in page
    assert confirm(second, proposal).status_code == 302
    row = PolicyRule.objects.get(priority=5)
    assert row.from_units == make.usdt("100")
    assert row.to_units == make.usdt("2500.50")
    assert (row.api, row.channel, row.destination, row.approval) == ("public", "create", "new", "ONE_LEVEL")
    assert "100.00 USDT to 2,500.50 USDT" in text(first.get("/admin/payouts/policyrule/"))
    history = text(first.get(CHANGES))
    assert first.approver.person.username in history
    assert second.approver.person.username in history


def test_a_row_is_changed_and_removed_through_proposals() -> None:
    row, first, second = make.policy(make.merchant(), Approval.NONE), one(), one()
    fields = POLICY | {"merchant": str(row.merchant_id), "approval": "TWO_LEVELS"}
    proposal = propose(first, f"policyrule/{row.id}/change/", fields)
    assert confirm(second, proposal).status_code == 302
    row.refresh_from_db()
    assert (row.approval, row.priority) == (Approval.TWO_LEVELS, 5)
    removal = propose(first, f"policyrule/{row.id}/delete/", {"post": "yes"})
    assert PolicyRule.objects.filter(id=row.id).exists()
    assert confirm(second, removal).status_code == 302
    assert not PolicyRule.objects.filter(id=row.id).exists()


def test_a_limit_and_an_address_go_the_same_way() -> None:
    first, second, merchant = one(), one(), make.merchant()
    assert confirm(second, propose(first, "limitrule/add/", LIMIT)).status_code == 302
    limit = LimitRule.objects.get()
    assert limit.payment_units == make.usdt("500")
    assert (limit.window_hours, limit.window_units) == (24, limit.payment_units * 2)
    fields = {"merchant": str(merchant.id), "network": "ethereum", "label": "treasury", "reason": "theirs"}
    address = fields | {"address": make.EVM_ADDRESS.lower()}
    assert confirm(second, propose(first, "bookedaddress/add/", address)).status_code == 302
    booked = BookedAddress.objects.get(merchant=merchant)
    assert (booked.address, booked.added_by) == (make.EVM_ADDRESS, first.approver.person)
    assert first.get(f"/admin/payouts/bookedaddress/{booked.id}/change/").status_code == 200
    assert first.client.post(f"/admin/payouts/bookedaddress/{booked.id}/change/", address).status_code == 403


def test_who_proposed_it_is_offered_no_yes_and_gets_none() -> None:
    first = one()
    proposal = propose(first, "limitrule/add/", LIMIT)
    page = f"{CHANGES}{proposal.id}/change/"
    assert "somebody else has to confirm" in text(first.get(page))
    answer = first.client.post(page, {"challenge": "", "otp": code(first.approver)})
    assert (answer.status_code, LimitRule.objects.count()) == (409, 0)
    assert first.client.post(page, {"verdict": "decline"}).status_code == 302
    assert RuleProposal.objects.get(decision__verdict="DECLINED") == proposal


def test_a_wrong_code_is_refused_on_the_page() -> None:
    proposal = propose(one(), "limitrule/add/", LIMIT)
    answer = confirm(one(), proposal, otp="12345")
    assert answer.status_code == 400
    assert "six digits" in refusal(answer)
    assert LimitRule.objects.count() == 0


@pytest.mark.parametrize(
    ("path", "fields", "field"),
    [
        ("policyrule", POLICY | {"to_coins": "99.99"}, "to_coins"),
        ("policyrule", POLICY | {"asset": ""}, "from_coins"),
        ("policyrule", POLICY | {"from_coins": "1e3"}, "from_coins"),
        ("policyrule", POLICY | {"to_coins": "0.0000001"}, "to_coins"),
        ("policyrule", POLICY | {"approval": "NOBODY"}, "approval"),
        ("policyrule", POLICY | {"reason": " "}, "reason"),
        ("limitrule", LIMIT | {"asset": ""}, "payment_coins"),
        ("limitrule", LIMIT | {"window_hours": ""}, "window_hours"),
        ("limitrule", LIMIT | {"window_hours": "0"}, "window_hours"),
        ("limitrule", LIMIT | {"window_coins": ""}, "window_coins"),
        ("limitrule", LIMIT | {"payment_coins": "", "window_hours": "", "window_coins": ""}, "payment_coins"),
        ("bookedaddress", {"network": "tron", "address": make.TRON_ADDRESS, "label": "x", "reason": "y"}, "merchant"),
        ("bookedaddress", {"network": "tron", "address": "T123", "label": "x", "reason": "y", "of": ""}, "address"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(path: str, fields: dict[str, str], field: str) -> None:
    if "of" in fields:
        fields = fields | {"merchant": str(make.merchant().id)}
    answer = one().client.post(f"/admin/payouts/{path}/add/", fields)
    assert answer.status_code == 200
    assert next(iter(answer.context["adminform"].form.errors)) == field
    assert RuleProposal.objects.count() == 0


def test_an_unchanged_row_is_no_proposal() -> None:
    row, first = make.policy(make.merchant(), Approval.NONE), one()
    fields = {"priority": "0", "merchant": str(row.merchant_id), "approval": "NONE", "reason": "same"}
    before = RuleProposal.objects.count()
    answer = first.client.post(f"/admin/payouts/policyrule/{row.id}/change/", fields, follow=True)
    assert "nothing would change" in text(answer)
    assert RuleProposal.objects.count() == before


def test_without_the_rights_there_is_nothing_to_propose_or_to_confirm() -> None:
    proposal, reader = propose(one(), "limitrule/add/", LIMIT), desk()
    for path in ("policyrule", "limitrule", "bookedaddress"):
        assert reader.get(f"/admin/payouts/{path}/").status_code == 200
        assert reader.client.post(f"/admin/payouts/{path}/add/", LIMIT).status_code == 403
    page = f"{CHANGES}{proposal.id}/change/"
    assert soup(reader.get(page)).find("input", {"name": "otp"}) is None
    assert reader.client.post(page, {"otp": code(reader.approver), "challenge": ""}).status_code == 403
    assert reader.client.post(page, {"verdict": "decline"}).status_code == 403
    assert Desk(make.approver(1)).get(CHANGES).status_code == 403
    assert LimitRule.objects.count() == 0
