"""Getting into the admin: a password and a code of one's own authenticator, and nothing else."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests import make
from tests.payouts.desk import Desk, code, log_in, soup, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def is_in(client: Client) -> bool:
    return bool(client.get("/admin/").status_code == 200)


def test_a_password_and_a_code_open_the_door() -> None:
    client = Client()
    answer = log_in(client, make.approver(1))
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert is_in(client)


@pytest.mark.parametrize("typed", ["", "000000", "12345", "1234567", "abcdef", "１２３４５６", "+12345"])
def test_without_a_right_code_the_door_stays_shut(typed: str) -> None:
    client = Client()
    answer = log_in(client, make.approver(1), otp_token=typed)
    assert (answer.status_code, is_in(client)) == (200, False)


def test_full_width_digits_of_a_right_code_are_refused() -> None:
    approver, client = make.approver(1), Client()
    full_width = code(approver).translate({ord(digit): 0xFF10 + int(digit) for digit in "0123456789"})
    answer = log_in(client, approver, otp_token=full_width)
    assert "six digits" in text(answer)
    assert not is_in(client)


def test_a_code_opens_the_door_once() -> None:
    approver, client = make.approver(1), Client()
    used = code(approver)
    log_in(Client(), approver, otp_token=used)
    log_in(client, approver, otp_token=used)
    assert not is_in(client)


def test_a_wrong_password_is_refused_and_uses_up_no_code() -> None:
    approver, client = make.approver(1), Client()
    used = code(approver)
    log_in(client, approver, password="wrong", otp_token=used)
    assert not is_in(client)
    log_in(client, approver, otp_token=used)
    assert is_in(client)


def test_a_person_without_an_authenticator_stays_outside() -> None:
    approver, client = make.approver(1), Client()
    used = code(approver)
    TOTPDevice.objects.all().delete()
    log_in(client, approver, otp_token=used)
    assert not is_in(client)


def test_an_unconfirmed_authenticator_opens_nothing() -> None:
    approver, client = make.approver(1), Client()
    TOTPDevice.objects.update(confirmed=False)
    answer = log_in(client, approver, otp_token=code(approver))
    assert (answer.status_code, is_in(client)) == (200, False)


def test_a_list_of_static_codes_opens_nothing() -> None:
    approver, client = make.approver(1), Client()
    device = StaticDevice.objects.create(user=approver.person, name="paper", confirmed=True)
    StaticToken.objects.create(device=device, token="123456")
    log_in(client, approver, otp_token="123456", otp_device=device.persistent_id)
    assert not is_in(client)


def test_a_person_who_is_not_staff_stays_outside() -> None:
    approver, client = make.approver(1), Client()
    User.objects.update(is_staff=False)
    log_in(client, approver)
    assert not is_in(client)


def test_a_person_switched_off_is_out_at_once() -> None:
    desk = Desk(make.approver(1))
    User.objects.update(is_active=False)
    assert not is_in(desk.client)


def test_guessing_passwords_locks_the_door_for_the_right_one_too(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    approver, client = make.approver(1), Client()
    for _ in range(3):
        log_in(client, approver, password="wrong")
    answer = log_in(client, approver)
    assert (answer.status_code, is_in(client)) == (429, False)


def test_guessing_codes_slows_down() -> None:
    approver, client = make.approver(1), Client()
    log_in(client, approver, otp_token="000000")
    answer = log_in(client, approver)
    assert "temporarily disabled" in text(answer)
    assert not is_in(client)


def test_the_login_form_asks_for_a_one_time_code() -> None:
    field = soup(Client().get("/admin/login/")).find("input", {"name": "otp_token"})
    assert field is not None
    assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")


def test_a_login_leads_to_no_other_site() -> None:
    answer = log_in(Client(), make.approver(1), next="https://evil.example/")
    assert "evil" not in answer["Location"]


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/admin/payouts/withdrawal/"])
def test_only_the_admins_pages_may_evaluate_scripts_and_only_their_own(path: str) -> None:
    policy = Desk(make.approver(1)).get(path)["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "unsafe-inline" not in policy
    assert "http" not in policy


def test_other_pages_keep_the_strict_policy() -> None:
    assert "unsafe-eval" not in Client().get("/healthz")["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/admin/payouts/withdrawal/"])
def test_no_page_loads_anything_from_elsewhere(path: str) -> None:
    page = soup(Desk(make.approver(1)).get(path))
    loaded = [str(tag.get("src") or tag.get("href")) for tag in page.find_all(["script", "link", "img"])]
    assert [url for url in loaded if not url.startswith("/") and url != "None"] == []
    assert page.find_all("style") == []


def test_pages_may_not_be_framed_or_kept() -> None:
    answer = Desk(make.approver(1)).get("/admin/")
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]
