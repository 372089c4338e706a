"""A person at the admin, in a browser's place: real forms, real codes."""

import time
from typing import Any

from bs4 import BeautifulSoup
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from payouts.merchants.models import Challenge
from payouts.withdrawals import decisions, withdrawals
from payouts.withdrawals.models import StepTaken, Withdrawal
from payouts.withdrawals.rule_models import RuleProposal
from tests import make

QUEUE = "/admin/payouts/withdrawal/"
CHANGES = "/admin/payouts/ruleproposal/"


def code(approver: make.Approver) -> str:
    """A code not used yet and good for half a minute at least.

    The oldest of the three that a device accepts would run out between being read and being typed whenever a step
    ends there, and so would be this moment's after a later one had moved the device's clock.
    """
    device = TOTPDevice.objects.get(user=approver.person)
    now = int(time.time()) // device.step
    last = device.last_t if device.last_t == now else now - 1
    TOTPDevice.objects.filter(pk=device.pk).update(last_t=last, drift=0)
    return approver.code()


def log_in(client: Client, approver: make.Approver, **changes: str) -> Any:
    if "otp_token" not in changes:
        changes["otp_token"] = code(approver)
    fields = {"username": approver.person.username, "password": make.PASSWORD}
    return client.post("/admin/login/?next=/admin/", fields | changes)


class Desk:
    """Somebody who logged in with a password and a code of their authenticator."""

    def __init__(self, approver: make.Approver) -> None:
        self.approver = approver
        self.client = Client()
        answer = log_in(self.client, approver)
        assert answer.status_code == 302, answer.content.decode()

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def page(self, withdrawal: Withdrawal, action: str = "approve") -> Any:
        return self.client.get(f"{QUEUE}{withdrawal.id}/{action}/")

    def challenge(self, withdrawal: Withdrawal, action: str = "approve") -> str:
        field = soup(self.page(withdrawal, action)).find("input", {"name": "challenge"})
        assert field is not None
        return str(field["value"])

    def post(self, withdrawal: Withdrawal, action: str = "approve", **fields: str) -> Any:
        return self.client.post(f"{QUEUE}{withdrawal.id}/{action}/", fields)

    def decide(self, withdrawal: Withdrawal, action: str = "approve", **fields: str) -> Any:
        """Open the page, read the challenge off it, type a fresh code, press the button."""
        fields.setdefault("challenge", self.challenge(withdrawal, action))
        if "otp" not in fields:
            fields["otp"] = code(self.approver)
        return self.post(withdrawal, action, **fields)

    def shown(self, withdrawal: Withdrawal, verb: str) -> str:
        """A challenge past the page, for people to whom the page offers none."""
        return str(decisions.show(withdrawal, verb, person=self.approver.person, now=make.now()).id)


def superuser(level: int = 1) -> make.Approver:
    approver = make.approver(level)
    User.objects.filter(pk=approver.person.pk).update(is_superuser=True)
    return make.Approver(User.objects.get(pk=approver.person.pk), approver.totp_secret)


def soup(answer: Any) -> BeautifulSoup:
    return BeautifulSoup(answer.content, "html.parser")


def text(answer: Any) -> str:
    return soup(answer).get_text(" ", strip=True)


def refusal(answer: Any) -> str:
    shown = soup(answer).find(class_="desk-refusal")
    assert shown is not None, answer.content.decode()
    return shown.get_text(strip=True)


def in_review(*, funds: str = "1000", **changes: Any) -> Withdrawal:
    made = make.withdrawal(make.merchant(funds=funds), **changes)
    return withdrawals.screen(made.id, now=make.now())


def state(withdrawal: Withdrawal) -> dict[str, Any]:
    """Everything about a withdrawal that a decision could change."""
    row = Withdrawal.objects.filter(id=withdrawal.id).values().get()
    return row | {"steps": StepTaken.objects.filter(withdrawal=withdrawal).count()}


def challenges() -> int:
    return Challenge.objects.count()


def confirm(by: Desk, proposal: RuleProposal, **fields: str) -> Any:
    """Open a proposed change of a rule, read the challenge off the page, type a fresh code."""
    page = f"{CHANGES}{proposal.id}/change/"
    field = soup(by.get(page)).find("input", {"name": "challenge"})
    assert field is not None
    return by.client.post(page, {"challenge": str(field["value"]), "otp": code(by.approver)} | fields)
