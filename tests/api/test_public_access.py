"""Who may do what at the `public` API: every route of it × who is calling × whose ids they name."""

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from payouts.api.public import auth, frame, urls
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import users
from tests.api.users import BASE, CREATE, conformance

pytestmark = pytest.mark.django_db
ABSENT = "01900000-0000-7000-8000-000000000000"
ID = "<str:public_id>"
# fmt: off
# Every route and method; the body that works; whether the secret is needed.
ROUTES: dict[tuple[str, str], tuple[dict[str, Any] | None, bool]] = {
    ("POST", "public/user/withdrawal/create"):              (CREATE, False),
    ("GET",  "public/withdrawal-requests"):                 (None, False),
    ("POST", "public/withdrawal-requests"):                 (CREATE, False),
    ("POST", f"public/withdrawal-requests/{ID}/approve"):   ({}, True),
    ("POST", f"public/withdrawal-requests/{ID}/reject"):    ({}, True),
    ("GET",  "public/payout/get"):                          (None, False),
    ("POST", "public/wallet/generate"):                     ({"userId": "u", "email": "u@shop.example"}, False),
    ("GET",  "public/user/balance"):                        (None, False),
    ("GET",  "public/balance"):                             (None, False),
    ("GET",  "public/webhook/url"):                         (None, False),
    ("POST", "public/webhook/url"):                         ({"url": "https://hooks.example/in"}, False),
    ("POST", "public/webhook/test"):                        ({}, False),
    ("POST", "public/webhook/replay"):                      ({"id": ABSENT}, False),
    ("GET",  "public/webhook/secret"):                      (None, False),
    ("POST", "public/webhook/secret/rotate"):               ({}, True),
}
# fmt: on
OPEN = {("POST", "public/payout/create"), ("POST", "payout/create")}
QUERIES = {"public/payout/get": "id", "public/user/balance": "userId"}


def routed() -> set[tuple[str, str]]:
    """What the URL configuration really has."""
    found = set()
    for pattern in urls.urlpatterns:
        view = pattern.callback.view_class  # type: ignore[attr-defined]  # a route, made by as_view()
        methods = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        found |= {(method, str(pattern.pattern)) for method in methods}
    return found


def path(route: str, *, id_: str = ABSENT) -> str:
    whole = "/" + route.replace(ID, id_)
    return f"{whole}?{QUERIES[route]}={id_}" if route in QUERIES else whole


def test_no_route_is_missing_from_the_list() -> None:
    assert routed() == set(ROUTES) | OPEN


def test_the_api_is_where_the_document_says() -> None:
    assert BASE == "/api/v1"
    here = [one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and one.urlconf_name is urls]
    assert [str(one.pattern) for one in here] == ["api/v1/"]
    assert all(isinstance(one, URLPattern) for one in urls.urlpatterns)


@conformance("S apikey alone opens the reads and the create; approve and reject need x-api-secret: 401")
@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_nobody_passes_without_a_right_key_and_nothing_is_changed(method: str, route: str) -> None:
    program, body = users.program(), ROUTES[method, route][0]
    merchant_api = make.client(program.merchant)
    inactive = users.colleague(program)
    users.switch_off(inactive)
    before = users.state(program.merchant)
    key, secret = program.apikey, program.api_secret
    strangers: list[tuple[dict[str, str], str]] = [
        ({}, "apikey header is required"),
        ({"x-api-secret": secret}, "apikey header is required"),
        ({"apikey": ""}, "apikey header is required"),
        ({"apikey": "your-api-key", "x-api-secret": "your-api-secret"}, "Invalid API key"),
        ({"apikey": key[:-1] + ("0" if key[-1] != "0" else "1"), "x-api-secret": secret}, "Invalid API key"),
        ({"apikey": key.upper(), "x-api-secret": secret}, "Invalid API key"),
        ({"apikey": key.rpartition("_")[0], "x-api-secret": secret}, "Invalid API key"),
        ({"apikey": merchant_api.issued.key.key_id, "x-api-secret": merchant_api.issued.secret}, "Invalid API key"),
        ({"apikey": inactive.apikey, "x-api-secret": inactive.api_secret}, "Invalid API key"),
        ({"apikey": key, "x-api-secret": users.colleague(program).api_secret}, "Invalid API secret"),
        ({"apikey": key, "x-api-secret": "é" * 64}, "Invalid API secret"),
    ]
    if ROUTES[method, route][1]:
        strangers.append(({"apikey": key}, "x-api-secret header is required"))
    for headers, text in strangers:
        answer = program.call(method, path(route), body or "", headers=headers)
        assert users.error(answer) == (401, text)
        assert answer.json()["error"]["code"] == "INVALID_AUTH"
    assert users.state(program.merchant) == before


@pytest.mark.parametrize(("method", "route"), [case for case in ROUTES if "{" in path(case[1], id_="{}")])
def test_another_merchants_ids_answer_like_absent_ones(method: str, route: str) -> None:
    mine, theirs = users.program(), users.program()
    users.wallet(theirs.merchant, "only theirs", deposited="70")
    foreign = {
        "id": [users.data(theirs.request(), status=201)["id"], str(make.withdrawal(theirs.merchant).id)],
        "userId": ["only%20theirs"],
    }[QUERIES.get(route, "id")]
    before = users.state(theirs.merchant)
    absent = mine.call(method, path(route), ROUTES[method, route][0] or "")
    assert users.error(absent)[0] == 404
    for one in foreign:
        answer = mine.call(method, path(route, id_=one), ROUTES[method, route][0] or "")
        assert (answer.status_code, answer.content) == (404, absent.content)
    assert users.state(theirs.merchant) == before


def test_nothing_of_another_merchants_is_listed_or_counted() -> None:
    mine, theirs = users.program(funds="0", user_funds="0"), users.program()
    users.data(theirs.request(), status=201)
    users.data(theirs.post("/public/webhook/url", {"url": "https://hooks.example/theirs"}))
    assert users.data(mine.get("/public/withdrawal-requests"))["withdrawals"] == []
    assert users.data(mine.get("/public/balance"))["totalAmt"] == 0
    assert users.data(mine.get("/public/user/balance?userId=user-12345"))["totalAmt"] == 0
    assert users.data(mine.get("/public/webhook/url"))["url"] is None
    assert users.data(theirs.get("/public/withdrawal-requests"))["pagination"]["total"] == 1


def test_a_withdrawal_that_another_api_made_is_not_decided_here() -> None:
    program = users.program()
    other = make.withdrawal(program.merchant)
    for decision in ("approve", "reject"):
        answer = program.post(f"/public/withdrawal-requests/{other.id}/{decision}")
        assert users.error(answer) == (404, "Withdrawal not found")
    assert Withdrawal.objects.get().status == "PENDING"


@conformance("R wrong path, method or content type: 404, 405, 415 in this API's envelope")
def test_what_is_not_there_answers_in_the_envelope() -> None:
    program = users.program()
    before = users.state(program.merchant)
    for wrong in (
        "/public",
        "/public/",
        "/public/nothing",
        "/public/payout/get/",
        "/payout/list",
        "/payout",
        "/public/%00",
    ):
        for method in ("GET", "POST"):
            assert users.error(program.call(method, wrong, headers={}))[0] == 404
    for method, route in ROUTES:
        answer = program.call("DELETE" if method == "GET" else "PUT", path(route), "{}")
        assert users.error(answer)[0] == 405
        assert method in answer.headers["Allow"]
        assert users.error(program.call("GET", "/payout/create"))[0] == 405
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert users.error(program.post(users.CREATE_PATH, CREATE, content_type=kind))[0] == 415
    for raw in (b"{", b"[]", b'{"amount": NaN}', b'{"amount": 5, "amount": 6}', b"\xff", b"[" * 100_000):
        assert users.error(program.post(users.REQUESTS, raw))[0] == 400
    assert users.state(program.merchant) == before


def test_the_secret_is_asked_for_where_the_table_says() -> None:
    asked = {
        str(one.pattern)
        for one in urls.urlpatterns
        if auth.WholePair in one.callback.view_class.authentication_classes  # type: ignore[attr-defined]  # as above
    }
    assert asked == {route for (_, route), (_, needs_secret) in ROUTES.items() if needs_secret}
    assert issubclass(frame.PayoutCreate, frame.Unchecked)
