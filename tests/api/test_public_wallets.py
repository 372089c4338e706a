"""Users' wallets at the `public` API, and what it makes of fields that no document foresees."""

from typing import Any

import pytest

from chain import addresses
from payouts.api import dialects
from payouts.merchants import pairs
from payouts.merchants.user_models import UserWallet
from payouts.payments.models import DepositAddress
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import users
from tests.api.users import CREATE, CREATE_PATH, REQUESTS, conformance

pytestmark = pytest.mark.django_db
GENERATE = "/public/wallet/generate"
ANN = {"userId": "ann", "email": "ann@shop.example"}


@conformance("N POST /public/wallet/generate {userId*, email*, firstName, lastName, phone, callbackUrl, isActive=true}")
@conformance("N it returns one ERC20 and one TRC20 address")
def test_a_generated_wallet_has_one_address_on_each_network() -> None:
    program = users.program()
    details = {"firstName": "Ann", "lastName": "Lee", "phone": "+1 555", "callbackUrl": "https://hooks.example/ann"}
    made = users.data(program.post(GENERATE, ANN | details), status=201)
    assert {name: made[name] for name in (*ANN, *details)} == ANN | details
    assert made["isActive"] is True
    held = {one["network"]: one["address"] for one in made["wallets"]}
    assert [one["currencyType"] for one in made["wallets"]] == ["USDT-TRC20", "USDT-ERC20"]
    assert addresses.normalise("tron", held["TRC20"]) == held["TRC20"]
    assert addresses.normalise("ethereum", held["ERC20"]) == held["ERC20"]
    again = users.data(program.post(GENERATE, ANN | {"email": "other@shop.example"}))
    assert again == made, "a user keeps the wallet; what the details say now changes nothing"
    theirs = users.data(users.program().post(GENERATE, ANN), status=201)
    assert {one["address"] for one in theirs["wallets"]}.isdisjoint(held.values())


def test_a_user_whose_wallet_is_not_active_is_not_paid() -> None:
    program = users.program()
    users.data(program.post(GENERATE, ANN | {"isActive": False}), status=201)
    assert users.error(program.create(userId="ann")) == (400, "User wallet is not active")


@conformance("N balances: totalAmt is what is available, pendingAmt what is on its way")
def test_balances_say_what_is_there_and_what_is_on_its_way() -> None:
    program = users.program()
    users.data(program.create(amount=12.5), status=201)
    users.data(program.post(GENERATE, ANN), status=201)
    balance = users.data(program.get(f"/public/user/balance?userId={users.USER}"))
    assert balance == {"userId": users.USER, "currency": "USDT", "totalAmt": 487.5, "pendingAmt": 12.5}
    assert users.data(program.get("/public/user/balance?userId=ann"))["totalAmt"] == 0
    assert users.data(program.get("/public/balance")) == {"currency": "USDT", "totalAmt": 1487.5, "pendingAmt": 12.5}
    assert users.error(program.get("/public/user/balance"))[0] == 400


def test_without_deposit_keys_there_is_no_wallet_and_no_half_of_one() -> None:
    merchant = make.merchant()
    issued = pairs.issue(merchant, api="public")
    program = users.Program(merchant, issued.apikey, issued.api_secret)
    assert users.error(program.post(GENERATE, ANN)) == (503, "Deposit addresses are not set up yet")
    assert not UserWallet.objects.exists()
    assert not DepositAddress.objects.exists()


@conformance("S userId, walletAddress, amount and currencyType are required, callbackUrl is not")
@pytest.mark.parametrize("field", CREATE)
def test_a_required_field_that_is_missing_or_of_another_kind_is_refused(field: str) -> None:
    program = users.program()
    before = users.state(program.merchant)
    odd: list[Any] = [None, True, [], {}, "", "50", "\u202e", "a" * 1000, ["USDT-TRC20"], -1]
    for path in (CREATE_PATH, REQUESTS):
        colleague = users.colleague(program)
        for value in odd:
            status, text = users.error(colleague.post(path, CREATE | {field: value}))
            assert 400 <= status < 405
            assert text
        missing = {name: value for name, value in CREATE.items() if name != field}
        assert users.error(colleague.post(path, missing))[0] == 400
    assert users.state(program.merchant) == before


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"amount": "50"}, "amount must be a number"),
        ({"amount": 50.0000001}, "Invalid amount: USDT has 6 decimal places"),
        ({"amount": 10**40}, "Invalid amount: too large"),
        ({"currencyType": "USDT-BEP20"}, "currencyType must be one of: USDT-TRC20, USDT-ERC20"),
        ({"currencyType": "usdt-trc20"}, "currencyType must be one of: USDT-TRC20, USDT-ERC20"),
        ({"userId": ""}, "userId is required"),
        ({"userId": 12345}, "userId must be a string of at most 128 characters"),
        ({"callbackURL": "https://hooks.example/in"}, "Unknown field: callbackURL"),
    ],
)
def test_what_is_wrong_with_a_field_is_said(change: dict[str, Any], text: str) -> None:
    assert users.error(users.program().create(**change)) == (400, text)


@pytest.mark.parametrize(
    "change",
    [
        {"email": None}, {"email": "nobody"}, {"email": "a@b"}, {"email": 5}, {"userId": None}, {"userId": "u" * 129},
        {"isActive": "yes"}, {"phone": 5}, {"firstName": "a" * 101}, {"callbackUrl": "http://hooks.example/"}, {"x": 1},
    ],
)  # fmt: skip
def test_a_wallet_with_a_wrong_field_is_not_generated(change: dict[str, Any]) -> None:
    program = users.program()
    before = users.state(program.merchant)
    assert users.error(program.post(GENERATE, ANN | change))[0] == 400
    assert users.state(program.merchant) == before


@conformance("R Idempotency-Key is accepted on every create")
def test_a_repeat_of_any_create_gets_the_first_answer() -> None:
    program = users.program()
    bodies: dict[str, dict[str, Any]] = {
        REQUESTS: CREATE,
        GENERATE: ANN,
        "/public/webhook/url": {"url": "https://hooks.example/in"},
    }
    for path, body in bodies.items():
        first = program.post(path, body, Idempotency_Key="k1")
        again = program.post(path, body, Idempotency_Key="k1")
        assert first.status_code < 300
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert users.error(program.post(path, body | {"callbackUrl": None}, Idempotency_Key="k1"))[0] == 422
    assert Withdrawal.objects.count() == 1
    assert users.error(program.post(REQUESTS, CREATE, Idempotency_Key="a b"))[0] == 400


def test_ids_that_are_none_are_not_found() -> None:
    program = users.program()
    made = users.data(program.request(), status=201)["id"]
    for text in ("x", made.upper(), f"%7B{made}%7D", made.replace("-", ""), "%00", "%FF", "1" * 3000, "' OR 1=1"):
        assert users.error(program.get(f"/public/payout/get?id={text}"))[0] == 404
    other = make.withdrawal(program.merchant)
    written = dialects.DIALECTS["merchant"].public_id(other.id)
    assert users.data(program.get(f"/public/payout/get?id={written}"))["id"] == str(other.id)


def test_a_user_id_that_no_database_keeps_is_nobodys() -> None:
    program = users.program()
    for text in ("%00", "user-12345%00", "%00" * 200):
        answer = program.get(f"/public/user/balance?userId={text}")
        assert users.error(answer) == (404, "User wallet not found")
