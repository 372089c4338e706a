"""Every endpoint × role × foreign id of the `extraction` API, against one table; no route is missing from it."""

import functools
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern

from payouts.api.extraction import urls
from payouts.merchants.store_models import Supervisor
from tests import make
from tests.api import shops, speaker
from tests.api.shops import conformance

pytestmark = pytest.mark.django_db

ROLES = ("nobody", "merchant key", "deleted supervisor", "supervisor", "buyer", "store", "other store", "sibling")
OUT = (401, 401, 401)
# fmt: off
# Which of its merchant's or another's things each role reaches; ids in the paths are those of `store`.
TABLE: dict[tuple[str, str], tuple[int, ...]] = {
    #                                                nobody, key, deleted  supervisor  buyer  store  other  sibling
    ("POST",   "extraction/to-usdt"):               (*OUT,                 403,        201,   201,   201,   201),
    ("GET",    "account/<str:account_id>"):         (*OUT,                 200,        200,   200,   404,   404),
    ("GET",    "supervisor"):                       (*OUT,                 403,        403,   200,   200,   200),
    ("POST",   "supervisor"):                       (*OUT,                 403,        403,   201,   201,   201),
    ("GET",    "supervisor/me"):                    (*OUT,                 200,        200,   403,   403,   403),
    ("GET",    "supervisor/<str:supervisor_id>"):   (*OUT,                 403,        403,   200,   404,   404),
    ("PATCH",  "supervisor/<str:supervisor_id>"):   (*OUT,                 403,        403,   200,   404,   404),
    ("DELETE", "supervisor/<str:supervisor_id>"):   (*OUT,                 403,        403,   204,   404,   404),
    ("POST",   "auth/logout"):                      (*OUT,                 204,        204,   204,   204,   204),
    ("POST",   "auth/login"):                       (400,) * 8,
    ("POST",   "auth/refresh"):                     (400,) * 8,
}
BODIES: dict[str, Any] = {
    "extraction/to-usdt": {"amount": 1, "address": make.TRON_ADDRESS},
    "supervisor": {"name": "New", "email": "new@shop.example"},
    "supervisor/<str:supervisor_id>": {"qrActive": True},
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody who could knock, and the store whose ids stand in the paths."""

    shop: shops.Shop
    headers: dict[str, str]
    foreign: shops.Shop
    clerk: str


def token(caller: shops.Caller) -> str:
    return f"Bearer {caller.log_in()['accessToken']}"


def deleted(shop: shops.Shop) -> str:
    caller = shop.buyer()
    bearer = token(caller)
    path = f"/supervisor/{caller.get('/supervisor/me').json()['id']}"
    assert shop.caller.call("DELETE", path).status_code == 204
    return bearer


@pytest.fixture
def cast() -> Cast:
    shop, foreign = shops.shop(funds="100"), shops.shop(funds="100")
    sibling = shops.shop(funds="100", of=shop.merchant)
    shop.caller.extract(amount=1)
    headers = {
        "nobody": "",
        "merchant key": speaker.program(shop.merchant).bearer(),
        "deleted supervisor": deleted(shop),
        "supervisor": token(shop.supervisor()),
        "buyer": token(shop.buyer()),
        "store": token(shop.caller),
        "other store": token(foreign.caller),
        "sibling": token(sibling.caller),
    }
    clerk = shop.supervisor().get("/supervisor/me").json()["id"]
    return Cast(shop, headers, foreign, clerk)


def knock(cast: Cast, method: str, route: str, role: str) -> Any:
    path = route.replace("<str:account_id>", str(cast.shop.qr_code.account))
    path = path.replace("<str:supervisor_id>", cast.clerk)
    header = cast.headers[role]
    body = BODIES.get(route, {}) if method in ("POST", "PATCH") else None
    return shops.call(method, f"/{path}", body, **({"Authorization": header} if header else {}))


@conformance("R every endpoint × role × foreign id: no leak")
@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_what_the_table_says_and_nothing_else(cast: Cast, role: str) -> None:
    found = {}
    for method, route in TABLE:
        before = shops.state(cast.shop.merchant)
        answer = knock(cast, method, route, role)
        found[method, route] = answer.status_code
        if answer.status_code >= 400:
            shops.error(answer)
            assert shops.state(cast.shop.merchant) == before
        if route == "auth/logout" and cast.headers[role]:
            cast.headers[role] = ""  # its token has ended; what is left needs none
    column = ROLES.index(role)
    assert found == {case: row[column] for case, row in TABLE.items()}


def test_no_route_is_missing_from_the_table() -> None:
    routes = {
        (method.upper(), str(route.pattern))
        for route in urls.urlpatterns
        if isinstance(route, URLPattern) and route.pattern != urls.urlpatterns[-1].pattern
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(route.callback.view_class, method)  # type: ignore[attr-defined]  # what as_view() notes on it
    }
    assert routes == set(TABLE)


@conformance("R foreign ids answer exactly like ids that do not exist")
@conformance("R another store's account: 404")
def test_foreign_ids_answer_exactly_like_absent_ones(cast: Cast) -> None:
    absent, ours = str(uuid.uuid4()), Supervisor.objects.get(id=cast.clerk)
    ask = cast.foreign.caller.call
    account = f"/account/{cast.shop.qr_code.account}"
    assert (
        shops.error(ask("GET", account)) == shops.error(ask("GET", f"/account/{absent}")) == (404, "account not found")
    )
    assert shops.error(ask("GET", f"/account/{ours.account}")) == (404, "account not found")
    methods: dict[str, Any] = {"GET": None, "PATCH": {"qrActive": True}, "DELETE": None}
    for method, body in methods.items():
        foreign, none = (ask(method, f"/supervisor/{one}", body) for one in (cast.clerk, absent))
        assert shops.error(foreign) == shops.error(none) == (404, "supervisor not found")
    ours.refresh_from_db()
    assert (ours.qr_active, ours.deleted_at) == (False, None)


@conformance("N creating a supervisor creates a user and an account")
def test_a_supervisors_own_account_is_seen_by_them_and_their_store_alone(cast: Cast) -> None:
    one, two = cast.shop.supervisor(), cast.shop.supervisor()
    account = one.get("/supervisor/me").json()["accountId"]
    empty = {"id": account, "balance": 0, "currency": "USDT", "availableCredit": 0}
    for caller in (one, cast.shop.caller):
        assert caller.get(f"/account/{account}").json() == empty
    for other in (two, cast.foreign.caller):
        assert shops.error(other.get(f"/account/{account}")) == (404, "account not found")


@conformance("R wrong path, method or content type: 404, 405, 415 in the API's own envelope")
def test_wrong_paths_methods_and_types_are_answered_in_the_envelope(cast: Cast) -> None:
    call = functools.partial(shops.call, Authorization=cast.headers["store"])
    for path in (
        "/extraction",
        "/extraction/to-usdt/",
        "/extraction/to-btc",
        "/account",
        "/account/",
        "/auth",
        "/x",
        "/",
    ):
        for method in ("GET", "POST", "DELETE"):
            assert shops.error(call(method, path)) == (404, "not found")
    for method, path in (("GET", "/extraction/to-usdt"), ("PUT", "/supervisor"), ("POST", "/supervisor/me")):
        assert shops.error(call(method, path))[0] == 405
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        for path in ("/extraction/to-usdt", "/supervisor", "/auth/login"):
            assert shops.error(call("POST", path, "amount=5", content_type=kind))[0] == 415
    options = call("OPTIONS", "/extraction/to-usdt")
    assert (options.status_code, options.headers["Allow"]) == (204, "POST, OPTIONS")
