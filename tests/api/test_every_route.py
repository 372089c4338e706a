"""Every route of every API × who is calling × whose ids: one table, which no route of the URL configuration escapes."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config import urls
from ledger import balances
from ledger.models import Event
from payouts.api import docs
from payouts.merchants.models import Merchant
from payouts.merchants.oauth_models import Application
from payouts.merchants.store_models import Supervisor
from payouts.merchants.user_models import UserWallet
from payouts.payments.payment_models import Payment
from payouts.subaccounts.models import SubAccount, Transfer
from payouts.webhooks.models import Endpoint, Message, SigningSecret
from payouts.withdrawals.models import IdempotencyKey, Withdrawal
from tests import make
from tests.api import invoices, shops, sides, speaker, tenants, users

pytestmark = pytest.mark.django_db
ORDER = speaker.CREATE | {"amount": "20"}
PUBLIC = {**users.CREATE, "userId": "{userId}"}
CLERK, USER = {"name": "New", "email": "new@shop.example"}, {"userId": "u", "email": "u@shop.example"}
URL = {"url": "https://hooks.example/other"}
NOBODYS = None  # a route that asks nobody who they are
V1 = "/api/v1"
STATUS, CALLBACK = {"withdrawal_id": "{withdrawal_id}"}, {"callback_url": URL["url"]}
WALLET, PAID = {"wallet_id": "{wallet_id}"}, {"transaction_id": "{transaction_id}"}
MOVE, PAYMENT = {**WALLET, "currency": "USDTTRC20", "amount": 10}, {**WALLET, **tenants.PAYMENT}
ESTIMATE = {"amount": 100, "currency": "USDTTRC20"}
VALIDATE = {"address": make.EVM_ADDRESS, "currency": "USDTARB"}
# fmt: off
# What opens the route, its body, its answer to who may, and to who may but names what is another merchant's.
TABLE: dict[tuple[str, str], tuple[str | None, Any, int, int | None]] = {
    ("POST",   "/v1/withdrawals"):                               ("merchant", ORDER, 201, None),
    ("GET",    "/v1/withdrawals"):                               ("merchant", None, 200, None),
    ("POST",   "/v1/withdrawals/batch"):                         ("merchant", {"withdrawals": [ORDER]}, 202, None),
    ("GET",    "/v1/withdrawals/batch/{run_id}"):                ("merchant", None, 200, 404),
    ("GET",    "/v1/withdrawals/batch/{run_id}/rows"):           ("merchant", None, 200, 404),
    ("POST",   "/v1/withdrawals/batch/{run_id}/cancel"):         ("merchant", None, 202, 404),
    ("GET",    "/v1/withdrawals/batch/{run_id}/results.csv"):    ("merchant", None, 200, 404),
    ("GET",    "/v1/withdrawals/{public_id}"):                   ("merchant", None, 200, 404),
    ("POST",   "/v1/withdrawals/{public_id}/cancel"):            ("merchant", None, 200, 404),
    ("GET",    "/v1/balance"):                                   ("merchant", None, 200, None),
    ("GET",    "/v1/transactions"):                              ("merchant", None, 200, None),
    ("POST",   "/v1/webhooks"):                                  ("merchant", sides.HOOK, 201, None),
    ("GET",    "/v1/webhooks"):                                  ("merchant", None, 200, None),
    ("POST",   "/v1/webhooks/secret/rotate"):                    ("merchant", None, 200, None),
    ("GET",    "/v1/webhooks/{webhook_id}"):                     ("merchant", None, 200, 404),
    ("DELETE", "/v1/webhooks/{webhook_id}"):                     ("merchant", None, 204, 404),
    ("GET",    "/v1/webhooks/{webhook_id}/deliveries"):          ("merchant", None, 200, 404),
    ("POST",   "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"): ("merchant", None, 202, 404),
    ("POST",   "/v1/webhooks/{webhook_id}/test"):                ("merchant", None, 202, 404),
    ("POST",   f"{V1}/auth/login"):                              (NOBODYS, {}, 400, None),
    ("POST",   f"{V1}/auth/refresh"):                            (NOBODYS, {}, 400, None),
    ("POST",   f"{V1}/auth/logout"):                             ("extraction", None, 204, None),
    ("POST",   f"{V1}/extraction/to-usdt"):                      ("extraction", shops.MONEY, 201, None),
    ("GET",    f"{V1}/account/{{account_id}}"):                  ("extraction", None, 200, 404),
    ("GET",    f"{V1}/supervisor"):                              ("extraction", None, 200, None),
    ("POST",   f"{V1}/supervisor"):                              ("extraction", CLERK, 201, None),
    ("GET",    f"{V1}/supervisor/me"):                           ("extraction", None, 403, None),
    ("GET",    f"{V1}/supervisor/{{supervisor_id}}"):            ("extraction", None, 200, 404),
    ("PATCH",  f"{V1}/supervisor/{{supervisor_id}}"):            ("extraction", {"qrActive": True}, 200, 404),
    ("DELETE", f"{V1}/supervisor/{{supervisor_id}}"):            ("extraction", None, 204, 404),
    ("POST",   f"{V1}/public/user/withdrawal/create"):           ("public", PUBLIC, 201, 404),
    ("GET",    f"{V1}/public/withdrawal-requests"):              ("public", None, 200, None),
    ("POST",   f"{V1}/public/withdrawal-requests"):              ("public", PUBLIC, 201, 404),
    ("POST",   f"{V1}/public/withdrawal-requests/{{public_id}}/approve"): ("public", {}, 200, 404),
    ("POST",   f"{V1}/public/withdrawal-requests/{{public_id}}/reject"):  ("public", {}, 200, 404),
    ("GET",    f"{V1}/public/payout/get"):                       ("public", "?id={id}", 200, 404),
    ("POST",   f"{V1}/public/payout/create"):                    (NOBODYS, {}, 403, None),
    ("POST",   f"{V1}/payout/create"):                           (NOBODYS, {}, 403, None),
    ("POST",   f"{V1}/public/wallet/generate"):                  ("public", USER, 201, None),
    ("GET",    f"{V1}/public/user/balance"):                     ("public", "?userId={userId}", 200, 404),
    ("GET",    f"{V1}/public/balance"):                          ("public", None, 200, None),
    ("GET",    f"{V1}/public/webhook/url"):                      ("public", None, 200, None),
    ("POST",   f"{V1}/public/webhook/url"):                      ("public", URL, 200, None),
    ("POST",   f"{V1}/public/webhook/test"):                     ("public", {}, 200, None),
    ("POST",   f"{V1}/public/webhook/replay"):                   ("public", {"id": "{id}"}, 200, 404),
    ("GET",    f"{V1}/public/webhook/secret"):                   ("public", None, 200, None),
    ("POST",   f"{V1}/public/webhook/secret/rotate"):            ("public", {}, 200, None),
    ("POST",   "/v2/invoice/api/out/create"):                    ("invoice", invoices.SEED, 200, None),
    ("POST",   "/v2/merchant/wallet/balance/all"):               ("invoice, shop", None, 200, None),
    ("POST",   "/o/token/"):                                     (NOBODYS, {}, 415, None),
    ("GET",    "/o/apps/"):                                      ("tenant, read write", None, 200, None),
    ("POST",   "/o/apps/"):                                      ("tenant, read write", {"name": "shop"}, 201, None),
    ("DELETE", "/o/apps/{app_id}/"):                             ("tenant, read write", None, 204, 404),
    ("GET",    "/currencies/"):                                  ("tenant, read write", None, 200, None),
    ("GET",    "/rates/"):                                       ("tenant, read", "?currency_to=USDTTRC20", 200, None),
    ("POST",   "/payments/"):                                    ("tenant, read write", PAYMENT, 201, 404),
    ("GET",    "/payments/"):                                    ("tenant, read write", None, 200, None),
    ("POST",   "/payments/status/"):                             ("tenant, read write", PAID, 200, 404),
    ("GET",    "/payments/min-amount/"):                         ("tenant, read write", "?currency=ETH", 200, None),
    ("POST",   "/withdrawal/"):                                  ("tenant, read write", tenants.CREATE, 201, None),
    ("GET",    "/withdrawal/"):                                  ("tenant, read write", None, 200, None),
    ("GET",    "/withdrawal/{withdrawal_id}/"):                  ("tenant, read write", None, 200, 404),
    ("POST",   "/withdrawal/status/"):                           ("tenant, read write", STATUS, 200, 404),
    ("POST",   "/withdrawal/validate-address/"):                 ("tenant, read write", VALIDATE, 200, None),
    ("POST",   "/withdrawal/fee-estimate/"):                     ("tenant, read write", ESTIMATE, 200, None),
    ("POST",   "/withdrawal/estimate/"):                         ("tenant, read write", ESTIMATE, 200, None),
    ("POST",   "/withdrawal/min-amount/"):                       ("tenant, read write", {"currency": "ETH"}, 200, None),
    ("GET",    "/withdrawal/available-currencies/"):             ("tenant, read write", None, 200, None),
    ("GET",    "/user/me/"):                                     ("tenant, read write", None, 200, None),
    ("POST",   "/user/webhooks/"):                               ("tenant, write", CALLBACK, 201, None),
    ("POST",   "/user/webhooks/test/"):                          ("tenant, write", {}, 400, None),
    ("POST",   "/user/webhooks/secret/rotate/"):                 ("tenant, write", {}, 200, None),
    ("GET",    "/user/balances/"):                               ("tenant, read write", None, 200, None),
    ("GET",    "/user/balances/history/"):                       ("tenant, read", None, 200, None),
    ("GET",    "/user/fees/"):                                   ("tenant, admin", None, 200, None),
    ("GET",    "/wallets/"):                                     ("tenant, read write", None, 200, None),
    ("POST",   "/wallets/"):                                     ("tenant, read write", {"name": "w"}, 201, None),
    ("GET",    "/wallets/{number}/"):                            ("tenant, read write", None, 200, 404),
    ("POST",   "/wallets/balances/"):                            ("tenant, read write", WALLET, 200, 404),
    ("POST",   "/wallets/transfer-to-user/"):                    ("tenant, read write", MOVE, 202, 404),
    ("POST",   "/wallets/withdraw-to-master/"):                  ("tenant, read write", MOVE, 400, 404),
    ("POST",   "/wallets/transfer-history/"):                    ("tenant, read write", WALLET, 200, 404),
    ("GET",    "/status/"):                                      (NOBODYS, None, 200, None),
}
# fmt: on
TENANT = tuple(f"tenant, {scope}" for scope in tenants.SCOPED)
CREDENTIALS = ("merchant", "extraction", "public", "invoice", "invoice, shop", *TENANT)
STRANGERS = ("nobody", "garbage", *CREDENTIALS)
GARBAGE = {"Authorization": "Bearer garbage", "apikey": "garbage", "x-api-secret": "garbage"}
OTHERS = {"healthz", "readyz", "metrics", "admin/", "dashboard/"}  # pages have tests of their own


def routed() -> Iterator[tuple[str, str, str]]:
    """The API, method and path of every route there is."""
    for api, patterns in urls.APIS.items():
        for resolver in patterns:
            assert isinstance(resolver, URLResolver)
            for route in resolver.url_patterns:
                view = route.callback.view_class  # type: ignore[union-attr]  # made by as_view()
                path = f"/{resolver.pattern}{route.pattern}".replace("<str:", "{").replace("<uuid:", "{")
                for method in ("get", "post", "put", "patch", "delete"):
                    if view.schema is not None and method in view.http_method_names and hasattr(view, method):
                        yield api, method.upper(), path.replace(">", "}")


def test_no_route_is_missing_from_the_table() -> None:
    assert {(method, path) for _, method, path in routed()} == set(TABLE)


def test_no_api_is_missing_from_the_list_of_apis() -> None:
    inside = [route for routes in urls.APIS.values() for route in routes]
    outside = [one for one in get_resolver().url_patterns if one not in inside]
    named = {str(one.pattern) for one in outside if not str(one.pattern).startswith("docs/")}
    assert named == OTHERS
    assert all(isinstance(one, URLPattern) for one in outside if str(one.pattern).startswith("docs/"))


@pytest.fixture
def mine() -> sides.Side:
    return sides.side(make.merchant())


@pytest.fixture
def theirs() -> sides.Side:
    return sides.side(make.merchant())


def knock(method: str, path: str, *, ids: dict[str, str], headers: Any) -> Any:
    """The table's request, with these ids in path, query and body."""
    body = TABLE[method, path][1]
    if isinstance(body, str):
        path, body = path + body, None
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", quote(value))
    raw = json.dumps(body) if body is not None else ""
    for name, value in ids.items():
        raw = raw.replace(f"{{{name}}}", value)
    return Client().generic(method, path, raw, content_type="application/json", headers=headers)


def api_of(path: str) -> str:
    return next(api for api, _, routed_path in routed() if routed_path == path)


def state() -> Any:
    """All that a refused call must leave as it is."""
    tables = (
        Withdrawal,
        Event,
        IdempotencyKey,
        Endpoint,
        Message,
        SigningSecret,
        Supervisor,
        UserWallet,
        Application,
        SubAccount,
        Transfer,
        Payment,
    )
    flags = [*Supervisor.objects.order_by("id").values_list("qr_active", "deleted_at")]
    statuses = [*Withdrawal.objects.order_by("id").values_list("status")]
    books = [balances.book(one.id) for one in Merchant.objects.order_by("id")]
    return [model.objects.count() for model in tables], flags, statuses, books


def _content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def has(who: str, opens: str | None) -> bool:
    """Whether a credential opens what asks for another: a tenant's token does with all the scopes, and more."""
    if opens is None or not opens.startswith("tenant, ") or not who.startswith("tenant, "):
        return opens == who
    return {*opens.split()[1:]} <= {*who.split()[1:]}


@pytest.mark.parametrize("who", STRANGERS)
def test_only_a_routes_own_credential_opens_it(who: str, mine: sides.Side) -> None:
    headers = {"nobody": {}, "garbage": GARBAGE}.get(who) or mine.headers.get(who, {})
    before = state()
    with connection.cursor() as cursor:  # a refusal needs no database, and on a busy machine so many take their time
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    for (method, path), (opens, _, answer, _) in TABLE.items():
        api = api_of(path)
        if has(who, opens):
            continue
        refused = knock(method, path, ids=dict(mine.known[api]), headers=headers)
        known = who.startswith("tenant, ") and api == "tenant"  # but not with these scopes
        wanted = answer if opens is NOBODYS else 403 if known else int(docs.DOCUMENTS[api].stranger)
        assert (method, path, refused.status_code) == (method, path, wanted)
        assert str(mine.merchant.id).encode() not in refused.content
    assert state() == before


def _telling(known: Iterable[str]) -> list[str]:
    """Those that could not be there by chance, as a small number is."""
    return [one for one in known if not one.isdecimal()]


@pytest.mark.parametrize("who", CREDENTIALS)
def test_whoever_may_is_answered_and_finds_nothing_by_another_merchants_ids(
    who: str, mine: sides.Side, theirs: sides.Side
) -> None:
    for (method, path), (opens, _, answer, foreign_answer) in TABLE.items():
        if not has(who, opens):
            continue
        api, before = api_of(path), transaction.savepoint()
        own = knock(method, path, ids=dict(mine.known[api]), headers=mine.headers[who])
        assert (method, path, own.status_code) == (method, path, answer)
        for secret in (theirs.merchant.id, *_telling(theirs.known[api].values())):
            assert str(secret).encode() not in _content(own)
        transaction.savepoint_rollback(before)
        if foreign_answer is not None:
            held = state()
            foreign = knock(method, path, ids=dict(theirs.known[api]), headers=mine.headers[who])
            assert (method, path, foreign.status_code) == (method, path, foreign_answer)
            assert str(theirs.merchant.id).encode() not in _content(foreign)
            assert state() == held
