"""`POST /v1/withdrawals/batch`: all rows or none, from JSON or a file, once per key, told row by row."""

import io
from typing import Any

import openpyxl
import pytest

from payouts.runs import making
from payouts.runs.models import Run
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import speaker

pytestmark = pytest.mark.django_db
BATCH = "/v1/withdrawals/batch"
ROW = {"amount": "10", "destination_address": make.TRON_ADDRESS, "network": "TRC20"}
CSV = f"address,amount,network,reference\n{make.TRON_ADDRESS},10,TRC20,a\n{make.EVM_ADDRESS},12.5,ERC20,b\n"


def rows(number: int) -> dict[str, Any]:
    return {"withdrawals": [ROW | {"reference": f"r{one}"} for one in range(number)]}


def test_a_batch_is_made_and_told_row_by_row() -> None:
    program = speaker.program(make.merchant(funds="100"))
    made = program.post(BATCH, rows(3))
    assert made.status_code == 202
    told = made.json()
    assert (told["status"], told["rows"], told["total_amount"], told["total_fee"]) == ("PROCESSING", 3, "30.00", "3.00")
    assert making.go_on(now=make.now()) == 3
    told = program.get(f"{BATCH}/{told['id']}").json()
    assert (told["status"], told["created"], told["withdrawals"]) == ("CREATED", 3, {"pending": 3})
    page = program.get(f"{BATCH}/{told['id']}/rows?limit=2&after=1").json()
    assert [(row["row"], row["reference"], row["withdrawal"]["status"]) for row in page["rows"]] == [
        (2, "r1", "PENDING"),
        (3, "r2", "PENDING"),
    ]
    listed = {row["id"] for row in program.get("/v1/withdrawals").json()["withdrawals"]}
    assert {row["withdrawal"]["id"] for row in page["rows"]} < listed


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_batch_comes_as_a_file(kind: str) -> None:
    program = speaker.program(make.merchant(funds="100"))
    content, media_type = CSV.encode(), "text/csv"
    if kind == "xlsx":
        book, out = openpyxl.Workbook(), io.BytesIO()
        for line in CSV.splitlines():
            book.worksheets[0].append(line.split(","))
        book.save(out)
        content = out.getvalue()
        media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    made = program.call("POST", BATCH, content, content_type=media_type)
    assert (made.status_code, made.json()["total_amount"]) == (202, "22.50")
    making.go_on(now=make.now())
    results = b"".join(program.get(f"{BATCH}/{made.json()['id']}/results.csv").streaming_content).decode()
    assert [line.split(",")[1:6] for line in results.splitlines()[1:]] == [
        [make.TRON_ADDRESS, "10.00", "tron", "a", "PENDING"],
        [make.EVM_ADDRESS, "12.50", "ethereum", "b", "PENDING"],
    ]


def test_one_faulty_row_refuses_the_whole_and_is_named() -> None:
    of = make.merchant(funds="100")
    body = rows(2)
    body["withdrawals"][1]["amount"] = "1"
    refused = speaker.program(of).post(BATCH, body)
    assert refused.status_code == 422
    assert refused.json() == {
        "error": "1 of 2 rows cannot be paid",
        "rows": [{"row": 2, "error": "the amount must exceed the fee"}],
    }
    assert not Run.objects.exists()
    assert make.holds(of)["available"] == make.usdt("100")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "withdrawals must be a list of withdrawals"),
        ({"withdrawals": []}, "withdrawals must be a list of withdrawals"),
        ({"withdrawals": [ROW], "more": 1}, "withdrawals must be a list of withdrawals"),
        ({"withdrawals": [ROW | {"fee": "1"}]}, "row 1 must have amount, destination_address and network"),
        ({"withdrawals": [ROW, ROW | {"amount": 10}]}, "row 2: every field is a text"),
        ({"withdrawals": [ROW, 5]}, "row 2 must have amount, destination_address and network"),
        (rows(11), "insufficient balance"),
    ],
)
def test_what_is_no_batch_or_cannot_be_paid_is_refused_and_leaves_nothing(body: dict[str, Any], said: str) -> None:
    refused = speaker.program(make.merchant(funds="100")).post(BATCH, body)
    assert (refused.status_code, refused.json()) == (400, {"error": said})
    assert not Run.objects.exists()


def test_a_file_that_cannot_be_read_says_why() -> None:
    program = speaker.program(make.merchant(funds="100"))
    refused = program.call("POST", BATCH, b"a,b\n1,2", content_type="text/csv")
    assert refused.status_code == 400
    assert "no address" in refused.json()["error"]


@pytest.mark.parametrize("as_file", [False, True])
def test_a_repeat_with_the_same_key_is_the_same_batch_and_with_other_rows_an_error(as_file: bool) -> None:  # noqa: FBT001 - a parameter
    program = speaker.program(make.merchant(funds="1000"))

    def send(more: str) -> Any:
        if as_file:
            content = (CSV + more).encode()
            return program.call("POST", BATCH, content, content_type="text/csv", Idempotency_Key="once")
        return program.post(BATCH, rows(2 + len(more)), Idempotency_Key="once")

    first, again, other = send(""), send(""), send("\n")
    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert first.json() == again.json()
    making.go_on(now=make.now())
    assert Withdrawal.objects.count() == 2


def test_the_rest_of_a_batch_is_called_back() -> None:
    of = make.merchant(funds="100")
    program = speaker.program(of)
    path = f"{BATCH}/{program.post(BATCH, rows(3)).json()['id']}"
    making.go_on(now=make.now())
    assert program.post(f"{path}/cancel").json()["status"] == "CANCELLING"
    making.go_on(now=make.now())
    assert program.get(path).json()["withdrawals"] == {"cancelled": 3}
    assert make.holds(of)["available"] == make.usdt("100")
    again = program.post(f"{path}/cancel")
    assert (again.status_code, again.json()) == (409, {"error": "batch is cancelled already"})
