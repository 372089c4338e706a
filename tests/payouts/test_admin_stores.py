"""What the platform's people set for stores: the store, its QR code, and the QR code's credit line; and who may."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from ledger.accounts import Purpose
from ledger.balances import balance
from ledger.models import CreditLimitChange
from payouts.merchants.store_models import QrCode, Store
from payouts.withdrawals.rule_models import Kind, RuleProposal
from tests import make
from tests.api import shops
from tests.api.shops import conformance
from tests.payouts.desk import Desk, confirm, soup, superuser, text
from tests.payouts.test_admin_merchants import with_rights

pytestmark = pytest.mark.django_db
PLACES = "/admin/payouts"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def propose_credit(desk: Desk, qr_code: QrCode, limit: str, *, asset: str = "USDT") -> Any:
    fields = {"asset": asset, "limit": limit, "reason": "a good customer"}
    return desk.client.post(f"{PLACES}/qrcode/{qr_code.id}/credit/", fields)


@conformance("S the credit limit is managed by the platform, audited")
def test_a_qr_codes_credit_line_is_set_in_the_admin_by_two_and_the_ledger_knows_them() -> None:
    shop, first = shops.shop(funds="1"), with_rights("view_qrcode", "propose_rules")
    desk, second = Desk(first), Desk(with_rights("view_ruleproposal", "confirm_rules"))
    assert propose_credit(desk, shop.qr_code, "250.5").status_code == 302
    assert shop.has() == (1, 0)
    proposal = RuleProposal.objects.get(kind=Kind.CREDIT)
    assert str(shop.qr_code) in text(second.get(f"{PLACES}/ruleproposal/{proposal.id}/change/"))
    assert confirm(second, proposal).status_code == 302
    assert shop.has() == (1, 250.5)
    change = CreditLimitChange.objects.get(book=shop.merchant.id)
    names = f"{first.person.username}, confirmed by {second.approver.person.username}"
    assert (change.by, change.account) == (names, shop.ref(Purpose.CREDIT).id)
    assert balance(make.account(shop.merchant, Purpose.CREDIT)).floor_units == 0, "the merchant's own line is another"
    assert "250.50 USDT of 250.50 USDT" in text(desk.get(f"{PLACES}/qrcode/{shop.qr_code.id}/change/"))


def test_a_qr_codes_line_is_in_its_accounts_currency_alone_and_not_below_what_is_drawn() -> None:
    shop, desk = shops.shop(credit="100"), Desk(superuser())
    shop.caller.extract(amount=80)
    assert propose_credit(desk, shop.qr_code, "500", asset="USDC").status_code == 200
    assert propose_credit(desk, shop.qr_code, "50").status_code == 200
    assert not RuleProposal.objects.filter(kind=Kind.CREDIT).exists()


def test_proposing_a_line_needs_its_right_and_that_to_see_qr_codes() -> None:
    shop = shops.shop()
    for rights in (("view_qrcode", "change_qrcode"), ("view_merchant", "propose_rules"), ("approve_level1",)):
        assert propose_credit(Desk(with_rights(*rights)), shop.qr_code, "100").status_code == 403


def test_a_store_and_its_qr_code_are_made_in_the_admin_and_then_stay_as_they_are() -> None:
    merchant, desk = make.merchant(), Desk(superuser())
    person = User.objects.create_user("shopkeeper", password=make.PASSWORD)
    fields = {"merchant": str(merchant.id), "name": "corner shop", "person": str(person.pk)}
    assert desk.client.post(f"{PLACES}/store/add/", fields).status_code == 302
    store = Store.objects.get()
    assert desk.client.post(f"{PLACES}/qrcode/add/", {"store": str(store.id), "currency": "USDT"}).status_code == 302
    qr_code = QrCode.objects.get()
    assert shops.Caller("shopkeeper").get(f"/account/{qr_code.account}").json()["balance"] == 0
    other = shops.shop(bare=True)
    stays = {"merchant": str(other.merchant.id), "person": str(other.store.person_id), "name": "renamed"}
    desk.client.post(f"{PLACES}/store/{store.id}/change/", stays)
    inline = {"address_changes-TOTAL_FORMS": "0", "address_changes-INITIAL_FORMS": "0"}
    moves = {"store": str(other.store.id), "currency": "USDC", "account": str(merchant.id), "last_address": "T"}
    desk.client.post(f"{PLACES}/qrcode/{qr_code.id}/change/", moves | inline)
    store.refresh_from_db()
    assert (store.name, store.merchant, store.person) == ("renamed", merchant, person)
    again = QrCode.objects.get()
    assert (again.store, again.currency, again.account, again.last_address) == (store, "USDT", qr_code.account, "")
    for path in (f"store/{store.id}", f"qrcode/{qr_code.id}"):
        assert desk.client.post(f"{PLACES}/{path}/delete/", {"post": "yes"}).status_code == 403


def test_nobody_with_another_part_here_becomes_a_stores_person() -> None:
    shop, desk, approver = shops.shop(), Desk(superuser()), make.approver(1)
    shop.supervisor()
    free = User.objects.create_user("free")
    options = soup(desk.get(f"{PLACES}/store/add/")).select("select[name=person] option")
    assert [option["value"] for option in options if option["value"]] == [str(free.pk)]
    fields = {"merchant": str(shop.merchant.id), "name": "x", "person": str(approver.person.pk)}
    assert desk.client.post(f"{PLACES}/store/add/", fields).status_code == 200
    assert Store.objects.count() == 1


def test_the_pages_show_the_addresses_history_and_the_supervisors() -> None:
    shop, desk = shops.shop(funds="10"), Desk(superuser())
    shop.supervisor(buyUsdtActive=True)
    for address in (make.TRON_ADDRESS, make.EVM_ADDRESS):
        shop.caller.extract(amount=1, address=address)
    page = text(desk.get(f"{PLACES}/qrcode/{shop.qr_code.id}/change/"))
    assert page.count(make.TRON_ADDRESS) >= 2
    assert shop.caller.username in page
    assert "8.00 USDT" in text(desk.get(f"{PLACES}/qrcode/"))
    assert "Sam" in text(desk.get(f"{PLACES}/supervisor/"))
    assert desk.get(f"{PLACES}/supervisor/add/").status_code == 403
    assert desk.get(f"{PLACES}/store/").status_code == 200
