"""Getting into the dashboard: a password and a code, enrolled the first time, and nothing else."""

import re
from typing import Any

import pytest
from axes.models import AccessFailureLog, AccessLog
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from payouts.merchants import authenticators
from payouts.merchants.models import Member, Merchant
from tests import make
from tests.dashboard import visitors
from tests.dashboard.visitors import DOOR, HOME, is_in, log_in
from tests.payouts import desk

pytestmark = pytest.mark.django_db
CODE, ENROL = "/dashboard/login/code", "/dashboard/login/enrol"


@pytest.fixture
def who() -> make.Approver:
    return visitors.person(make.merchant())


def test_a_password_and_a_code_open_the_door_and_lead_to_where_one_wanted_to_go(who: make.Approver) -> None:
    client = Client()
    sent_away = client.get("/dashboard/security")
    assert sent_away["Location"] == f"{DOOR}?next=%2Fdashboard%2Fsecurity"
    assert log_in(client, who, onwards="/dashboard/security")["Location"] == "/dashboard/security"
    assert is_in(client)
    assert AccessLog.objects.filter(username=who.person.username).count() == 1


def test_a_password_alone_opens_nothing(who: make.Approver) -> None:
    client = Client()
    client.post(DOOR, {"username": who.person.username, "password": make.PASSWORD})
    assert client.get(HOME).status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("typed", ["", "000000", "12345", "1234567", "abcdef", "１２３４５６", "+12345"])
def test_without_a_right_code_the_door_stays_shut(who: make.Approver, typed: str) -> None:
    client = Client()
    answer = log_in(client, who, code=typed)
    assert (answer.status_code, is_in(client)) == (200, False)


def test_a_code_opens_the_door_once(who: make.Approver) -> None:
    used, client = desk.code(who), Client()
    assert log_in(Client(), who, code=used).status_code == 302
    assert "wrong or already used" in desk.text(log_in(client, who, code=used))
    assert not is_in(client)


def test_wrong_codes_count_like_wrong_passwords_and_both_are_seen_later(who: make.Approver, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    client = Client()
    client.post(DOOR, {"username": who.person.username, "password": "wrong"})
    client.post(DOOR, {"username": who.person.username, "password": make.PASSWORD})
    for _ in range(2):
        answer = client.post(CODE, {"code": "000000"})
    assert answer.status_code == 429
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert client.post(CODE, {"code": desk.code(who)}).status_code != 302
    locked = log_in(Client(), who)
    assert locked.status_code == 429
    assert "Too many wrong attempts" in desk.text(locked)
    assert AccessFailureLog.objects.filter(username=who.person.username).count() >= 3


def test_the_sessions_key_changes_with_the_password_and_with_the_code(who: make.Approver) -> None:
    client = Client()
    client.get(DOOR)
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies["sessionid"] = session.session_key or ""
    client.post(DOOR, {"username": who.person.username, "password": make.PASSWORD})
    half_way = client.cookies["sessionid"].value
    client.post(CODE, {"code": desk.code(who)})
    inside = client.cookies["sessionid"].value
    assert len({session.session_key, half_way, inside}) == 3
    assert "planted" not in client.session


def test_a_new_person_enrols_keeps_recovery_codes_and_is_in() -> None:
    who, client = visitors.person(make.merchant(), enrolled=False), Client()
    answer = client.post(DOOR, {"username": who.person.username, "password": make.PASSWORD})
    assert answer["Location"] == ENROL
    page = desk.soup(client.get(ENROL))
    shown, device = page.find("code", class_="whole"), TOTPDevice.objects.get(user=who.person)
    assert shown is not None
    assert shown.get_text() == authenticators.secret(device)
    picture = page.find("img", class_="qr")
    assert picture is not None
    assert str(picture["src"]).startswith("data:image/svg+xml;base64,")
    assert client.post(ENROL, {"code": "000000"}).status_code == 200
    assert not TOTPDevice.objects.get(user=who.person).confirmed
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    codes = re.findall(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", desk.text(client.post(ENROL, {"code": desk.code(who)})))
    assert len(set(codes)) == 10
    assert is_in(client)
    assert client.get(ENROL).status_code == 302  # the secret is shown no more
    other = Client()
    other.post(DOOR, {"username": who.person.username, "password": make.PASSWORD})
    assert other.post(f"{CODE}?recovery=1", {"recovery_code": codes[0].upper()}).status_code == 302
    assert is_in(other)
    assert StaticToken.objects.count() == 9
    again = Client()
    again.post(DOOR, {"username": who.person.username, "password": make.PASSWORD})
    assert again.post(f"{CODE}?recovery=1", {"recovery_code": codes[0]}).status_code == 200
    assert not is_in(again)


def test_who_has_an_authenticator_cannot_enrol_another_with_the_password_alone(who: make.Approver) -> None:
    client = Client()
    client.post(DOOR, {"username": who.person.username, "password": make.PASSWORD})
    assert client.get(ENROL)["Location"] == CODE
    assert client.post(ENROL, {"code": "000000"})["Location"] == CODE
    assert TOTPDevice.objects.filter(user=who.person).count() == 1


def stranger(change: str) -> make.Approver:
    who = visitors.person(make.merchant())
    if change == "no member":
        Member.objects.all().delete()
    else:
        User.objects.filter(pk=who.person.pk).update(**{change: change != "is_active"})
    return who


@pytest.mark.parametrize("change", ["no member", "is_staff", "is_superuser", "is_active"])
def test_only_a_merchants_own_people_enter(change: str) -> None:
    who, client = stranger(change), Client()
    answer = log_in(client, who)
    assert "Wrong username or password." in desk.text(answer)
    assert not is_in(client)


@pytest.mark.parametrize("change", ["no member", "is_staff", "is_active"])
def test_whoever_is_no_longer_one_is_out_at_once(change: str) -> None:
    inside = visitors.Visitor(make.merchant())
    assert is_in(inside.client)
    if change == "no member":
        Member.objects.all().delete()
    else:
        User.objects.filter(pk=inside.who.person.pk).update(**{change: change != "is_active"})
    assert not is_in(inside.client)


def test_a_new_password_ends_the_sessions_under_the_old_one() -> None:
    inside = visitors.Visitor(make.merchant())
    inside.who.person.set_password("another long pass phrase")
    inside.who.person.save()
    assert not is_in(inside.client)


def test_logging_out_ends_the_session_and_takes_a_form() -> None:
    inside = visitors.Visitor(make.merchant())
    assert inside.get("/dashboard/logout").status_code == 405
    assert is_in(inside.client)
    inside.post("/dashboard/logout")
    assert not is_in(inside.client)


@pytest.mark.parametrize(
    "onwards", ["https://evil.example/", "//evil.example/dashboard/", "/admin/", "javascript:alert(1)"]
)
def test_a_login_leads_nowhere_else(who: make.Approver, onwards: str) -> None:
    assert log_in(Client(), who, onwards=onwards)["Location"] == HOME


def test_forms_from_elsewhere_are_refused(who: make.Approver) -> None:
    strict = Client(enforce_csrf_checks=True)
    fields = {"username": who.person.username, "password": make.PASSWORD}
    assert strict.post(DOOR, fields).status_code == 403
    assert strict.post("/dashboard/logout").status_code == 403
    assert AccessLog.objects.count() == 0


def test_an_invitation_lets_one_choose_a_password_once() -> None:
    who, client = visitors.person(make.merchant(), enrolled=False), Client()
    link = f"/dashboard/join/{who.person.pk}/{default_token_generator.make_token(who.person)}"
    assert client.get(link).status_code == 200
    assert client.post(link, {"new_password1": "12345678", "new_password2": "12345678"}).status_code == 200
    chosen = {"new_password1": "a long and new pass phrase", "new_password2": "a long and new pass phrase"}
    assert client.post(link, chosen)["Location"] == DOOR
    assert (client.get(link).status_code, client.post(link, chosen).status_code) == (404, 404)
    answer = client.post(DOOR, {"username": who.person.username, "password": chosen["new_password1"]})
    assert answer["Location"] == ENROL
    assert client.get(f"/dashboard/join/{10**30}/x-y").status_code == 404


def test_pages_may_not_be_framed_kept_or_run_others_scripts() -> None:
    inside = visitors.Visitor(make.merchant())
    for answer in (inside.get(HOME), Client().get(DOOR)):
        policy = answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
        assert "no-store" in answer["Cache-Control"]
        assert "frame-ancestors 'none'" in policy
        assert not re.search("unsafe|http", policy)


def test_a_company_may_name_the_networks_that_its_people_come_from() -> None:
    merchant = make.merchant()
    inside = visitors.Visitor(merchant)
    for networks, answer in ((["192.0.2.0/24"], 403), (["192.0.2.0/24", "127.0.0.0/8"], 200), ([], 200)):
        Merchant.objects.filter(id=merchant.id).update(allowed_networks=networks)
        assert inside.get(HOME).status_code == answer
    Merchant.objects.filter(id=merchant.id).update(allowed_networks=["192.0.2.0/24"])
    assert inside.get(HOME, X_Forwarded_For="192.0.2.7").status_code == 403  # anybody can write that
