"""The admin's pages of merchants' users: what they are owed, where they pay in, what their merchant has set."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from payouts.merchants import settings as merchant_settings
from payouts.merchants.user_models import UserWallet
from payouts.payments import payments
from tests import make
from tests.api import users
from tests.payouts import arrivals
from tests.payouts.desk import Desk, superuser, text

pytestmark = pytest.mark.django_db
SETTINGS = "withdrawal_settings-0-"


@pytest.fixture(autouse=True)
def _answers_at_once(settings: Any) -> None:
    settings.WITHDRAWAL_WAIT_S = 0


def page(desk: Desk, path: str) -> str:
    answer = desk.client.get(f"/admin/payouts/{path}/")
    assert answer.status_code == 200
    return text(answer)


def test_a_wallet_shows_what_is_owed_and_its_whole_addresses_and_can_be_switched_off() -> None:
    program, desk = users.program(), Desk(superuser())
    users.data(program.create(), status=201)
    wallet = UserWallet.objects.get()
    assert "450.00 USDT, 50.00 on its way" in page(desk, "userwallet")
    shown = page(desk, f"userwallet/{wallet.id}/change")
    assert all(str(row.address) in shown for row in program.merchant.deposit_addresses.all())
    assert desk.client.post(f"/admin/payouts/userwallet/{wallet.id}/change/", {}).status_code == 302
    assert users.error(program.create()) == (400, "User wallet is not active")


def test_addresses_and_keys_are_there_to_be_looked_at() -> None:
    program, desk = users.program(), Desk(superuser())
    for row in program.merchant.deposit_addresses.all():
        assert str(row.address) in page(desk, "depositaddress")
        assert desk.client.post(f"/admin/payouts/depositaddress/{row.number}/change/", {}).status_code == 403
    assert "xpub" in page(desk, "extendedkey")


def save(desk: Desk, merchant: Any, **values: str) -> Any:
    forms = {"withdrawal_settings": "1", "members": "0"}
    sent = {f"{name}-TOTAL_FORMS": count for name, count in forms.items()}
    sent |= {f"{name}-INITIAL_FORMS": "0" for name in forms} | {"name": merchant.name, "mode": "LIVE"}
    sent |= {f"{SETTINGS}{name}": value for name, value in values.items()}
    return desk.client.post(f"/admin/payouts/merchant/{merchant.id}/change/", sent)


def test_a_merchants_settings_are_typed_in_coins() -> None:
    merchant, desk = make.merchant(), Desk(superuser())
    assert not merchant_settings.says_yes(merchant_settings.of(merchant), amount_units=1)
    wrong = save(desk, merchant, auto_withdraw="on", max_auto="1e3", withdrawal_fee_payer="merchant")
    assert wrong.status_code == 200
    answer = save(desk, merchant, auto_withdraw="on", max_auto="250.5", withdrawal_fee_payer="merchant")
    assert answer.status_code == 302
    assert merchant_settings.says_yes(merchant_settings.of(merchant), amount_units=make.usdt("250.5"))
    assert not merchant_settings.says_yes(merchant_settings.of(merchant), amount_units=make.usdt("250.500001"))
    assert not merchant_settings.user_pays_fee(merchant_settings.of(merchant))
    assert "250.50" in desk.client.get(f"/admin/payouts/merchant/{merchant.id}/change/").content.decode()


def test_payments_and_deposits_are_listed_and_what_was_left_alone_says_why() -> None:
    program, desk = users.program(), Desk(superuser())
    address = str(program.merchant.deposit_addresses.get(network="tron").address)
    rows = [arrivals.came_in("tron", address, units) for units in (make.usdt("5"), 1)]
    arrivals.came_in("tron", address, 77, asset="", contract="T" * 34)
    arrivals.book()
    order = payments.Order(program.merchant, "tenant", "USDT", "tron", Decimal(20), timedelta(hours=1))
    asked = payments.create(order, now=make.now())
    shown = page(desk, "deposit")
    assert all(row.txid in shown for row in rows)
    for told in ("5.00 USDT", "too little to be booked", "a token that is not in our catalogue", f"77 of {'T' * 34}"):
        assert told in shown
    assert str(asked.id) in page(desk, "payment")
    assert desk.client.post(f"/admin/payouts/payment/{asked.id}/change/", {}).status_code == 403
    assert desk.client.get("/admin/chain/follower/").status_code == 200
