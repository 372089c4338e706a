"""`manage.py authenticator`: one authenticator a person, put in place of a lost one only when that is said."""

import io
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests import make

pytestmark = pytest.mark.django_db


def enrol(username: str, *options: str) -> str:
    told = io.StringIO()
    call_command("authenticator", username, *options, stdout=told)
    found = re.search(r"secret=([A-Z2-7]+)", told.getvalue())
    assert found, told.getvalue()
    return found[1]


def test_the_secret_that_is_told_is_the_one_that_is_asked_for() -> None:
    User.objects.create_user("boss", password=make.PASSWORD)
    secret = enrol("boss")
    device = TOTPDevice.objects.get(user__username="boss")
    assert device.confirmed
    assert f"secret={secret}" in device.config_url


def test_a_second_one_is_refused_unless_it_replaces_the_first() -> None:
    User.objects.create_user("boss", password=make.PASSWORD)
    first = enrol("boss")
    with pytest.raises(CommandError, match="--replace"):
        enrol("boss")
    assert enrol("boss", "--replace") != first
    assert TOTPDevice.objects.filter(user__username="boss").count() == 1


def test_nobody_gets_none() -> None:
    with pytest.raises(CommandError, match="no user"):
        enrol("nobody")
