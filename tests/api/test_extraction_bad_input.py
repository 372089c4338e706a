"""What the `extraction` API makes of requests that no document foresees: a 4xx in its envelope, and nothing changed."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import make
from tests.api import shops
from tests.api.shops import CREATE, MONEY, conformance
from tests.api.test_merchant_bad_input import HUGE, NOT_JSON

pytestmark = pytest.mark.django_db

# fmt: off
AMOUNTS = [
    "0", "-0", "0.0", "-1", "-0.5", "1e-9", "0.0000001", "5.0000001", "1E400", HUGE, "0." + HUGE, "1e30",
    "null", "true", "false", "[]", "[5]", "{}", '{"a": 5}', '""', '"5"', '"500"', '"1e5"', '"NaN"', '"１"', '" 5"',
]
WRONG_ADDRESSES: list[Any] = [
    None, 5, True, [], {}, "", " ", "x", "a" * 100_000, "T" * 34, "0x" + "0" * 40, "0X" + "1" * 40, "\u202e",
    make.TRON_ADDRESS + " ", make.TRON_ADDRESS[:-1], make.EVM_ADDRESS.upper(), "０x" + "1" * 40,
]
IDS = [
    "x", "0", "-", "me2", "%00", "%FF%FE", "%ED%A0%80", "🦊", "'", '"', "..", "*", "%2e%2e", "%25",
    "0" * 32, "{00000000-0000-0000-0000-000000000000}", "urn:uuid:00000000-0000-0000-0000-000000000000",
    "00000000-0000-0000-0000-00000000000", "00000000_0000_0000_0000_000000000000", "0" * 5000,
]
# fmt: on


@pytest.fixture
def shop() -> shops.Shop:
    made = shops.shop(funds="1000")
    made.caller.log_in()
    return made


def refused(answer: Any, of: shops.Shop, before: tuple[object, ...], status: int | None = None) -> str:
    code, text = shops.error(answer)
    assert code == status if status else 400 <= code < 500
    assert shops.state(of.merchant) == before
    return text


@conformance("R amounts are parsed as Decimal, never through float: finite, positive, at most six places")
@pytest.mark.parametrize("literal", AMOUNTS, ids=lambda literal: literal[:20])
def test_what_is_no_positive_number_with_six_places_is_no_amount(literal: str, shop: shops.Shop) -> None:
    before = shops.state(shop.merchant)
    answer = shop.caller.post(CREATE, json.dumps(MONEY).replace("500", literal, 1))
    assert refused(answer, shop, before, 400).startswith("amount must be")


@pytest.mark.parametrize(
    ("literal", "shown"),
    [("5e2", "500"), ("500.000000", "500"), ("0.1", "0.1"), ("0.000001", "0.000001"), ("1.10", "1.1")],
)
def test_a_number_is_taken_and_given_back_to_its_last_digit(literal: str, shown: str, shop: shops.Shop) -> None:
    answer = shop.caller.post(CREATE, json.dumps(MONEY).replace("500", literal, 1))
    assert answer.status_code == 201
    assert f'"amount":{shown},'.encode() in answer.content


@conformance("R no amount goes through a float, out or in")
def test_an_amount_that_no_float_can_hold_comes_back_as_it_went_in() -> None:
    shop = shops.shop(funds="123456789012345678901.234567")
    literal = "123456789012345678901.234567"
    answer = shop.caller.post(CREATE, json.dumps(MONEY).replace("500", literal, 1), Idempotency_Key="k")
    again = shop.caller.post(CREATE, json.dumps(MONEY).replace("500", literal, 1), Idempotency_Key="k")
    assert f'"amount":{literal},'.encode() in answer.content
    assert f'"balanceUsed":{literal},'.encode() in answer.content
    assert again.json(parse_float=Decimal) == answer.json(parse_float=Decimal)
    assert shop.has() == (0, 0)


@conformance("R duplicate JSON keys are refused")
@pytest.mark.parametrize("raw", NOT_JSON, ids=lambda raw: repr(raw[:20]))
def test_a_body_that_is_no_json_object_of_ours_is_refused(raw: bytes, shop: shops.Shop) -> None:
    before = shops.state(shop.merchant)
    for path in (CREATE, "/supervisor"):
        for headers in ({}, {"Idempotency_Key": "k"}):
            assert refused(shop.caller.post(path, raw, **headers), shop, before, 400).startswith("invalid JSON")
    for path in ("/auth/login", "/auth/refresh"):
        assert refused(shops.call("POST", path, raw), shop, before, 400).startswith("invalid JSON")


@pytest.mark.parametrize("address", WRONG_ADDRESSES, ids=lambda address: repr(address)[:20])
def test_an_address_that_is_none_is_refused_and_never_falls_back_to_the_stored_one(
    address: Any, shop: shops.Shop
) -> None:
    shop.caller.extract(amount=1)
    before = shops.state(shop.merchant)
    answer = shop.caller.post(CREATE, MONEY | {"address": address})
    assert refused(answer, shop, before, 400) == "invalid address"


@conformance("R unknown body fields are refused")
@pytest.mark.parametrize("field", ["memo", "Amount", "network", "currency", "", "a" * 1000, "\u202e"])
def test_a_field_that_no_document_knows_is_refused(field: str, shop: shops.Shop) -> None:
    before = shops.state(shop.merchant)
    for path, body in ((CREATE, MONEY), ("/supervisor", {"name": "Sam", "email": "sam@shop.example"})):
        assert refused(shop.caller.post(path, body | {field: 1}), shop, before, 400).startswith("unknown field: ")


@pytest.mark.parametrize("wanted", IDS, ids=lambda wanted: wanted[:20])
def test_an_id_that_is_none_answers_like_an_absent_one(wanted: str, shop: shops.Shop) -> None:
    shop.caller.get(f"/account/{shop.qr_code.account}")
    before = shops.state(shop.merchant)
    for method, path in (
        ("GET", "/account"),
        ("GET", "/supervisor"),
        ("PATCH", "/supervisor"),
        ("DELETE", "/supervisor"),
    ):
        answer = shop.caller.call(method, f"{path}/{quote(wanted, safe='%')}", {} if method == "PATCH" else None)
        refused(answer, shop, before, 404)


# fmt: off
SAM, EMAIL = {"name": "Sam"}, {"email": "sam@shop.example"}
PEOPLE: list[dict[str, Any]] = [
    {}, SAM, EMAIL, {"name": "", **EMAIL}, {"name": " ", **EMAIL}, {"name": "a" * 101, **EMAIL},
    {"name": "a\nb", **EMAIL}, {"name": "\u202eSam", **EMAIL}, {"name": 5, **EMAIL}, {"name": None, **EMAIL},
    {**SAM, "email": "sam"}, {**SAM, "email": "sam@"}, {**SAM, "email": "ſam@shop.example"},
    {**SAM, "email": "s@ü.example"}, {**SAM, "email": "s" * 250 + "@shop.example"}, {**SAM, "email": ["s@s.example"]},
]
# fmt: on


@pytest.mark.parametrize("body", PEOPLE, ids=lambda body: str(body)[:40])
def test_who_has_no_name_or_no_email_address_becomes_no_supervisor(body: dict[str, Any], shop: shops.Shop) -> None:
    before = shops.state(shop.merchant)
    refused(shop.caller.post("/supervisor", body), shop, before, 400)


@pytest.mark.parametrize("value", [None, True, 5, [], {}, "", "x" * 100_000])
def test_a_login_needs_two_texts(value: Any, shop: shops.Shop) -> None:
    before = shops.state(shop.merchant)
    good = {"username": shop.caller.username, "password": make.PASSWORD}
    for field in good:
        refused(shops.call("POST", "/auth/login", good | {field: value}), shop, before)
    refused(shops.call("POST", "/auth/login", good | {"otp": "123456"}), shop, before, 400)
    refused(shops.call("POST", "/auth/refresh", {"refreshToken": value}), shop, before)


@pytest.mark.parametrize("key", ["", " ", "é", "a b", "x" * 256, "\x7f"])
def test_an_idempotency_key_is_visible_ascii(key: str, shop: shops.Shop) -> None:
    before = shops.state(shop.merchant)
    answer = shop.caller.post(CREATE, MONEY, Idempotency_Key=key)
    assert refused(answer, shop, before, 400) == "invalid idempotency key"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(["amount", "address", "memo"]), JSON, max_size=3))
def test_no_json_at_all_makes_the_api_stumble(body: dict[str, Any]) -> None:
    shop = shops.shop(funds="10")
    before = shops.state(shop.merchant)
    answer = shop.caller.post(CREATE, json.dumps(body))
    refused(answer, shop, (before[0], [*before[1][:-1], before[1][-1] + 1], *before[2:]))  # type: ignore[index]  # its login is one row more
