"""The operator's screening service: what it passes goes on, what it does not stops, and its silence is no pass."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chain import alarms
from ledger import audit
from payouts import tasks
from payouts.withdrawals import screening, withdrawals
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Approval, Status, Withdrawal
from tests import fakes, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(settings: Any) -> Iterator[fakes.Receiver]:
    with fakes.receiver() as receiver:
        settings.SCREENING_URL = receiver.url("/screen")
        settings.SCREENING_TOKEN = "token"
        settings.SCREENING_TIMEOUT_S = 10
        yield receiver


def says(service: fakes.Receiver, body: Any, status: int = 200) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    service.answers["/screen"] = lambda handler: handler.reply(status, raw)


def asked_of_nobody(funds: str = "1000") -> Withdrawal:
    merchant = make.merchant(funds=funds)
    make.policy(merchant, Approval.NONE)
    return make.withdrawal(merchant)


def swept(row: Withdrawal) -> Withdrawal:
    tasks.screen()
    return Withdrawal.objects.get(id=row.id)


def silent() -> list[str]:
    return list(alarms.standing().filter(kind="screening.silent").values_list("text", flat=True))


def test_a_pass_lets_policy_decide_and_the_service_is_asked_what_is_to_be_paid(service: fakes.Receiver) -> None:
    says(service, {"verdict": "pass"})
    row = asked_of_nobody()
    assert swept(row).status == Status.APPROVED
    (call,) = service.at("/screen")
    assert call.headers["Authorization"] == "Bearer token"
    question = json.loads(call.body)
    assert (question["id"], question["destination"], question["amount"]) == (str(row.id), make.TRON_ADDRESS, "100")
    reviewed = make.withdrawal(make.merchant(funds="1000"))
    assert swept(reviewed).status == Status.PENDING_REVIEW


def test_a_flag_brings_it_to_people_whose_two_yeses_are_enough(service: fakes.Receiver) -> None:
    says(service, {"verdict": "flag", "reason": "mixer two hops away"})
    row = swept(asked_of_nobody())
    assert row.status == Status.PENDING_REVIEW
    assert "screening flagged it: mixer two hops away" in row.review_notes
    make.approve(row.id, level=1, by=make.approver(1))
    assert make.approve(row.id, level=2, by=make.approver(2)).status == Status.APPROVED


def test_a_refusal_ends_it_and_gives_everything_back(service: fakes.Receiver) -> None:
    says(service, {"verdict": "refuse", "reason": "sanctioned"})
    row = asked_of_nobody()
    refused = swept(row)
    assert (refused.status, refused.reason) == (Status.REJECTED, "refused by screening")
    assert refused.steps.get(verb="reject").data == {"screening": {"answer": "refuse", "reason": "sanctioned"}}
    assert make.holds(row.merchant) == {"available": make.usdt("1000"), "external/tron": -make.usdt("1000")}
    assert audit.prove().problems == []


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"verdict": "pass"}), (404, b""), (302, {"verdict": "pass"}), (204, b""), (200, b""), (200, b"pass"),
        (200, "pass"), (200, []), (200, ["pass"]), (200, {}), (200, {"verdict": None}), (200, {"verdict": "PASS"}),
        (200, {"verdict": ["pass"]}), (200, b'{"verdict": "pass"'), (200, b"\xff\xfe"), (200, b"[" * 100_000),
    ],
)  # fmt: skip
def test_what_is_no_plain_pass_is_never_approved_by_policy(service: fakes.Receiver, answer: tuple[int, Any]) -> None:
    says(service, answer[1], answer[0])
    row = swept(asked_of_nobody())
    assert row.status == Status.PENDING_REVIEW
    assert "screening gave no answer" in row.review_notes
    (text,) = silent()
    assert "1 of 1" in text
    says(service, {"verdict": "pass"})
    assert swept(asked_of_nobody()).status == Status.APPROVED
    assert silent() == []


@pytest.mark.parametrize("answer", [fakes.held, fakes.hanging_up, fakes.stalling, None])
def test_silence_is_no_pass(service: fakes.Receiver, settings: Any, answer: Any) -> None:
    settings.SCREENING_TIMEOUT_S = 0.3
    service.answers["/screen"] = answer or 200
    if answer is None:
        settings.SCREENING_URL = "http://127.0.0.1:1/"
    row = asked_of_nobody()
    assert swept(row).status == Status.PENDING_REVIEW
    service.released.set()


def test_what_nobody_asked_about_is_not_approved_where_somebody_should_have(service: fakes.Receiver) -> None:
    row = asked_of_nobody()
    assert withdrawals.screen(row.id, now=make.now()).status == Status.PENDING_REVIEW
    assert service.calls == []


@pytest.mark.parametrize(
    ("verdict", "status"), [("flag", Status.PENDING_REVIEW), ("refuse", Status.REJECTED), ("?", Status.PENDING_REVIEW)]
)
def test_a_merchants_yes_does_not_go_past_screening(service: fakes.Receiver, verdict: str, status: Status) -> None:
    merchant, by = make.merchant(funds="1000"), By("mk_test")
    make.policy(merchant, Approval.MERCHANT)
    row = make.withdrawal(merchant)
    says(service, {"verdict": verdict})
    with pytest.raises(withdrawals.UnderReview):
        withdrawals.merchant_approve(row.id, by=by, now=make.now())
    row.refresh_from_db()
    assert row.status == status
    says(service, {"verdict": "pass"})
    other = make.withdrawal(merchant)
    assert withdrawals.merchant_approve(other.id, by=by, now=make.now()).status == Status.APPROVED


def test_many_are_asked_about_at_once(service: fakes.Receiver) -> None:
    says(service, {"verdict": "pass"})
    merchant = make.merchant(funds="5000")
    make.policy(merchant, Approval.NONE)
    rows = [make.withdrawal(merchant) for _ in range(4)]
    assert len(screening.verdicts([row.id for row in rows], now=make.now())) == len(service.calls) == 4
    tasks.screen()
    assert Withdrawal.objects.filter(status=Status.APPROVED).count() == 4
