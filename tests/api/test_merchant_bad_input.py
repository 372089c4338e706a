"""What the `merchant` API makes of requests that no document foresees: a 4xx in its envelope, and nothing changed."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payouts.merchants.models import Merchant
from tests import make
from tests.api import speaker
from tests.api.speaker import CREATE, Program

pytestmark = pytest.mark.django_db
HUGE = "9" * 5000


def with_amount(literal: str) -> str:
    """The seed's request with this JSON text as its amount."""
    return json.dumps(CREATE).replace('"500.00"', literal)


# fmt: off
AMOUNTS = [
    "500", "500.0", "0", "-1", "1e5", "1E400", "1e-9", HUGE, "null", "true", "false", "[]", '["5"]', "{}",
    '{"a": "5"}',
    '""', '" 5"', '"5 "', '"+5"', '"-5"', '"-0"', '"0"', '"0.00"', '"0.0000001"', '"5.0000001"', '"1e5"',
    '"1E5"', '"NaN"',
    '"Infinity"', '"-Infinity"', '"sNaN"', '"0x10"', '"1_0"', '"1,000"', '"1.5.5"', '"."', '"5."', '".5"',
    '"１.5"', '"１"',
    '"٣"', '"5\\n"', '"\\t5"', '"five"', '"' + HUGE + '"', '"0.' + HUGE + '"',
    '"9999999999999999999999999999999"', '"½"',
]
NOT_JSON = [
    b" ", b"{", b"nope", b'{"amount": NaN}', b'{"amount": Infinity}', b'{"amount": -Infinity}',
    b"{'amount': '5'}",
    b'{"amount": "5",}', b"[]", b'"text"', b"5", b"null", b"true", b"[" * 100_000, b'{"a":' * 50_000,
    b"\xff\xfe", b"\x00",
    b"\xef\xbb\xbf{}", b'{"amount": 1e99999999999999999999}', b"amount=5&network=TRC20",
    json.dumps(CREATE).replace("500.00", "5\\u0000").encode(), json.dumps(CREATE).replace("500.00",
    "\\ud800").encode(),
    json.dumps(CREATE).replace("TRC20", "\\udfff").encode(), json.dumps(CREATE).replace("amount",
    "a\\u0000").encode(),
    json.dumps(CREATE).encode().replace(b"TRC20", b"\xc3\x28"), json.dumps(CREATE).encode("utf-16"),
    b'{"amount": "5", "amount": "6", "network": "TRC20"}', b'{"a": {"b": 1, "b": 2}}',
    b'{"amount": ' + b"[" * 40 + b"]" * 40 + b"}",
]
IDS = [
    "wd_", "wd_1", "x", "wd_01hq8ztxv0000000000000000a", "WD_01HQ8ZTXV0000000000000000A",
    "wd_81HQ8ZTXV0000000000000000A",
    "wd_01HQ8ZTXV0000000000000000U", "01HQ8ZTXV0000000000000000A", "wd_01HQ8ZTXV0000000000000000A0",
    "wd_" + "0" * 5000,
    "00000000-0000-0000-0000-000000000000", "%00", "wd_%00", "%FF%FE", "%ED%A0%80", "wd_１", "🦊", "'", '"',
    "..", "*", "%2e%2e", "%25",
]
# fmt: on


def refused(answer: Any, of: Merchant, before: tuple[object, ...], status: int | None = None) -> str:
    code, text = speaker.error(answer)
    assert code == status if status else 400 <= code < 500
    assert speaker.state(of) == before
    return text


@pytest.mark.parametrize("literal", AMOUNTS, ids=lambda literal: literal[:20])
def test_an_amount_that_is_no_positive_decimal_string_is_an_invalid_amount(
    literal: str, merchant: Merchant, program: Program
) -> None:
    before = speaker.state(merchant)
    assert refused(program.post("/v1/withdrawals", with_amount(literal)), merchant, before, 400) == "invalid amount"


@pytest.mark.parametrize("raw", NOT_JSON, ids=lambda raw: repr(raw[:20]))
def test_a_body_that_is_no_json_object_of_ours_is_refused(raw: bytes, merchant: Merchant, program: Program) -> None:
    before = speaker.state(merchant)
    for path in ("/v1/withdrawals", "/v1/webhooks"):
        for headers in ({}, {"Idempotency_Key": "k"}):
            assert refused(program.post(path, raw, **headers), merchant, before, 400).startswith("invalid JSON")


@pytest.mark.parametrize("field", CREATE)
def test_a_field_that_is_missing_or_of_another_kind_is_refused(
    field: str, merchant: Merchant, program: Program
) -> None:
    before = speaker.state(merchant)
    for value in (None, True, 5, [], {}, "", "\u202e", "a" * 100_000, ["TRC20"], {"TRC20": 1}):
        refused(program.post("/v1/withdrawals", CREATE | {field: value}), merchant, before, 400)
    missing = {name: value for name, value in CREATE.items() if name != field}
    refused(program.post("/v1/withdrawals", missing), merchant, before, 400)


def test_no_body_at_all_is_an_order_without_fields(merchant: Merchant, program: Program) -> None:
    before = speaker.state(merchant)
    assert refused(program.post("/v1/withdrawals"), merchant, before, 400) == "invalid amount"


def test_two_megabytes_are_too_large_whichever_way_the_call_is_signed(merchant: Merchant, program: Program) -> None:
    before = speaker.state(merchant)
    for size in (1_000_001, 2_000_000, 4_000_000):
        raw = b'{"amount": "' + b"5" * size + b'"}'
        signed = program.signed("POST", "/v1/withdrawals", raw)
        for header in (program.bearer(), signed):
            answer = program.call("POST", "/v1/withdrawals", raw, authorization=header)
            assert refused(answer, merchant, before, 413) == "request body too large"


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"],
)
def test_another_content_type_is_refused(kind: str, merchant: Merchant, program: Program) -> None:
    before = speaker.state(merchant)
    refused(program.call("POST", "/v1/withdrawals", CREATE, content_type=kind), merchant, before, 415)


def test_json_with_a_charset_is_json(program: Program) -> None:
    kind = "Application/JSON; charset=utf-8"
    assert program.call("POST", "/v1/withdrawals", CREATE, content_type=kind).status_code == 201


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense", ""])
def test_the_answer_is_json_whatever_the_caller_accepts(accept: str, program: Program) -> None:
    assert program.call("GET", "/v1/balance?format=xml", Accept=accept).json()["available"] == "1000.00"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/withdrawals"),
        ("DELETE", "/v1/withdrawals"),
        ("POST", "/v1/withdrawals/wd_01HQ8ZTXV0000000000000000A"),
        ("PATCH", "/v1/balance"),
        ("POST", "/v1/transactions"),
        ("GET", "/v1/withdrawals/wd_01HQ8ZTXV0000000000000000A/cancel"),
        ("GET", "/v1/webhooks/00000000-0000-0000-0000-000000000000/test"),
        ("DELETE", "/v1/webhooks/00000000-0000-0000-0000-000000000000/deliveries"),
        ("TRACE", "/v1/balance"),
        ("NONSENSE", "/v1/balance"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_told_the_ones_it_has(
    method: str, path: str, merchant: Merchant, program: Program
) -> None:
    before = speaker.state(merchant)
    answer = program.call(method, path, CREATE)
    refused(answer, merchant, before, 405)
    assert "OPTIONS" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/v1/", "/v1/nothing", "/v1/withdrawals/", "/v1/withdrawals/a/b", "/v1//", "/v1/%00"])
def test_a_path_that_is_not_there_is_not_found_in_the_envelope(path: str, program: Program) -> None:
    for method in ("GET", "POST", "DELETE"):
        for header in (None, ""):
            assert speaker.error(program.call(method, path, authorization=header)) == (404, "not found")


@pytest.mark.parametrize("text", IDS, ids=lambda text: text[:20])
def test_an_id_that_is_none_is_not_found(text: str, merchant: Merchant, program: Program) -> None:
    before = speaker.state(merchant)
    quoted = quote(text, safe="%")
    refused(program.get(f"/v1/withdrawals/{quoted}"), merchant, before, 404)
    refused(program.post(f"/v1/withdrawals/{quoted}/cancel"), merchant, before, 404)
    refused(program.get(f"/v1/webhooks/{quoted}/deliveries"), merchant, before, 404)


def test_a_lower_case_id_of_a_withdrawal_that_exists_is_not_found(program: Program) -> None:
    made = program.post("/v1/withdrawals", CREATE).json()["id"]
    assert speaker.error(program.get(f"/v1/withdrawals/{made.lower()}")) == (404, "withdrawal not found")
    assert speaker.error(program.get(f"/v1/withdrawals/{speaker.internal(made)}")) == (404, "withdrawal not found")


@pytest.mark.parametrize("path", ["/v1/withdrawals", "/v1/transactions", "/v1/webhooks"])
def test_a_page_that_cannot_be_counted_is_refused(path: str, program: Program) -> None:
    for text in ("-1", "x", "1.5", "1e3", "", "%00", "１", "+1", "0x10", " 5", "1_0", "🦊", "9" * 200):
        for name in ("limit", "offset"):
            answer = program.get(f"{path}?{name}={quote(text, safe='%')}")
            assert speaker.error(answer) == (400, f"invalid {name}"), text
    assert speaker.error(program.get(f"{path}?limit=0")) == (400, "invalid limit")


def test_a_query_of_two_thousand_parameters_is_refused(program: Program) -> None:
    assert speaker.error(program.get("/v1/withdrawals?" + "&".join(["a=1"] * 2000)))[0] == 400


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "ä", "a\x00", "🦊"])
def test_an_idempotency_key_that_is_none_is_refused(key: str, merchant: Merchant, program: Program) -> None:
    before = speaker.state(merchant)
    answer = program.post("/v1/withdrawals", CREATE, Idempotency_Key=key)
    assert refused(answer, merchant, before, 400) == "invalid idempotency key"


def test_head_answers_like_get_without_a_body_and_options_names_the_methods(program: Program) -> None:
    head = program.call("HEAD", "/v1/withdrawals")
    options = program.call("OPTIONS", "/v1/withdrawals")
    assert (head.status_code, head.content) == (200, b"")
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


TEXTS = st.text(max_size=20) | st.sampled_from(["5", "500.00", "TRC20", "ERC20", make.TRON_ADDRESS, "1e3", "NaN"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
BODIES = VALUES | st.fixed_dictionaries(
    {"amount": TEXTS | VALUES, "destination_address": TEXTS | VALUES, "network": TEXTS | VALUES}
)


def test_no_json_whatever_brings_a_5xx_or_moves_money_without_a_201() -> None:
    merchant = make.merchant(funds="1000000")

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(body=BODIES)
    def fuzz(body: object) -> None:
        program = speaker.program(merchant)  # a key of its own per call, which the rate limit does not stop
        before = speaker.state(merchant)
        answer = program.post("/v1/withdrawals", json.dumps(body))
        if answer.status_code == 201:
            assert isinstance(body, dict)
            assert answer.json()["amount"] == f"{float(body['amount']):.2f}"
        else:
            refused(answer, merchant, before, 400)

    fuzz()
