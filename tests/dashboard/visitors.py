"""A merchant's person at the dashboard, in a browser's place: real forms, real codes."""

import uuid
from typing import Any

from bs4 import BeautifulSoup, Tag
from django.contrib.auth.models import User
from django.test import Client

from payouts.merchants import authenticators
from payouts.merchants.models import Member, Merchant
from tests import make
from tests.payouts import desk

HOME = "/dashboard/"
DOOR = "/dashboard/login"


def person(of: Merchant, role: str = Member.Role.ADMIN, *, enrolled: bool = True) -> make.Approver:
    """Somebody of the merchant's with password and authenticator."""
    user = User.objects.create_user(f"person-{uuid.uuid4().hex[:10]}", password=make.PASSWORD)
    Member.objects.create(merchant=of, person=user, role=role)
    return make.Approver(user, authenticators.secret(authenticators.enrol(user)) if enrolled else "")


def log_in(client: Client, who: make.Approver, *, code: str | None = None, onwards: str = "") -> Any:
    """Password, then code; the last answer."""
    fields = {"username": who.person.username, "password": make.PASSWORD, "next": onwards}
    answer = client.post(DOOR, fields)
    if answer.status_code != 302:
        return answer
    return client.post(answer["Location"], {"code": desk.code(who) if code is None else code})


def is_in(client: Client) -> bool:
    return bool(client.get(HOME).status_code == 200)


class Visitor:
    """Somebody who has logged in."""

    def __init__(self, of: Merchant, role: str = Member.Role.ADMIN) -> None:
        self.merchant = of
        self.who = person(of, role)
        self.client = Client()
        answer = log_in(self.client, self.who)
        assert answer.status_code == 302, answer.content.decode()

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers or None)

    def page(self, path: str) -> BeautifulSoup:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return desk.soup(answer)

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.client.post(path, (fields or {}) | more)

    def code(self) -> str:
        return desk.code(self.who)


def fields(page: BeautifulSoup, form_id: str = "") -> dict[str, str]:
    """What a browser would send with the page's main form as it stands."""
    form = page.select_one(f"#{form_id}" if form_id else "main form")
    assert form is not None
    return {str(one["name"]): str(one.get("value", "")) for one in form.select("input[name]") if isinstance(one, Tag)}


def wrong(page: BeautifulSoup) -> str:
    """What the page says is wrong, beside its fields or above them."""
    return " ".join(one.get_text(" ", strip=True) for one in page.select(".errorlist, .note-error"))
