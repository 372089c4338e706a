"""The `extraction` API against its document (seed 0), request by request and answer by answer."""

import json
import re
from typing import Any

import pytest

from chain import units
from payouts.merchants import stores
from payouts.merchants.models import Merchant
from payouts.merchants.store_models import AddressChange
from payouts.withdrawals.models import Approval, Withdrawal
from tests import make
from tests.api import shops
from tests.api.shops import CREATE, conformance

pytestmark = pytest.mark.django_db

# The seed's own request, as it stands there.
SEED_PATH = "/api/v1/extraction/to-usdt"
SEED_REQUEST = """{
"amount": 500,
"address": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
}"""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NO_QR_CODE = (400, "no QR code is assigned to the store")
NO_ADDRESS = (400, "no address is stored in the QR code")
NO_RIGHT = (403, "buyUsdtActive is not enabled for this supervisor")
TOO_LITTLE = (422, "insufficient funds: balance and available credit do not cover the amount")


@conformance("S POST /api/v1/extraction/to-usdt with a JSON body and a bearer token")
@conformance("R create answers 201 {id, status, amount, address, accountId, balanceUsed, creditUsed, createdAt}")
@conformance("R a test-mode merchant's address needs only the documented form")
def test_the_seeds_request_is_answered_as_documented() -> None:
    shop = shops.shop(funds="800", mode=Merchant.Mode.TEST)
    answer = shops.call("POST", SEED_PATH, SEED_REQUEST, token=shop.caller.log_in()["accessToken"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    made = answer.json()
    assert made == {
        "id": str(Withdrawal.objects.get().id),
        "status": "created",
        "amount": 500,
        "address": json.loads(SEED_REQUEST)["address"],
        "accountId": str(shop.qr_code.account),
        "balanceUsed": 500,
        "creditUsed": 0,
        "createdAt": made["createdAt"],
    }
    assert MOMENT.fullmatch(made["createdAt"])
    assert b'"amount":500,' in answer.content, "a number, and no needless point"


@conformance("S amount is a required number")
def test_amount_is_a_number_that_must_be_there() -> None:
    shop = shops.shop(funds="800")
    for amount in (None, "500"):
        status, text = shops.error(shop.caller.extract(amount=amount))
        assert (status, text.startswith("amount must be")) == (400, True)
    assert shop.has() == (800, 0)


@conformance("S address is optional, for stores only")
@conformance("R a store that omits address sends to the QR code's last one; 400 if there is none")
def test_a_store_that_gives_no_address_sends_where_the_last_extraction_went() -> None:
    shop = shops.shop(funds="800")
    assert shops.error(shop.caller.extract(address=None)) == NO_ADDRESS
    assert shop.caller.extract(amount=1).status_code == 201
    again = shop.caller.extract(amount=2, address=None).json()
    assert again["address"] == make.TRON_ADDRESS
    other = shop.caller.extract(amount=3, address=make.EVM_ADDRESS).json()
    assert other["address"] == shop.caller.extract(amount=4, address=None).json()["address"] == make.EVM_ADDRESS


@conformance("S GET /api/v1/account/{id}: balance and details of the linked account")
@conformance("R account answers {id, balance, currency, availableCredit}")
def test_the_account_tells_its_balance_and_its_available_credit() -> None:
    shop = shops.shop(funds="800.25", credit="100")
    account = str(shop.qr_code.account)
    assert shop.account() == {"id": account, "balance": 800.25, "currency": "USDT", "availableCredit": 100}
    assert shop.buyer().get(f"/account/{account}").json()["balance"] == 800.25


@conformance("R a balance that is not there is 0")
def test_an_account_that_nothing_came_to_is_empty() -> None:
    assert shops.shop().has() == (0, 0)


@conformance("S callers: a store with a QR code, or a supervisor created by that store with buyUsdtActive")
@conformance("S buyUsdtActive is a flag that the owning store sets")
def test_a_supervisor_needs_the_flag_that_the_owning_store_sets() -> None:
    shop, other = shops.shop(funds="800"), shops.shop()
    shop.caller.extract(amount=1)
    supervisor = shop.supervisor()
    assert shops.error(supervisor.extract(amount=2, address=None)) == NO_RIGHT
    assert shops.error(shop.supervisor(qrActive=True).extract(amount=2, address=None)) == NO_RIGHT
    mine = f"/supervisor/{supervisor.get('/supervisor/me').json()['id']}"
    assert shops.error(supervisor.call("PATCH", mine, {"buyUsdtActive": True}))[0] == 403
    assert shops.error(other.caller.call("PATCH", mine, {"buyUsdtActive": True})) == (404, "supervisor not found")
    assert shops.error(supervisor.extract(amount=2, address=None)) == NO_RIGHT
    assert shop.caller.call("PATCH", mine, {"buyUsdtActive": True}).status_code == 200
    assert supervisor.extract(amount=2, address=None).status_code == 201
    assert shop.caller.call("PATCH", mine, {"buyUsdtActive": False}).status_code == 200
    assert shops.error(supervisor.extract(amount=2, address=None)) == NO_RIGHT
    assert shop.has() == (797, 0)


@conformance("S no QR code: rejected")
def test_without_a_qr_code_nothing_is_extracted() -> None:
    shop = shops.shop(bare=True)
    buyer = shop.buyer()
    for caller in (shop.caller, buyer):
        assert shops.error(caller.extract()) == NO_QR_CODE
    assert Withdrawal.objects.count() == 0


@conformance("S the QR code links to an account id")
@conformance("S the QR code stores the last address used in an extraction")
@conformance("R an address that a store supplies replaces the stored one, audited")
def test_the_qr_code_keeps_the_last_address_and_who_changed_it() -> None:
    shop = shops.shop(funds="800")
    person = shop.store.person
    first, _, third = (
        shop.caller.extract(amount=1, address=address).json()
        for address in (make.TRON_ADDRESS, make.TRON_ADDRESS, make.EVM_ADDRESS.lower())
    )
    assert first["accountId"] == str(shop.qr_code.account)
    assert shop.qr_code.last_address == make.EVM_ADDRESS
    told = [(row.before, row.after, row.person, str(row.withdrawal)) for row in AddressChange.objects.order_by("id")]
    assert told == [
        ("", make.TRON_ADDRESS, person, first["id"]),
        (make.TRON_ADDRESS, make.EVM_ADDRESS, person, third["id"]),
    ]


@conformance("R the last address changes in the create's own transaction")
def test_an_extraction_that_is_refused_leaves_the_stored_address() -> None:
    shop = shops.shop(funds="10")
    shop.caller.extract(amount=1)
    before = shops.state(shop.merchant)
    assert shops.error(shop.caller.extract(amount=500, address=make.EVM_ADDRESS)) == TOO_LITTLE
    assert shops.state(shop.merchant) == before
    assert shop.qr_code.last_address == make.TRON_ADDRESS


@conformance("S address is optional, for stores only")
@conformance("S a supervisor's extraction goes to the QR code's address, which must be set")
@conformance("R a supervisor's address: 400 if it differs from the stored one, accepted if equal")
def test_a_supervisor_sends_to_the_stored_address_alone() -> None:
    shop = shops.shop(funds="800")
    buyer = shop.buyer()
    for address in (None, make.TRON_ADDRESS):
        assert shops.error(buyer.extract(amount=5, address=address)) == NO_ADDRESS
    shop.caller.extract(amount=1, address=make.EVM_ADDRESS)
    history = AddressChange.objects.count()
    own = (400, "supervisors cannot provide an address of their own")
    assert shops.error(buyer.extract(amount=5, address=make.TRON_ADDRESS)) == own
    assert buyer.extract(amount=5, address=None).json()["address"] == make.EVM_ADDRESS
    for equal in (make.EVM_ADDRESS, make.EVM_ADDRESS.lower()):
        assert buyer.extract(amount=5, address=equal).json()["address"] == make.EVM_ADDRESS
    assert (shop.qr_code.last_address, AddressChange.objects.count()) == (make.EVM_ADDRESS, history)


@conformance("S the balance pays first, the QR code's credit the shortfall, and its available limit goes down")
@conformance("S neither balance nor credit suffices: rejected")
def test_balance_first_credit_for_the_rest_and_rejected_where_both_are_too_little() -> None:
    shop = shops.shop(funds="100", credit="50.5")
    used: list[tuple[Any, ...]] = []
    for amount in (60, 40, 30.25, 20.25):
        made = shop.caller.extract(amount=amount).json()
        used.append((made["balanceUsed"], made["creditUsed"], *shop.has()))
    assert used == [(60, 0, 40, 50.5), (40, 0, 0, 50.5), (0, 30.25, 0, 20.25), (0, 20.25, 0, 0)]
    assert shops.error(shop.caller.extract(amount=0.000001)) == TOO_LITTLE
    mixed = shops.shop(funds="100", credit="50")
    assert shops.error(mixed.caller.extract(amount=150.000001)) == TOO_LITTLE
    assert mixed.has() == (100, 50)
    made = mixed.caller.extract(amount=149).json()
    assert (made["balanceUsed"], made["creditUsed"], *mixed.has()) == (100, 49, 0, 1)


@conformance("S the credit limit cannot be set through the API")
def test_no_call_sets_a_credit_limit() -> None:
    shop = shops.shop(funds="10", credit="5")
    account, mine = (
        f"/account/{shop.qr_code.account}",
        f"/supervisor/{shop.supervisor().get('/supervisor/me').json()['id']}",
    )
    for field in ("credit", "creditLimit", "availableCredit"):
        assert shops.error(shop.caller.extract(amount=1, **{field: 100})) == (400, f"unknown field: {field}")
        assert shops.error(shop.caller.call("PATCH", mine, {field: 100})) == (400, f"unknown field: {field}")
        for method in ("POST", "PUT", "PATCH"):
            assert shops.error(shop.caller.call(method, account, {field: 100}))[0] == 405
    assert shop.has() == (10, 5)


@conformance("S created: deducted at once; rejected: restored automatically")
@conformance("R what comes back goes where it came from: balance and available credit are as before")
@pytest.mark.parametrize("status", ["REJECTED", "CANCELLED", "FAILED"])
def test_each_part_goes_back_where_it_came_from(status: str) -> None:
    shop = shops.shop(funds="100", credit="50")
    made = shop.caller.extract(amount=120).json()
    assert shop.has() == (0, 30)
    shop.deposit(make.usdt("7"))
    shops.reach(made["id"], status)
    assert shop.has() == (107, 50)


def test_completed_keeps_both_parts() -> None:
    shop = shops.shop(funds="100", credit="50")
    shops.reach(shop.caller.extract(amount=120).json()["id"], "COMPLETED")
    assert shop.has() == (0, 30)


@conformance("R network: TRC20 unless the address is 0x…, then ERC20")
def test_the_network_follows_from_the_address() -> None:
    shop = shops.shop(funds="10")
    for address, network in ((make.TRON_ADDRESS, "tron"), (make.EVM_ADDRESS, "ethereum")):
        made = shop.caller.extract(amount=1, address=address).json()
        assert Withdrawal.objects.get(id=made["id"]).network == network


@conformance("R an extraction costs no fee, and two levels approve it by default")
def test_it_costs_nothing_and_waits_for_two_approvers() -> None:
    shop = shops.shop(funds="10", of=make.merchant())
    for address in make.ADDRESSES.values():
        made = Withdrawal.objects.get(id=shop.caller.extract(amount=1, address=address).json()["id"])
        assert (made.fee_units, made.net_units, made.approval) == (0, make.usdt("1"), Approval.TWO_LEVELS)
    assert made.maker == shop.store.person


@conformance(
    "R order of checks: 401, 403 role or flag, 400 no QR code, 400 address, 400 amount, 422 insufficient funds"
)
def test_the_first_thing_that_is_wrong_is_what_is_answered() -> None:
    wrong = {"amount": -1, "address": "nowhere"}
    assert shops.error(shops.call("POST", CREATE, wrong))[0] == 401
    bare, shop = shops.shop(bare=True), shops.shop(funds="10")
    assert shops.error(bare.supervisor().post(CREATE, wrong)) == NO_RIGHT
    assert shops.error(bare.supervisor().post(CREATE, "not JSON")) == NO_RIGHT
    assert shops.error(bare.caller.post(CREATE, wrong)) == NO_QR_CODE
    assert shops.error(bare.buyer().post(CREATE, wrong)) == NO_QR_CODE
    assert shops.error(shop.buyer().post(CREATE, {"amount": -1})) == NO_ADDRESS
    assert shops.error(shop.caller.post(CREATE, {"amount": -1})) == NO_ADDRESS
    assert shops.error(shop.caller.post(CREATE, wrong)) == (400, "invalid address")
    assert shops.error(shop.caller.extract(amount=-1))[1].startswith("amount must be")
    assert shops.error(shop.caller.extract(amount=10.000001)) == TOO_LITTLE
    assert shop.caller.extract(amount=10).status_code == 201


@conformance("R account not in USDT: no rate, no extraction (rates come later)")
def test_an_account_in_another_currency_waits_for_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(units.PLACES, "EURX", 2)
    shop = shops.shop(bare=True)
    stores.assign_qr_code(shop.store, currency="EURX")
    assert shop.account()["currency"] == "EURX"
    before = shops.state(shop.merchant)
    no_rate = (422, "no exchange rate between the account's currency and USDT is available")
    assert shops.error(shop.caller.extract(amount=1)) == no_rate
    assert shops.state(shop.merchant) == before
    with pytest.raises(units.BadAmount):
        stores.assign_qr_code(shops.shop(bare=True).store, currency="XYZ")


@conformance("R a live merchant's address is checked in full")
@pytest.mark.parametrize(
    "address",
    [json.loads(SEED_REQUEST)["address"], make.TRON_ADDRESS[:-1] + "9", make.EVM_ADDRESS[:-1] + "8", "0x", "T", ""],
)
def test_a_live_merchants_address_is_checked_in_full(address: str) -> None:
    shop = shops.shop(funds="800")
    assert shops.error(shop.caller.extract(address=address)) == (400, "invalid address")
    assert shop.has() == (800, 0)
