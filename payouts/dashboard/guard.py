"""Who enters a page of the dashboard: somebody with password and code, from where the merchant allows, with the right.

Every page is a function of a Visit; nothing on it is reached but through the visit's merchant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from payouts.dashboard import rendering
from payouts.merchants import members, origins
from payouts.merchants.models import Member, Merchant

DOOR = "dashboard:login"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request by one of the merchant's people."""

    request: HttpRequest
    member: Member

    @property
    def merchant(self) -> Merchant:
        """Whose dashboard it is."""
        return self.member.merchant

    @property
    def person(self) -> User:
        """Who is there."""
        return self.member.person

    def may(self, right: str) -> bool:
        """Whether this person holds a right: view, pay or administer."""
        return members.may(self.member, right)


View = Callable[..., HttpResponseBase]


def page(right: str, *, methods: Sequence[str] = ("GET",)) -> Callable[[View], View]:
    """Let a page be opened by whoever holds the right, by these methods; what nobody finds looks the same for all."""

    def guarded(view: View) -> View:
        @never_cache
        @csrf_protect
        @wraps(view)
        def entered(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            visit = entry(request)
            if visit is None:
                return _to_the_door(request)
            if not origins.admits(visit.merchant, request):
                return rendering.refusal(visit, 403, "Your company allows no visits from this network.")
            if request.method not in (*methods, "HEAD"):
                return HttpResponseNotAllowed(methods)
            if not visit.may(right):
                return rendering.refusal(visit, 403, "Your role does not allow this. An administrator can change that.")
            try:
                return view(visit, **kwargs)
            except Http404:
                return rendering.refusal(visit, 404, "There is nothing here.")

        entered.right, entered.methods = right, tuple(methods)  # type: ignore[attr-defined]  # read by the route table's test
        return entered

    return guarded


def entry(request: HttpRequest) -> Visit | None:
    """The visit of somebody who has logged in with a code, or None."""
    person = request.user
    if not person.is_authenticated or not person.is_verified():  # type: ignore[attr-defined]  # django-otp's middleware adds it
        return None
    member = members.acting(person)
    return Visit(request, member) if member else None


def _to_the_door(request: HttpRequest) -> HttpResponse:
    door = reverse(DOOR)
    if request.method == "GET" and "HX-Request" not in request.headers:
        return HttpResponseRedirect(f"{door}?{urlencode({'next': request.get_full_path()})}")
    answer = HttpResponse(status=401)
    answer["HX-Redirect"] = door  # a part of a page cannot show the login: htmx opens it whole
    return answer if "HX-Request" in request.headers else HttpResponseRedirect(door)
