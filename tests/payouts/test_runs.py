"""Payout runs: a file is checked row by row, confirmed by one code, made once whatever dies, called back in part."""

import io
from typing import Any

import openpyxl
import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from ledger import audit, posting
from payouts.merchants import otp
from payouts.merchants.book import BookedAddress
from payouts.merchants.models import Merchant
from payouts.runs import making, queries, reading, runs
from payouts.runs.models import Run, RunRow, State
from payouts.withdrawals.models import Approval, Destination, FeeRule, Status
from payouts.withdrawals.rule_models import LimitRule
from tests import make

pytestmark = pytest.mark.django_db
HEADER = "address,amount,network,reference"
TO_TRON, TO_EVM = make.TRON_ADDRESS, make.EVM_ADDRESS


def file(*lines: str, header: str = HEADER) -> io.BytesIO:
    return io.BytesIO("\n".join([header, *lines]).encode())


def book(*rows: tuple[Any, ...]) -> io.BytesIO:
    made = openpyxl.Workbook()
    for row in rows:
        made.worksheets[0].append(row)
    out = io.BytesIO()
    made.save(out)
    out.seek(0)
    return out


def checked(of: Merchant, *lines: str) -> Run:
    asked = runs.Asked(of, "merchant", "tests", "file.csv")
    return runs.check(asked, reading.rows(file(*lines)), now=make.now())


def payments(number: int, *, amount: str = "10") -> list[str]:
    return [f"{TO_TRON},{amount},TRC20,r{one}" for one in range(number)]


def confirmed(of: Merchant, *lines: str) -> Run:
    return runs.submit(checked(of, *lines).id, merchant=of, now=make.now())


def faults(run: Run) -> dict[int, str]:
    return {row.number: row.fault for row in RunRow.objects.filter(run=run).exclude(fault="")}


# Reading.


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_csv_is_read_with_its_delimiter_its_order_of_columns_and_its_empty_lines(delimiter: str, start: str) -> None:
    text = start + "Network;AMOUNT;Destination Address\r\nTRC20;5;Ta\r\n;;\r\n\r\nERC20;6.5;0xb".replace(";", delimiter)
    found = list(reading.rows(io.BytesIO(text.encode())))
    assert found == [reading.Raw(2, "Ta", "5", "TRC20"), reading.Raw(5, "0xb", "6.5", "ERC20")]


def test_an_xlsx_is_read_with_the_amounts_that_were_typed() -> None:
    rows = (("address", "amount", "network"), ("Ta", 0.1, "TRC20"), ("Tb", 2500, "TRC20"), ("Tc", "7.000001", "TRC20"))
    assert [row.amount for row in reading.rows(book(*rows))] == ["0.1", "2500", "7.000001"]


@pytest.mark.parametrize("amount", [12345678901234567, 1234567890.1234567])
def test_an_xlsx_number_that_cannot_be_exact_is_a_faulty_row(amount: float) -> None:
    of = make.merchant()
    asked = runs.Asked(of, "merchant", "tests", "book.xlsx")
    rows = (("address", "amount", "network"), (TO_TRON, amount, "TRC20"))
    run = runs.check(asked, reading.rows(book(*rows)), now=make.now())
    assert "format the cell as text" in faults(run)[2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"address,amount,network\n", "no rows"),
        (b"address,sum\nT,5", "no network"),
        (b"address,amount,value,network\nT,5,5,TRC20", "two columns"),
        (b"address,amount,network\n\xff\xfe,5,TRC20", "UTF-8"),
        (b'address,amount,network\n"T,5,TRC20', "line"),
        (b"address,amount,network\n" + b"x" * 5000, "line 2"),
        (b"PK\x03\x04 no book", "XLSX"),
    ],
)
def test_a_file_that_is_no_list_of_payments_says_why_and_leaves_nothing(content: bytes, said: str) -> None:
    of = make.merchant()
    with pytest.raises(reading.BadFile, match=said):
        runs.check(runs.Asked(of, "merchant", "tests", "file"), reading.rows(io.BytesIO(content)), now=make.now())
    assert not Run.objects.exists()
    assert not RunRow.objects.exists()


def test_a_run_has_an_end_at_its_most_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 3)
    assert checked(make.merchant(), *payments(3)).rows_total == 3
    with pytest.raises(reading.BadFile, match="more than 3 rows"):
        checked(make.merchant(), *payments(4))


# Checking.


def test_every_row_says_what_is_wrong_with_it_and_the_others_are_summed() -> None:
    of = make.merchant(funds="100")
    ours = make.lane("tron").address
    run = checked(
        of,
        f"{TO_TRON},10,TRC20,a",
        f"{TO_EVM},12.5,ethereum,",
        f"{TO_TRON[:-1]}x,10,TRC20,",
        f"{TO_TRON},1e3,TRC20,",
        f"{TO_TRON},1.0000001,TRC20,",
        f"{TO_TRON},1,TRC20,",
        f"{TO_TRON},10,bitcoin,",
        f"{TO_TRON},10,TRC20,a",
        f"{TO_TRON},10,TRC20,b",
        f"{ours},10,TRC20,",
        f"{TO_TRON},10,TRC20,{'x' * 65}",
        f"{TO_EVM},10,TRC20,",
    )
    said = {4: "checksum", 5: "plain number", 6: "decimal places", 7: "exceed the fee", 8: "not paid on this network"}
    said |= {9: "as a row above", 11: "our own", 12: "at most 64", 13: "34 characters"}
    found = faults(run)
    assert set(found) == set(said)
    assert [number for number, part in said.items() if part not in found[number]] == []
    assert (run.rows_total, run.rows_faulty) == (12, 9)
    assert (int(run.total_units), int(run.fee_units)) == (32_500_000, 3_000_000)
    assert queries.by_network(run) == [("ethereum", 1, 12_500_000), ("tron", 2, 20_000_000)]


def test_limits_and_the_address_book_are_looked_at_row_by_row() -> None:
    of = make.merchant(funds="100")
    make.ruled(LimitRule(merchant=of, asset="USDT", payment_units=make.usdt("50"), book_only=True))
    make.ruled(BookedAddress(merchant=of, network="tron", address=TO_TRON, label="us"))
    found = faults(checked(of, f"{TO_TRON},50,TRC20,", f"{TO_TRON},51,TRC20,", f"{TO_EVM},10,ERC20,"))
    assert found == {
        3: "above the limit of one withdrawal",
        4: "not in the address book, or its cool-down is not over",
    }


def test_a_test_merchants_run_takes_what_looks_like_an_address() -> None:
    looks_right = "TXyzLooksRightButHasNoChecksum1234"
    line = f"{looks_right},10,TRC20,"
    assert not faults(checked(make.merchant(mode=Merchant.Mode.TEST), line))
    assert faults(checked(make.merchant(), line))


def test_new_recipients_and_payments_like_earlier_ones_are_counted() -> None:
    of = make.merchant(funds="100")
    make.withdrawal(of, "10")
    run = checked(of, f"{TO_TRON},10,TRC20,a", f"{TO_TRON},11,TRC20,", f"{TO_EVM},10,ERC20,")
    assert queries.notices(run, now=make.now()) == queries.Notices(new_recipients=2, paid_recently=1)


# Confirming.


def test_a_run_with_faulty_rows_waits_until_they_are_left_out() -> None:
    of = make.merchant(funds="100")
    run = checked(of, *payments(2), "nonsense,1,TRC20,")
    with pytest.raises(runs.NotReady, match="1 of its rows"):
        runs.submit(run.id, merchant=of, now=make.now())
    runs.leave_out_faulty(run.id, merchant=of)
    assert runs.submit(run.id, merchant=of, now=make.now()).state == State.CONFIRMED
    assert making.go_on(now=make.now()) == 2


def test_a_code_confirms_the_rows_that_were_shown_and_works_once() -> None:
    of, person = make.merchant(funds="100"), make.approver(1)
    run, other = checked(of, *payments(2)), checked(of, *payments(3))
    shown = runs.show(run, person=person.person, now=make.now())

    def confirm(run: Run, code: str) -> Run:
        given: dict[str, Any] = {"person": person.person, "challenge_id": shown.id, "code": code, "now": make.now()}
        return runs.confirm(run.id, merchant=of, **given)

    with pytest.raises(otp.OtpRefused, match="something else"):
        confirm(other, person.code())
    shown = runs.show(run, person=person.person, now=make.now())
    with pytest.raises(otp.OtpRefused, match="wrong"):
        confirm(run, "000000")
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert confirm(run, person.code()).maker == person.person
    with pytest.raises(runs.NotReady, match="being made already"):
        confirm(run, person.code())


def test_a_run_above_the_balance_is_refused_and_its_rows_cannot_be_changed_afterwards(owner: Any) -> None:
    of = make.merchant(funds="15", credit="4")
    run = checked(of, *payments(2))
    with pytest.raises(posting.InsufficientFunds) as refused:
        runs.submit(run.id, merchant=of, now=make.now())
    assert refused.value.short_units == 1_000_000
    make.deposit(of, "1")
    runs.submit(run.id, merchant=of, now=make.now())
    with owner.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('sluice_app', 'payouts_runrow', 'UPDATE, DELETE')")
        assert cursor.fetchone() == (False,)


def test_somebody_elses_run_is_not_there() -> None:
    run = checked(make.merchant(funds="100"), *payments(1))
    stranger = make.merchant(funds="100")
    for verb in (runs.submit, runs.cancel):
        with pytest.raises(Run.DoesNotExist):
            verb(run.id, merchant=stranger, now=make.now())


# Making.


def test_a_run_is_made_as_single_withdrawals_would_have_been() -> None:
    one, other = make.merchant(funds="25", credit="10"), make.merchant(funds="25", credit="10")
    run = confirmed(one, *payments(3))
    assert making.go_on(now=make.now()) == 3
    singles = [make.withdrawal(other, "10", custom_id=f"r{number}", channel="run") for number in range(3)]
    assert make.holds(one) == make.holds(other)
    made = queries.withdrawals(run).order_by("id")
    told = ("status", "approval", "amount_units", "fee_units", "net_units", "credit_units", "custom_id", "channel")
    assert [[getattr(row, name) for name in told] for row in made] == [
        [getattr(row, name) for name in told] for row in singles
    ]
    assert [row.steps.get().verb for row in made] == ["create"] * 3
    run.refresh_from_db()
    assert (run.state, run.rows_made, run.rows_left) == (State.MADE, 3, 0)
    assert audit.prove().ok


def test_each_payment_is_approved_by_the_first_policy_that_matches_it() -> None:
    of = make.merchant(funds="10000")
    limits = {"asset": "USDT", "api": "merchant"}
    make.policy(of, Approval.ONE_LEVEL, priority=1, to_units=make.usdt("20"), **limits)
    make.policy(of, Approval.MERCHANT, priority=2, destination=Destination.NEW, to_units=make.usdt("500"), **limits)
    for amount in ("10", "20", "20.000001", "500", "501"):
        single = make.withdrawal(of, amount)
        run = confirmed(of, f"{TO_TRON},{amount},TRC20,x")
        making.go_on(now=make.now())
        assert queries.withdrawals(run).get().approval == single.approval


def test_a_run_goes_as_far_as_the_money_reaches_and_on_when_there_is_more() -> None:
    of = make.merchant(funds="30")
    run = confirmed(of, *payments(3))
    make.withdrawal(of, "11")
    assert making.go_on(now=make.now()) == 1
    run.refresh_from_db()
    assert (run.rows_left, run.note) == (2, making.SHORT)
    assert making.go_on(now=make.now()) == 0
    make.deposit(of, "11")
    assert making.go_on(now=make.now()) == 2
    run.refresh_from_db()
    assert (run.state, run.note) == (State.MADE, "")


def test_a_run_waits_at_a_limit_and_says_so() -> None:
    of = make.merchant(funds="100")
    run = confirmed(of, *payments(3))
    rule = make.ruled(LimitRule(merchant=of, asset="USDT", window_hours=1, window_count=2))
    assert making.go_on(now=make.now()) == 0
    run.refresh_from_db()
    assert "limit of the merchant's" in run.note
    make.unruled(rule)
    assert making.go_on(now=make.now()) == 3


def test_a_fee_above_an_amount_keeps_that_run_alone() -> None:
    of, other = make.merchant(funds="100"), make.merchant(funds="100")
    run = confirmed(of, *payments(2))
    confirmed(other, *payments(2))
    make.ruled(FeeRule(merchant=of, api="merchant", asset="USDT", network="tron", flat_units=make.usdt("10")))
    assert making.go_on(now=make.now()) == 2
    run.refresh_from_db()
    assert (run.rows_left, run.note) == (2, "the fee was raised above an amount of it")


def test_a_run_is_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PART", 120)  # more than what goes by single statements
    of = make.merchant(funds="10000")
    run = confirmed(of, *payments(301))
    assert making.go_on(now=make.now()) == 301
    assert queries.progress(run).counts == {Status.PENDING: 301}
    assert make.holds(of)["frozen"] == 301 * make.usdt("10")
    assert audit.prove().ok


def test_a_part_that_dies_before_its_commit_is_made_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    of = make.merchant(funds="1000")
    run = confirmed(of, *payments(3))

    class Died(Exception):
        pass

    def dies(*_rows: object, **_more: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Run, "save", dies)  # the last statement of the part: all others have been made
        with pytest.raises(Died):
            making.go_on(now=make.now())
    assert not queries.withdrawals(run).exists()
    assert making.go_on(now=make.now()) == 3
    assert queries.progress(run).counts == {Status.PENDING: 3}


# Calling back.


def test_what_is_not_on_chain_is_called_back_and_the_rest_is_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    of = make.merchant(funds="45")
    make.policy(of, Approval.NONE)
    run = confirmed(of, *payments(4))
    making.go_on(now=make.now())
    first = queries.withdrawals(run).order_by("id")[0]
    queries.withdrawals(run).filter(id=first.id).update(status=Status.PROCESSING)
    monkeypatch.setattr(making, "BACK_PART", 2)
    runs.cancel(run.id, merchant=of, now=make.now())
    assert making.go_on(now=make.now()) == 3
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert queries.progress(run).counts == {Status.PROCESSING: 1, Status.CANCELLED: 3}
    assert make.holds(of) == {
        "available": make.usdt("35"),
        "frozen": make.usdt("10"),
        "external/tron": -make.usdt("45"),
    }
    with pytest.raises(runs.NotToCancel):
        runs.cancel(run.id, merchant=of, now=make.now())


def test_the_results_are_a_table_that_no_spreadsheet_runs() -> None:
    of = make.merchant(funds="100")
    run = checked(of, f"{TO_TRON},10,TRC20,=cmd()", "=1+1,5,TRC20,")
    runs.leave_out_faulty(run.id, merchant=of)
    runs.submit(run.id, merchant=of, now=make.now())
    making.go_on(now=make.now())
    header, good, bad = list(queries.lines(run))
    made = queries.withdrawals(run).get()
    assert header.startswith("line,address,amount,network")
    assert good == f"2,{TO_TRON},10.00,tron,'=cmd(),PENDING,{made.id},,\r\n"
    assert bad.startswith("3,'=1+1,5,TRC20,,FAULTY,,,")
    assert len(list(queries.lines(run, faulty=True))) == 2
