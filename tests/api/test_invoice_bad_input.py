"""What the `invoice` API makes of requests that no document foresees, and of repeats: a 4xx, and nothing twice."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import invoices
from tests.api.invoices import SEED, conformance
from tests.payouts import crowd

KEY = {"Idempotency_Key": "order-4711"}
HUGE = "9" * 5000
# fmt: off
NOT_JSON = [
    b" ", b"{", b"nope", b'{"amount": NaN}', b'{"amount": Infinity}', b"[]", b'"text"', b"5", b"null", b"[" * 100_000,
    b"\xff\xfe", b"\x00", b"amount=5&currency_code=ETH",
    json.dumps(SEED).replace("ETH", "ETH\\u0000").encode(), json.dumps(SEED).replace("ETH", "\\ud800").encode(),
    json.dumps(SEED).replace("{", '{"amount": 1, ', 1).encode(),
]
AMOUNTS = [
    "1e400", "1E-19", "-0.001", HUGE, f"0.{HUGE}", '""', '" 1"', '"1 "', '"+1"', '"-1"', '"0x1"', '"1_0"', '"1,5"',
    '"."', '"1."', '".1"', '"NaN"', '"Infinity"', '"１"', '"٣"', '"½"', '"1\\n"', f'"{HUGE}"', "{}", "[]", "false",
]
# fmt: on


@pytest.mark.django_db
@conformance("R duplicate JSON keys, NaN and what is no object are refused")
@pytest.mark.parametrize("raw", NOT_JSON, ids=lambda raw: repr(raw[:20]))
def test_a_body_that_is_no_json_object_of_ours_is_refused(raw: bytes) -> None:
    program = invoices.program(ETH="1")
    before = invoices.state(program.merchant)
    assert invoices.error(program.create(raw)) == (400, "validate_error")
    assert invoices.error(program.rested().create(raw, headers=KEY)) == (400, "validate_error")
    assert invoices.state(program.merchant) == before


@pytest.mark.django_db
@conformance("R amounts: ASCII digits, finite, positive, no more places than the currency has")
def test_an_amount_that_is_no_amount_is_refused() -> None:
    program = invoices.program(ETH="1")
    before = invoices.state(program.merchant)
    for literal in AMOUNTS:
        answer = program.rested().create(json.dumps(SEED).replace("0.003", literal))
        assert invoices.error(answer)[0] == 400, literal
        assert invoices.error(answer)[1] in ("uncorrected_amount", "required_parameter"), literal
    assert invoices.state(program.merchant) == before


@pytest.mark.django_db
def test_a_megabyte_is_too_large_and_a_query_of_two_thousand_parameters_too_long() -> None:
    program = invoices.program(ETH="1")
    before = invoices.state(program.merchant)
    long = program.create(b'{"amount": "' + b"5" * 1_000_001 + b'"}')
    assert invoices.error(long) == (413, "validate_error")
    path = invoices.BALANCES_PATH + "?" + "&".join(["a=1"] * 2000)
    assert invoices.call("POST", path, token=program.shop_token).status_code in (200, 400)
    assert invoices.state(program.merchant) == before


@pytest.mark.django_db
@conformance("R Idempotency-Key: the same body gets the first answer, another body 422")
def test_a_repeat_gets_the_first_answer_and_another_body_is_refused() -> None:
    program = invoices.program(ETH="1")
    first = program.create(headers=KEY)
    made = invoices.result(first)
    before = invoices.state(program.merchant)
    assert invoices.error(program.create(headers=KEY)) == (429, "rate_limit"), "a repeat is a request, too"
    again = program.rested().create(headers=KEY)
    assert (again.status_code, again.json()) == (200, first.json())
    assert b'"amount":0.003' in again.content
    for change in ({"amount": "0.003"}, {"amount": 0.0031}, {"to_address": make.TRON_ADDRESS}, {"memo": "x"}):
        assert invoices.error(program.rested().create(headers=KEY, **change)) == (422, "validate_error")
    for key in ("", " ", "k" * 256, "ä"):
        answer = program.rested().create(headers={"Idempotency_Key": key})
        assert invoices.error(answer) == (400, "validate_error")
    assert invoices.state(program.merchant) == before
    assert Withdrawal.objects.get().id
    assert made["status"] == "created"


@pytest.mark.django_db
def test_a_refusal_is_not_kept_so_that_the_key_works_once_the_money_is_there() -> None:
    program = invoices.program()
    assert invoices.error(program.create(headers=KEY)) == (400, "uncorrected_amount")
    invoices.deposit(program.merchant, "ETH", "1")
    assert invoices.result(program.rested().create(headers=KEY))["status"] == "created"


def test_many_at_once_with_one_idempotency_key_make_one_withdrawal(committed: object) -> None:
    program = invoices.program(ETH="1")
    answers: list[tuple[int, Any]] = []

    def create(one: invoices.Program) -> None:
        answer = one.create(headers=KEY)
        answers.append((answer.status_code, answer.json()["result"].get("invoice_id")))

    keys = [program.rested() for _ in range(20)]
    crowd.at_once([lambda one=one: create(one) for one in keys])  # type: ignore[misc]  # mypy cannot infer a lambda's default
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) <= {200, 409}
    assert len({found for status, found in answers if status == 200}) == 1
    assert Withdrawal.objects.count() == 1
    assert invoices.held(program.merchant, "ETH")[1] == 3 * 10**15


def test_of_twenty_creates_at_once_exactly_those_pass_that_the_balance_covers(committed: object) -> None:
    program = invoices.program(ETH="1")
    keys, answers = [program.rested() for _ in range(20)], []
    crowd.at_once([lambda one=one: answers.append(one.create(amount="0.125")) for one in keys])  # type: ignore[misc]  # as above
    told = Counter(answer.json()["result"].get("uncorrected_amount", "made") for answer in answers)
    assert told == {"made": 8, "Amount too large: insufficient balance.": 12}
    assert invoices.held(program.merchant, "ETH") == (0, 10**18)


TEXTS = st.text(max_size=20) | st.sampled_from(["5", "0.003", "ETH", "TRX", "BTC", make.EVM_ADDRESS, "1e3", "NaN"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
BODIES = VALUES | st.fixed_dictionaries(dict.fromkeys(SEED, TEXTS | VALUES))


@pytest.mark.django_db
def test_no_json_whatever_brings_a_5xx_or_moves_money_without_a_success() -> None:
    program = invoices.program(ETH="1000000", TRX="1000000")

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(body=BODIES)
    def fuzz(body: object) -> None:
        before = invoices.state(program.merchant)
        answer = program.rested().create(json.dumps(body))
        if answer.status_code == 200:
            assert isinstance(body, dict)
            assert answer.json()["result"]["amount"] == float(body["amount"])
        else:
            assert invoices.error(answer)[0] == 400
            assert invoices.state(program.merchant) == before

    fuzz()
