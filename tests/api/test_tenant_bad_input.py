"""What the `tenant` API makes of requests that no document foresees, and of repeats: refusals, nothing twice."""

import json
from typing import Any

import pytest

from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import tenants
from tests.api.tenants import CREATE, conformance

pytestmark = pytest.mark.django_db
HUGE = "9" * 5000
# fmt: off
NOT_JSON = [
    b" ", b"{", b"nope", b'{"amount": NaN}', b'{"amount": Infinity}', b"[]", b'"text"', b"5", b"null", b"[" * 100_000,
    b"\xff\xfe", b"\x00", b"amount=5&currency=ETH",
    json.dumps(CREATE).replace("TRC20", "TRC20\\u0000").encode(), json.dumps(CREATE).replace("TRC", "\\ud800").encode(),
    json.dumps(CREATE).replace("{", '{"amount": 1, ', 1).encode(),
]
AMOUNTS = [
    "1e400", "1E-19", "1E-999999", "-1", "0", HUGE, f"0.{HUGE}",
    '" 1"', '"1 "', '"+1"', '"-1"', '"0x1"', '"1_0"', '"1,5"',
    '"."', '"1."', '".1"', '"NaN"', '"Infinity"', '"１"', '"٣"', '"½"', '"1\\n"', f'"{HUGE}"', "{}", "[]",
    "false", "50.0000001",
]
# fmt: on


@conformance("R duplicate JSON keys, NaN and what is no object are refused")
def test_a_body_that_is_no_json_object_of_ours_is_refused() -> None:
    program = tenants.program()
    before = tenants.state(program.merchant)
    for raw in NOT_JSON:
        assert tenants.error(program.post("/withdrawal/", raw)) == (400, "invalid_request"), raw[:20]
        assert tenants.error(program.post("/withdrawal/", raw, Idempotency_Key="k")) == (400, "invalid_request")
    assert tenants.state(program.merchant) == before


@conformance("R 422 invalid_amount; amounts: ASCII digits, finite, positive, no more places than the currency has")
def test_an_amount_that_is_no_amount_is_refused_everywhere() -> None:
    program = tenants.program()
    before = tenants.state(program.merchant)
    estimate = json.dumps({"amount": 50, "currency": "USDTTRC20"})
    for wrong in ("1e400", "-1", "NaN", "١", "9" * 41):
        assert tenants.error(program.get("/rates/", {"currency_to": "DAI", "amount": wrong})) == (422, "invalid_amount")
    for literal in AMOUNTS:
        for path, body in (("/withdrawal/", json.dumps(CREATE)), ("/withdrawal/estimate/", estimate)):
            answer = program.post(path, body.replace("50", literal))
            assert tenants.error(answer) == (422, "invalid_amount"), (literal, answer.content)
    assert tenants.state(program.merchant) == before


@conformance("R mixing or omitting the two forms of an amount: 400 invalid_request")
@conformance("R custom_id has at most 64 characters")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": None}, "invalid_request"),
        ({"currency": None}, "invalid_request"),
        ({"address": None}, "invalid_request"),
        ({"address": 5}, "invalid_request"),
        ({"price_amount": 5}, "invalid_request"),
        ({"amount": None, "currency": None, "price_amount": 5, "price_currency": "USD"}, "invalid_request"),
        ({"blockchain": "TRX", "token": "USDT"}, "invalid_request"),
        ({"custom_id": "x" * 65}, "invalid_request"),
        ({"callback_url": "http://shop.example/"}, "invalid_request"),
        ({"callbackUrl": "https://shop.example/"}, "invalid_request"),
        ({"currency": "USDT_TRC20"}, "invalid_currency"),
        ({"currency": "BTC"}, "invalid_currency"),
        ({"currency": "ＵSDTTRC20"}, "invalid_currency"),
        ({"amount": 1000.000001}, "insufficient_balance"),
        ({"address": make.EVM_ADDRESS}, "invalid_request"),
    ],
)
def test_a_create_that_cannot_be_is_refused_and_nothing_is_frozen(change: dict[str, Any], code: str) -> None:
    program = tenants.program()
    before = tenants.state(program.merchant)
    assert tenants.error(program.create(**change)) == (400, code)
    assert tenants.state(program.merchant) == before


@conformance("R wrong path, method or content type: 404, 405, 415 in this envelope")
def test_wrong_paths_methods_and_types_are_refused_in_this_apis_envelope() -> None:
    program = tenants.program()
    for path in ("/withdrawal", "/withdrawal/x/y/", "/o/", "/o/authorize/", "/user/", "/status", "/currencies/x/"):
        assert tenants.error(program.get(path)) == (404, "not_found")
    assert tenants.error(program.call("PUT", "/withdrawal/", CREATE)) == (405, "method_not_allowed")
    assert tenants.error(program.post("/withdrawal/", CREATE, content_type="text/plain")) == (
        415,
        "unsupported_media_type",
    )
    assert tenants.error(program.post("/withdrawal/", b'{"a": "' + b"5" * 1_000_001 + b'"}')) == (
        413,
        "payload_too_large",
    )
    many = "&".join(f"{number}=1" for number in range(1001))
    assert tenants.error(program.get(f"/withdrawal/?{many}")) == (400, "invalid_request")
    assert program.call("OPTIONS", "/withdrawal/").status_code == 204


@conformance("R Idempotency-Key: the same key and body replay the first answer, another body is 422")
def test_a_repeated_create_answers_the_first_and_makes_nothing() -> None:
    program = tenants.program()
    first, again = (program.post("/withdrawal/", CREATE, Idempotency_Key="k") for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (201, again.json())
    other = program.post("/withdrawal/", CREATE | {"amount": "50"}, Idempotency_Key="k")
    assert tenants.error(other) == (422, "idempotency_key_reused")
    assert Withdrawal.objects.count() == 1
    assert tenants.error(program.post("/withdrawal/", CREATE, Idempotency_Key="x" * 256)) == (400, "invalid_request")
