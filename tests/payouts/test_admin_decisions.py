"""The two approval buttons, through the admin's real forms and with real codes."""

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Status, Withdrawal
from tests import make

pytestmark = pytest.mark.django_db


class Desk:
    """A person at the admin, logged in with a password and a code of their authenticator."""

    def __init__(self, approver: make.Approver) -> None:
        self.approver = approver
        self.client = Client(enforce_csrf_checks=False)
        answer = self.client.post(
            "/admin/login/?next=/admin/",
            {"username": approver.person.username, "password": make.PASSWORD, "otp_token": approver.code()},
        )
        assert answer.status_code == 302, answer.content.decode()

    def page(self, withdrawal: Withdrawal, action: str = "approve") -> Any:
        return self.client.get(f"/admin/payouts/withdrawal/{withdrawal.id}/{action}/")

    def challenge(self, withdrawal: Withdrawal, action: str = "approve") -> str:
        field = BeautifulSoup(self.page(withdrawal, action).content, "html.parser").find("input", {"name": "challenge"})
        assert field is not None
        return str(field["value"])

    def post(self, withdrawal: Withdrawal, action: str = "approve", **fields: str) -> Any:
        return self.client.post(f"/admin/payouts/withdrawal/{withdrawal.id}/{action}/", fields)

    def decide(self, withdrawal: Withdrawal, action: str = "approve", **fields: str) -> Any:
        wanted = {"challenge": self.challenge(withdrawal, action), "otp": self.approver.code()} | fields
        return self.post(withdrawal, action, **wanted)


def in_review(**changes: Any) -> Withdrawal:
    made = make.withdrawal(make.merchant(funds="1000"), **changes)
    return withdrawals.screen(made.id, now=make.now())


def status(withdrawal: Withdrawal) -> str:
    return Withdrawal.objects.get(id=withdrawal.id).status


def refusal(answer: Any) -> str:
    shown = BeautifulSoup(answer.content, "html.parser").find(class_="desk-refusal")
    assert shown is not None, answer.content.decode()
    return shown.get_text(strip=True)


def test_two_people_approve_through_the_real_forms() -> None:
    withdrawal = in_review()
    first = Desk(make.approver(1)).decide(withdrawal)
    assert (first.status_code, first.url) == (302, "/admin/payouts/withdrawal/")
    assert status(withdrawal) == Status.LEVEL1_APPROVED
    assert Desk(make.approver(2)).decide(withdrawal).status_code == 302
    assert status(withdrawal) == Status.APPROVED
