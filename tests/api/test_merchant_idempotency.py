"""`Idempotency-Key` on the `merchant` API's creates: the first answer again, and nothing twice."""

import json
import threading
from collections import Counter

import pytest

from payouts.merchants.models import Merchant
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import IdempotencyKey, Withdrawal
from tests import make
from tests.api import speaker
from tests.api.speaker import CREATE, Program, conformance
from tests.payouts import crowd

KEY = {"Idempotency_Key": "order-4711"}


@conformance("R Idempotency-Key on every create: same body the first answer")
@pytest.mark.django_db
def test_a_repeat_gets_the_first_answer_even_after_the_withdrawal_went_on(merchant: Merchant, program: Program) -> None:
    first = program.post("/v1/withdrawals", CREATE, **KEY)
    speaker.reach(first.json()["id"], "PROCESSING")
    before = speaker.state(merchant)
    reordered = json.dumps(dict(reversed(CREATE.items())), indent=3)
    for body in (CREATE, reordered):
        again = program.post("/v1/withdrawals", body, **KEY)
        assert (again.status_code, again.json()) == (201, first.json())
    assert speaker.state(merchant) == before


@conformance("R Idempotency-Key with another body: 422")
@pytest.mark.django_db
def test_a_key_with_another_body_is_refused(merchant: Merchant, program: Program) -> None:
    program.post("/v1/withdrawals", CREATE, **KEY)
    before = speaker.state(merchant)
    for change in ({"amount": "500.01"}, {"amount": "500.0"}, {"memo": "x"}, {"amount": ["500.00"]}):
        answer = program.post("/v1/withdrawals", CREATE | change, **KEY)
        assert speaker.error(answer) == (422, "idempotency key was used with another request")
    assert speaker.state(merchant) == before


@pytest.mark.django_db
def test_a_number_in_the_place_of_its_text_is_another_body(merchant: Merchant, program: Program) -> None:
    body = CREATE | {"amount": "5"}
    program.post("/v1/withdrawals", body, **KEY)
    before = speaker.state(merchant)
    answer = program.post("/v1/withdrawals", body | {"amount": 5}, **KEY)
    assert speaker.error(answer) == (422, "idempotency key was used with another request")
    assert speaker.state(merchant) == before


@pytest.mark.django_db
def test_a_refusal_is_not_kept_so_that_the_key_works_once_the_money_is_there(program: Program) -> None:
    merchant = make.merchant()
    program = speaker.program(merchant)
    assert program.post("/v1/withdrawals", CREATE, **KEY).status_code == 400
    make.deposit(merchant, "500")
    assert program.post("/v1/withdrawals", CREATE, **KEY).status_code == 201


@pytest.mark.django_db
def test_keys_are_kept_apart_by_merchant_and_by_endpoint_but_not_by_api_key(
    merchant: Merchant, program: Program
) -> None:
    first = program.post("/v1/withdrawals", CREATE, **KEY).json()
    other = speaker.program(make.merchant(funds="500")).post("/v1/withdrawals", CREATE, **KEY)
    colleague = speaker.program(merchant).post("/v1/withdrawals", CREATE, **KEY)
    hook = {"url": "https://hooks.example/in", "events": ["withdrawal.completed"]}
    registered = program.post("/v1/webhooks", hook, **KEY)
    assert other.status_code == registered.status_code == 201
    assert other.json()["id"] != first["id"]
    assert colleague.json() == first
    assert program.post("/v1/webhooks", hook, **KEY).json() == registered.json()
    assert program.get("/v1/webhooks").json()["total"] == 1


@pytest.mark.django_db
def test_what_is_kept_for_a_repeat_holds_no_secret(program: Program) -> None:
    hook = {"url": "https://hooks.example/in", "events": ["withdrawal.completed"]}
    secret = program.post("/v1/webhooks", hook, **KEY).json()["secret"]
    assert len(bytes.fromhex(secret)) == 32
    assert secret not in json.dumps([row.body for row in IdempotencyKey.objects.all()])


@conformance("N 409 duplicate idempotency key")
def test_while_the_first_is_under_way_a_second_is_told_so(
    merchant: Merchant, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    real = withdrawals.create

    def slow(*args: object, **kwargs: object) -> Withdrawal:
        inside.set()
        assert go_on.wait(30)
        return real(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(withdrawals, "create", slow)
    answers = []

    def first() -> None:
        answers.append(program.post("/v1/withdrawals", CREATE, **KEY))

    def second() -> None:
        assert inside.wait(30)
        answers.append(program.post("/v1/withdrawals", CREATE, **KEY))
        go_on.set()

    crowd.at_once([first, second])
    assert speaker.error(answers[0]) == (409, "duplicate idempotency key")
    assert answers[1].status_code == 201
    assert program.post("/v1/withdrawals", CREATE, **KEY).json() == answers[1].json()


def test_twenty_at_once_with_one_key_make_one_withdrawal(merchant: Merchant, program: Program) -> None:
    answers: list[tuple[int, str]] = []

    def create() -> None:
        answer = program.post("/v1/withdrawals", CREATE | {"amount": "10"}, **KEY)
        answers.append((answer.status_code, answer.json().get("id", "")))

    crowd.at_once([create] * 20)
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) <= {201, 409}
    assert statuses[201] >= 1
    assert len({found for status, found in answers if status == 201}) == 1
    assert Withdrawal.objects.count() == 1
    assert make.holds(merchant)["frozen"] == make.usdt("10")


def test_of_fifty_creates_at_once_twenty_fit_the_balance_and_exactly_twenty_are_made(merchant: Merchant) -> None:
    program = speaker.program(merchant)
    statuses: list[int] = []
    body = CREATE | {"amount": "50"}
    crowd.at_once([lambda: statuses.append(program.post("/v1/withdrawals", body).status_code)] * 50)
    assert Counter(statuses) == {201: 20, 400: 30}
    assert make.holds(merchant)["frozen"] == make.usdt("1000")
