"""The admin's page on which a merchant's keys are made: shown once, each for its own API, by people who may."""

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from payouts.merchants import issuing
from payouts.merchants.models import ApiKey, Merchant
from payouts.merchants.oauth_models import Application
from tests import make
from tests.api import invoices, speaker, tenants, users
from tests.payouts.desk import Desk, superuser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "payouts.merchants.oauth.Peppered"]


def path(merchant: Merchant) -> str:
    return f"/admin/payouts/merchant/{merchant.id}/key/"


def texts(answer: Any) -> list[str]:
    found = BeautifulSoup(answer.content, "html.parser").find_all("code", attrs={"data-key": True})
    return [one.get_text() for one in found]


def let_in(kind: str, merchant: Merchant, shown: list[str]) -> Any:
    """A call with what the page showed."""
    match kind:
        case "merchant":
            return speaker.Program(*shown).get("/v1/balance")
        case "public":
            return users.Program(merchant, *shown).get("/public/webhook/url")
        case "invoice-shop":
            return invoices.call("POST", invoices.BALANCES_PATH, token=shown[0])
    return invoices.call("POST", invoices.CREATE_PATH, invoices.SEED, token=shown[0])


@invoices.conformance("S the key is made in the Security section and shown once")
@pytest.mark.parametrize("kind", [kind for kind in issuing.KINDS if kind != issuing.APPLICATION])
def test_a_key_is_shown_once_works_and_names_who_made_it(kind: str) -> None:
    desk, merchant = Desk(superuser()), make.merchant()
    invoices.deposit(merchant, "ETH", "1")
    made = desk.client.post(path(merchant), {"kind": kind})
    shown = texts(made)
    assert made.status_code == 200
    assert "no-store" in made.headers["Cache-Control"]
    assert let_in(kind, merchant, shown).status_code == 200
    key = ApiKey.objects.get()
    assert (key.merchant, key.issued_to) == (merchant, desk.approver.person)
    assert LogEntry.objects.get(object_id=str(key.id)).user == desk.approver.person
    pages = [
        path(merchant),
        f"/admin/payouts/apikey/{key.id}/change/",
        f"/admin/payouts/merchant/{merchant.id}/change/",
    ]
    for page in pages:
        told = desk.get(page).content.decode()
        assert not any(text in told for text in shown if text != key.key_id)
    invoices.switch_off(f"{key.key_id}_")
    assert let_in(kind, merchant, shown).status_code in (400, 401)


def test_an_application_is_shown_once_works_names_who_made_it_and_can_be_taken_away() -> None:
    desk, merchant = Desk(superuser()), make.merchant()
    shown = texts(desk.client.post(path(merchant), {"kind": "tenant"}))
    program = tenants.Program(merchant, *shown).with_scope("read write admin")
    assert program.get("/user/me/").status_code == 200
    application = Application.objects.get()
    assert application.user == desk.approver.person
    page = f"/admin/payouts/application/{application.pk}/"
    assert not any(
        secret in desk.get(f"{page}change/").content.decode() for secret in (shown[1], application.client_secret)
    )
    desk.client.post(f"{page}delete/", {"post": "yes"})
    assert program.get("/user/me/").status_code == 401


def test_a_merchants_page_leads_there_and_a_wrong_kind_makes_nothing() -> None:
    desk, merchant = Desk(superuser()), make.merchant()
    assert path(merchant) in desk.get(f"/admin/payouts/merchant/{merchant.id}/change/").content.decode()
    for kind in ("", "dashboard", "INVOICE-SHOP"):
        assert texts(desk.client.post(path(merchant), {"kind": kind})) == []
    assert desk.get(path(merchant)).status_code == 200
    assert ApiKey.objects.count() == 0


def test_making_keys_is_a_right_of_its_own() -> None:
    approver, merchant = make.approver(1), make.merchant()
    approver.person.user_permissions.set(
        Permission.objects.filter(codename__in=["view_merchant", "change_merchant", "change_apikey"])
    )
    desk = Desk(approver)
    assert desk.get(path(merchant)).status_code == 403
    assert desk.client.post(path(merchant), {"kind": "invoice-withdrawal"}).status_code == 403
    assert path(merchant) not in desk.get(f"/admin/payouts/merchant/{merchant.id}/change/").content.decode()
    assert ApiKey.objects.count() == 0
