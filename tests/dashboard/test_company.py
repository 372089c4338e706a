"""What an administrator sets up: keys, people, settings, webhooks, stores; each by one code, secrets shown once."""

import csv
import io
import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from payouts.merchants import authenticators, issuing, keys, settings
from payouts.merchants.models import ApiKey, Member, Merchant
from payouts.merchants.oauth_models import Application
from payouts.webhooks import endpoints
from payouts.webhooks.models import Endpoint, Message
from tests import make
from tests.api import shops, speaker, tenants
from tests.dashboard import visitors
from tests.dashboard.visitors import Visitor, fields, wrong
from tests.payouts import desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant() -> Merchant:
    return make.merchant(funds="1000")


@pytest.fixture
def admin(merchant: Merchant) -> Visitor:
    return Visitor(merchant)


def confirmed(admin: Visitor, path: str, form: dict[str, Any] | None = None, **changes: str) -> BeautifulSoup:
    """Fill in the form, look at the last page, type a code; what comes then."""
    asked = admin.post(path, form) if form is not None else admin.get(path)
    page = desk.soup(asked)
    assert page.select_one("#confirm"), wrong(page)
    last = {name: value for name, value in fields(page, "confirm").items() if name not in (form or {})}
    answer = admin.post(path, (form or {}) | last | changes | {"otp": admin.code()})
    return desk.soup(admin.get(answer["Location"]) if answer.status_code == 302 else answer)


def texts(page: BeautifulSoup) -> list[str]:
    return [one.get_text() for one in page.select("code.whole")]


@pytest.mark.parametrize("kind", issuing.KINDS)
def test_a_key_of_each_kind_is_shown_once_works_is_rotated_and_revoked(
    admin: Visitor, merchant: Merchant, kind: str
) -> None:
    made = confirmed(admin, "/dashboard/keys/new", {"kind": kind})
    shown = texts(made)
    assert 1 <= len(shown) <= 2
    (key,) = issuing.of(merchant)
    listed = str(admin.page("/dashboard/keys"))
    assert key.public_id in listed
    assert all(text == key.public_id or text not in listed for text in shown)
    assert key.made_by == admin.who.person.get_username()
    if kind == "merchant":
        assert speaker.Program(*shown).get("/v1/balance").status_code == 200
    confirmed(admin, f"/dashboard/keys/{key.public_id}/rotate")
    assert len([one for one in issuing.of(merchant) if one.is_active]) == 2
    confirmed(admin, f"/dashboard/keys/{key.public_id}/revoke")
    assert [one.public_id for one in issuing.of(merchant) if one.is_active] != [key.public_id]
    assert admin.get(f"/dashboard/keys/{key.public_id}/revoke").status_code == 404
    if kind == "merchant":
        assert speaker.Program(*shown).get("/v1/balance").status_code == 401


def test_a_code_for_one_kind_of_key_makes_no_other(admin: Visitor) -> None:
    page = desk.soup(admin.post("/dashboard/keys/new", {"kind": "invoice-shop"}))
    changed = fields(page, "confirm") | {"kind": "merchant", "otp": admin.code()}
    assert admin.post("/dashboard/keys/new", changed).status_code == 400
    assert (ApiKey.objects.count(), Application.objects.count()) == (0, 0)


def test_settings_change_by_a_code_and_nonsense_is_said_beside_its_field(admin: Visitor, merchant: Merchant) -> None:
    path = "/dashboard/settings/users"
    form = {"auto_withdraw": "on", "max_auto": "250.5", "withdrawal_fee_payer": "merchant"}
    confirmed(admin, path, form)
    now = settings.of(merchant)
    assert (now.auto_withdraw, int(now.max_auto_units)) == (True, make.usdt("250.5"))
    assert now.withdrawal_fee_payer == "merchant"
    assert "250.50 USDT" in admin.page("/dashboard/settings").get_text()
    refused = desk.soup(admin.post(path, form | {"max_auto": "1e9", "withdrawal_fee_payer": "nobody"}))
    assert "plain number" in wrong(refused)
    assert "not one of the available choices" in wrong(refused)
    confirmed(admin, path, {"max_auto": "0", "withdrawal_fee_payer": "user"})
    assert not settings.of(merchant).auto_withdraw


def test_the_allow_list_holds_for_people_and_for_every_api(admin: Visitor, merchant: Merchant) -> None:
    path, program, shop = "/dashboard/settings/networks", speaker.program(merchant), shops.shop(of=merchant)
    assert "no address or network" in wrong(desk.soup(admin.post(path, {"networks": "10.0.0.0/33"})))
    assert "lock yourself out" in wrong(desk.soup(admin.post(path, {"networks": "192.0.2.0/24"})))
    confirmed(admin, path, {"networks": "127.0.0.1\n192.0.2.0/24\n2001:db8::/32"})
    merchant.refresh_from_db()
    assert merchant.allowed_networks == ["127.0.0.1/32", "192.0.2.0/24", "2001:db8::/32"]
    assert program.get("/v1/balance").status_code == 200
    Merchant.objects.filter(id=merchant.id).update(allowed_networks=["192.0.2.0/24"])
    assert program.get("/v1/balance").json() == {"error": "calls from this address are not allowed"}
    account = f"/api/v1/account/{shop.qr_code.account}"
    bearer = {"Authorization": f"Bearer {shop.caller.log_in()['accessToken']}"}
    assert Client().get(account, headers=bearer).status_code == 403
    assert Client(REMOTE_ADDR="192.0.2.9").get(account, headers=bearer).status_code == 200
    assert tenants.program(of=merchant).get("/user/me/").status_code == 403
    for kind, path in (("public", "/api/v1/public/balance"), ("invoice-shop", "/v2/merchant/wallet/balance/all")):
        shown = [*issuing.make(merchant, kind=kind, person=admin.who.person).texts.values()]
        headers = dict(zip(("apikey", "x-api-secret"), shown, strict=False)) | {"Authorization": f"Token {shown[0]}"}
        call = getattr(Client(), "get" if kind == "public" else "post")
        assert call(path, headers=headers).status_code == 403


def test_people_are_invited_promoted_and_switched_off_and_somebody_is_always_left(
    admin: Visitor, merchant: Merchant
) -> None:
    form = {"username": "ada@example.com", "role": "VIEWER"}
    (link,) = texts(confirmed(admin, "/dashboard/people/invite", form))
    assert link.startswith("http://testserver/dashboard/join/")
    assert Client().get(link).status_code == 200
    ada = Member.objects.get(person__username="ada@example.com")
    assert "has this username" in wrong(confirmed(admin, "/dashboard/people/invite", form))
    me = Member.objects.get(person=admin.who.person)
    for path in (f"/dashboard/people/{me.id}/role", f"/dashboard/people/{me.id}/off"):
        page = confirmed(admin, path, {"role": "VIEWER"} if path.endswith("role") else None)
        assert "Somebody must be left" in page.get_text()
    confirmed(admin, f"/dashboard/people/{ada.id}/role", {"role": "ADMIN"})
    confirmed(admin, f"/dashboard/people/{ada.id}/off")
    ada.refresh_from_db()
    assert (ada.role, ada.person.is_active) == ("ADMIN", False)
    assert Client().get(link).status_code == 404
    confirmed(admin, f"/dashboard/people/{ada.id}/on")
    assert User.objects.get(pk=ada.person_id).is_active


def test_a_url_is_registered_tried_logged_told_again_and_removed(admin: Visitor, merchant: Merchant) -> None:
    new = "/dashboard/webhooks/new"
    form = {"api": "merchant", "url": "https://hooks.example/in", "events": "withdrawal.completed"}
    assert "public" in wrong(desk.soup(admin.post(new, form | {"url": "https://10.0.0.1/"})))
    url, secret = texts(confirmed(admin, new, form))
    hook = Endpoint.objects.get()
    assert (url, hook.events) == ("https://hooks.example/in", ["withdrawal.completed"])
    assert secret == endpoints.secret_for(merchant, api="merchant", now=make.now())
    page = f"/dashboard/webhooks/{hook.id}"
    admin.post(f"{page}/test")
    sent = Message.objects.get()
    Message.objects.update(state="FAILED", next_attempt_at=None)
    assert "webhook.test" in admin.page(page).get_text()
    again = admin.client.post(f"{page}/{sent.id}/again", headers={"HX-Request": "true"})
    assert "pending" in desk.text(again)
    (fresh,) = texts(confirmed(admin, "/dashboard/webhooks/secret/merchant"))
    assert endpoints.secrets_in_force(merchant, api="merchant", now=make.now()) == [fresh, secret]
    confirmed(admin, f"{page}/remove")
    hook.refresh_from_db()
    assert not hook.is_active


def test_the_public_apis_one_url_is_replaced(admin: Visitor, merchant: Merchant) -> None:
    for url in ("https://hooks.example/one", "https://hooks.example/two"):
        confirmed(admin, "/dashboard/webhooks/new", {"api": "public", "url": url})
    rows = Endpoint.objects.filter(merchant=merchant, api="public", is_active=True)
    assert [row.url for row in rows] == ["https://hooks.example/two"]


def test_a_stores_login_is_shown_once_renewed_and_switched_off(admin: Visitor, merchant: Merchant) -> None:
    username, password = texts(confirmed(admin, "/dashboard/stores/new", {"name": "Harbour"}))
    store = merchant.stores.get()
    login = {"username": username, "password": password}
    assert shops.call("POST", "/api/v1/auth/login", login).status_code == 200
    _, other = texts(confirmed(admin, f"/dashboard/stores/{store.id}/password"))
    assert shops.call("POST", "/api/v1/auth/login", login).status_code == 401
    assert shops.call("POST", "/api/v1/auth/login", login | {"password": other}).status_code == 200
    confirmed(admin, f"/dashboard/stores/{store.id}/off")
    assert shops.call("POST", "/api/v1/auth/login", login | {"password": other}).status_code == 401


def test_the_statement_is_read_on_pages_and_as_csv(admin: Visitor, merchant: Merchant) -> None:
    for _ in range(55):
        make.deposit(merchant, "1")
    made = make.withdrawal(merchant, "10")
    page = admin.page("/dashboard/statement")
    assert len(page.select("tbody tr")) == 50
    assert "-10.00 USDT" in page.get_text()
    assert page.select_one(f'a[href$="{made.id}"]')
    older = page.select_one(".pager a")
    assert older is not None
    assert len(admin.page(f"/dashboard/statement{older['href']}").select("tbody tr")) == 7
    answer = admin.get("/dashboard/statement.csv?asset=USDT&purpose=available")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert (len(rows), rows[-1]["balance_after"]) == (57, "1045.000000")
    for odd in ("?asset=ODD", "?purpose=fees", "?before=-1", "?before=x", "?before=" + "9" * 40):
        assert admin.get(f"/dashboard/statement{odd}").status_code == 200


def test_the_chart_adds_up_what_came_and_what_went(admin: Visitor, merchant: Merchant) -> None:
    make.deposit(merchant, "250.5", network="ethereum")
    text = desk.text(admin.get("/dashboard/chart?asset=USDT&days=7"))
    assert re.search(r"In 1,250\.50 USDT · out 0\.00 USDT", text)
    assert "Nothing came" in desk.text(admin.get("/dashboard/chart?asset=ETH"))
    assert admin.get("/dashboard/chart?asset=odd&days=-1").status_code == 200


def test_the_overview_says_what_waits_for_whom(admin: Visitor, merchant: Merchant) -> None:
    make.withdrawal(merchant, "10", network="ethereum", destination=make.EVM_ADDRESS)
    text = admin.page("/dashboard/").get_text(" ", strip=True)
    assert "waits, for our automatic checks" in text or "waits for our automatic checks" in text
    assert "990.00 USDT" in text
    assert "10.00 USDT" in text


def test_an_authenticator_is_replaced_by_a_code_of_the_old_one(admin: Visitor) -> None:
    path = "/dashboard/security/authenticator"
    old = TOTPDevice.objects.get(user=admin.who.person)
    assert admin.post(path, {"code": "000000"}).status_code == 200
    assert TOTPDevice.objects.get(user=admin.who.person) == old  # no secret is shown to who lacks the old one
    page = confirmed(admin, path)
    new = authenticators.draft(admin.who.person)
    assert authenticators.secret(new) in texts(page)
    TOTPDevice.objects.filter(pk=new.pk).update(last_t=-1)
    drafted = make.Approver(admin.who.person, authenticators.secret(new))
    TOTPDevice.objects.filter(pk=old.pk).update(confirmed=True)
    token = _code_of(new)
    assert admin.post(path, {"code": token}).status_code == 302
    assert TOTPDevice.objects.get(user=drafted.person) == new
    assert visitors.is_in(admin.client)


def _code_of(device: TOTPDevice) -> str:
    import time

    from django_otp.oath import TOTP

    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time()
    return f"{totp.token():06d}"


def test_recovery_codes_are_made_anew_by_a_code(admin: Visitor) -> None:
    page = confirmed(admin, "/dashboard/security/codes")
    assert len(page.select(".codes li")) == authenticators.recovery_codes_left(admin.who.person) == 10


def test_a_password_is_changed_by_who_knows_it_and_ends_other_sessions(admin: Visitor) -> None:
    other = Client()
    TOTPDevice.objects.update(last_t=-1)
    visitors.log_in(other, admin.who)
    path, new = "/dashboard/security/password", "quite another pass phrase"
    chosen = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    assert "incorrectly" in wrong(desk.soup(admin.post(path, chosen)))
    assert admin.post(path, chosen | {"old_password": make.PASSWORD}).status_code == 302
    assert visitors.is_in(admin.client)
    assert not visitors.is_in(other)


def test_a_key_made_here_may_not_be_approved_by_who_made_it(admin: Visitor, merchant: Merchant) -> None:
    confirmed(admin, "/dashboard/keys/new", {"kind": "merchant"})
    key = ApiKey.objects.get(merchant=merchant)
    assert key.issued_to == admin.who.person
    assert keys.find(key.key_id, api="merchant") == key
