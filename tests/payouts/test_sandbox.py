"""What `manage.py sandbox` keeps and prints again; the money and the chains are looked at where the house runs."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from payouts.merchants import authenticators
from payouts.merchants.models import Member, Merchant
from payouts.merchants.store_models import QrCode, Supervisor
from payouts.sandbox import kept, people, store
from tests import make
from tests.api import invoices, shops, tenants, users

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path, db: None) -> None:
    settings.LOCAL_DIR = tmp_path
    users.enrol_keys()  # or else a process of the signer's would commit some, for every test that follows
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "payouts.merchants.oauth.Peppered"]


def told(name: str = "default", *, bare: bool = False) -> dict[str, Any]:
    return people.merchant(name, bare=bare, now=make.now())[1]


def test_a_store_a_supervisor_who_may_extract_and_a_qr_code_without_an_address() -> None:
    part = told()["extraction"]
    assert set(part) == {"store", "supervisor", "account_id", "login_path"}
    assert (str(QrCode.objects.get().account), QrCode.objects.get().last_address) == (part["account_id"], "")
    assert Supervisor.objects.get().buy_usdt_active
    for who in ("store", "supervisor"):
        answer = shops.call("POST", part["login_path"], part[who])
        assert (answer.status_code, set(answer.json())) == (200, {"accessToken", "refreshToken"})


def test_asked_again_it_says_the_same_and_another_name_is_another_merchant() -> None:
    first = told()
    assert told() == told(bare=True) == first
    assert told("other")["merchant_id"] != first["merchant_id"]
    assert QrCode.objects.count() == 2


def test_two_keys_of_the_invoice_api_each_for_its_own_use() -> None:
    part = told()["invoice"]
    assert set(part) == {"withdrawal_token", "shop_token"}
    assert invoices.call("POST", invoices.BALANCES_PATH, token=part["shop_token"]).status_code == 200
    answer = invoices.call("POST", invoices.CREATE_PATH, invoices.SEED, token=part["withdrawal_token"])
    assert invoices.error(answer) == (400, "uncorrected_amount")  # it has no ether, but it was let in


def test_an_application_that_may_ask_for_every_scope_and_a_webhook_that_was_configured_before() -> None:
    part = told()["tenant"]
    assert set(part) == {"client_id", "client_secret", "webhook_secret"}
    whole = tenants.token(part["client_id"], part["client_secret"], scope="read write admin")
    program = tenants.Program(Merchant.objects.get(), part["client_id"], part["client_secret"], whole)
    me = tenants.told(program.get("/user/me/"))
    assert part["webhook_secret"].startswith("sec_")
    assert me["webhook_secret_masked"] == "sec_****" + part["webhook_secret"][-3:]
    answer = tenants.told(program.post("/user/webhooks/", {"callback_url": "https://shop.example/in"}))
    assert "secret" not in answer


def test_bare_leaves_out_the_qr_code_and_the_tenants_webhook() -> None:
    part = told("bare", bare=True)["tenant"]
    assert part["webhook_secret"] is None
    program = tenants.Program(Merchant.objects.get(), part["client_id"], part["client_secret"]).with_scope("write")
    answer = tenants.told(program.post("/user/webhooks/", {"callback_url": "https://shop.example/in"}), status=201)
    assert answer["secret"].startswith("sec_")
    assert told(bare=True)["extraction"]["account_id"] is None
    assert QrCode.objects.count() == 0


def test_a_sandbox_of_an_older_version_gets_the_part_that_it_lacks() -> None:
    whole = told()
    kept.write("merchant-default", {name: whole[name] for name in ("merchant_id", "merchant")})
    again = told()
    assert (again["merchant_id"], again["merchant"]) == (whole["merchant_id"], whole["merchant"])
    merchant = Merchant.objects.get(id=whole["merchant_id"])
    assert again["extraction"]["account_id"] in map(str, store.accounts(merchant))
    assert told() == again


def test_somebody_who_administers_the_merchant_in_the_dashboard() -> None:
    part = told()["dashboard"]
    assert set(part) == {"username", "password", "totp_secret"}
    answer = Client().post("/dashboard/login", {"username": part["username"], "password": part["password"]})
    assert answer["Location"] == "/dashboard/login/code"
    person = Member.objects.get(role=Member.Role.ADMIN).person
    device = authenticators.of(person)
    assert device is not None
    assert (person.get_username(), authenticators.secret(device)) == (part["username"], part["totp_secret"])
