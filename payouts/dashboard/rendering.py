"""The frame around every page: whose dashboard it is, where one may go, what was just done."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render

from payouts.dashboard import navigation

if TYPE_CHECKING:
    from payouts.dashboard.guard import Visit

ROOM = "payouts/dashboard"


def page(visit: "Visit", template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """A page in the frame; `template` is named within the dashboard's folder."""
    frame = _everywhere(visit) | {"navigation": navigation.entries(visit)}
    return render(visit.request, f"{ROOM}/{template}", frame | dict(context), status=status)


def part(visit: "Visit", template: str, context: Mapping[str, Any]) -> HttpResponse:
    """A piece of a page, which htmx puts into the one that is open."""
    return render(visit.request, f"{ROOM}/{template}", _everywhere(visit) | dict(context))


def _everywhere(visit: "Visit") -> dict[str, Any]:
    rights = {"can_pay": visit.may("pay"), "can_administer": visit.may("administer")}
    return {"visit": visit, "merchant": visit.merchant} | rights


def wants_part(visit: "Visit") -> bool:
    """Whether htmx asks for a piece; going back in the browser's history asks for the whole page."""
    headers = visit.request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def refusal(visit: "Visit", status: int, text: str) -> HttpResponse:
    """A page that says why not."""
    titles = {403: "Not allowed", 404: "Not found", 400: "That does not fit"}
    return page(visit, "refusal.html", {"title": titles[status], "text": text}, status=status)


def chosen(value: str | None, choices: Sequence[str]) -> str:
    """A query parameter that is one of the choices, else nothing: a page is no form, a wrong link shows all."""
    return value if value is not None and value in choices else ""
