"""Who may do what at the `invoice` API: every route × who is calling; whose money it is."""

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from payouts.api.invoice import urls
from payouts.merchants import tokens
from payouts.merchants.models import ApiKey
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import invoices
from tests.api.invoices import BALANCES_PATH, CREATE_PATH, SEED, conformance

pytestmark = pytest.mark.django_db
OUT = (400, "authorization")
CREATE, BALANCES = ("POST", "invoice/api/out/create"), ("POST", "merchant/wallet/balance/all")
ROLES = ("nobody", "withdrawal key", "shop key", "switched off", "other merchant", "public key", "merchant key")
# fmt: off
TABLE: dict[tuple[str, str], tuple[bool, ...]] = {
    #           nobody  withdrawal  shop    switched off  other's  public  merchant's
    CREATE:    (False,  True,       False,  False,        False,   False,  False),
    BALANCES:  (False,  False,      True,   False,        False,   False,  False),
}
# fmt: on


def headers(role: str, program: invoices.Program) -> list[str]:
    """What this role could put into the Authorization header, for either route."""
    mine, merchant_api = program.merchant, make.client(program.merchant)
    switched_off = [invoices.issue(mine, use) for use in (tokens.WITHDRAWAL, tokens.SHOP)]
    for token in switched_off:
        invoices.switch_off(token)
    pair = invoices.public_pair(mine)
    wk, sk = program.withdrawal_token, program.shop_token
    shown: dict[str, list[str]] = {
        "nobody": ["", "Token", "Token ", f"Bearer {wk}", wk, f"Token {wk} ", f"Token {wk}0", f"Token {wk[:-1]}",
                   f"Token {wk[:-1]}{'1' if wk[-1] == '0' else '0'}",
                   f"Token {wk.upper()}", f"Token {wk.rpartition('_')[0]}", f"Token {sk.replace('sk_', 'wk_', 1)}",
                   f"Token {wk.replace('wk_', 'sk_', 1)}", f"Token {wk.replace('_live_', '_test_')}",
                   f"Token {wk},{wk}", "Token é", f"Token {'a' * 100_000}", "Token eyJ0eXAiOiJK.e30.4npi1ksS8tSY"],
        "withdrawal key": [f"Token {wk}"],
        "shop key": [f"Token {sk}"],
        "switched off": [f"Token {token}" for token in switched_off],
        "public key": [f"Token {pair.apikey}", f"Token {pair.api_secret}"],
        "merchant key": [*merchant_api.headers().values(), f"Token {merchant_api.issued.secret}"],
    }  # fmt: skip
    return shown[role]


@conformance("S a separate key must be used: the shop's does not withdraw, and this one does nothing else")
@conformance("N authorization: Unauthorized request.")
@conformance("R every endpoint × role × foreign id: no leak")
@pytest.mark.parametrize("role", [role for role in ROLES if role != "other merchant"])
@pytest.mark.parametrize(("method", "route"), TABLE)
def test_each_key_opens_what_the_table_says_and_nothing_else(method: str, route: str, role: str) -> None:
    program = invoices.program(ETH="1")
    for header in headers(role, program):
        before = invoices.state(program.merchant)
        answer = invoices.call(method, f"/v2/{route}", SEED, token=None, Authorization=header)
        if TABLE[method, route][ROLES.index(role)]:
            assert answer.status_code == 200
        else:
            assert invoices.error(answer) == OUT
            assert answer.json()["result"] == {"authorization": "Unauthorized request."}
            assert invoices.state(program.merchant) == before


def test_the_scheme_is_read_in_any_case_and_a_call_without_a_header_is_nobodys() -> None:
    program = invoices.program(ETH="1")
    assert invoices.error(invoices.call("POST", CREATE_PATH, SEED, token=None)) == OUT
    header = f"token  {program.withdrawal_token}"
    assert invoices.call("POST", CREATE_PATH, SEED, token=None, Authorization=header).status_code == 200


@conformance("S the separate key works nowhere else")
def test_neither_key_opens_another_api() -> None:
    program = invoices.program(USDT="10")
    for token in (program.withdrawal_token, program.shop_token):
        for path, sent in (
            ("/v1/balance", {"Authorization": f"Bearer {token}"}),
            ("/v1/balance", {"Authorization": f"Token {token}"}),
            ("/api/v1/public/balance", {"apikey": token}),
            ("/api/v1/supervisor/me", {"Authorization": f"Bearer {token}"}),
        ):
            assert invoices.call("GET", path, token=None, **sent).status_code == 401
        assert tokens.find(token, api="public", use=token[:2]) is None, "whatever it is for there"


@conformance("R another merchant's things are invisible")
def test_each_merchants_keys_reach_that_merchants_money_alone() -> None:
    mine, theirs = invoices.program(), invoices.program(ETH="5", USDT="7")
    before = invoices.state(theirs.merchant)
    assert invoices.error(mine.create()) == (400, "uncorrected_amount")
    assert {entry["balance_crypto"] for entry in invoices.result(mine.balances())} == {0}
    assert invoices.state(theirs.merchant) == before


@conformance("S the key is shown once")
def test_a_key_is_at_rest_only_as_a_hash_and_what_it_made_names_its_maker() -> None:
    program, person = invoices.program(ETH="1"), make.approver(1).person
    issued = tokens.issue(program.merchant, api="invoice", use=tokens.WITHDRAWAL, issued_to=person)
    row = ApiKey.objects.get(id=issued.key.id)
    kept = [bytes(found) if isinstance(found, memoryview) else str(found).encode() for found in vars(row).values()]
    assert not any(issued.token.rpartition("_")[2].encode() in one for one in kept)
    assert invoices.call("POST", CREATE_PATH, SEED, token=issued.token).status_code == 200
    assert Withdrawal.objects.get().maker == person, "who made the key may not approve what it asks for"


def test_no_route_is_missing_from_the_table() -> None:
    routes = {
        (method.upper(), str(route.pattern))
        for route in urls.urlpatterns
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(route.callback.view_class, method)  # type: ignore[attr-defined]  # what as_view() notes on it
    }
    assert routes == set(TABLE)
    assert [f"/v2/{route}" for _, route in TABLE] == [CREATE_PATH, BALANCES_PATH]
    here = [one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and one.urlconf_name is urls]
    assert [str(one.pattern) for one in here] == ["v2/"]
    assert all(isinstance(one, URLPattern) for one in urls.urlpatterns)


@conformance("R wrong path, method or content type: 404, 405, 415 in this API's envelope")
def test_what_is_not_there_answers_in_the_envelope() -> None:
    program = invoices.program(ETH="1")
    before = invoices.state(program.merchant)
    for path in ("", "invoice", "invoice/create", "invoice/api/out/create/", "invoice/api/out", "merchant", "%00", "/"):
        for method in ("GET", "POST", "DELETE"):
            assert invoices.error(invoices.call(method, f"/v2/{path}", token=None)) == (404, "validate_error")
    keys: dict[str, str] = {CREATE_PATH: program.withdrawal_token, BALANCES_PATH: program.shop_token}
    for path, token in keys.items():
        for method in ("GET", "PUT", "DELETE", "PATCH", "NONSENSE"):
            answer = invoices.call(method, path, token=token)
            assert invoices.error(answer) == (405, "validate_error")
            assert answer.headers["Allow"] == "POST, OPTIONS"
        assert invoices.call("OPTIONS", path, token=token).status_code == 204
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        wrong: Any = program.rested().create("amount=1", headers={"content_type": kind})
        assert invoices.error(wrong) == (415, "validate_error")
        wrong = invoices.call("POST", BALANCES_PATH, "a=1", token=program.shop_token, content_type=kind)
        assert invoices.error(wrong) == (415, "validate_error")
    assert invoices.call("POST", BALANCES_PATH, token=program.shop_token, content_type="").status_code == 200
    assert invoices.state(program.merchant) == before
