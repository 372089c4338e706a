"""Paying by hand: what was shown is what one code pays, once; everything else is refused and changes nothing."""

import functools
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from payouts.merchants import otp
from payouts.merchants.models import Challenge, Member, Merchant
from payouts.webhooks import endpoints
from payouts.webhooks.models import Message
from payouts.withdrawals import queries, steps
from payouts.withdrawals.models import Approval, FeeRule, Status, Withdrawal
from payouts.withdrawals.rule_models import LimitRule
from tests import make
from tests.dashboard.visitors import Visitor, fields, wrong
from tests.databases import Database
from tests.payouts import desk
from tests.payouts.crowd import at_once

PAYOUT = "/dashboard/payout"
FORM = {"way": "USDT/tron", "address": make.TRON_ADDRESS, "amount": "100.5"}


@pytest.fixture
def merchant(db: None) -> Merchant:
    return make.merchant(funds="1000")


@pytest.fixture
def payer(merchant: Merchant) -> Visitor:
    return Visitor(merchant, Member.Role.PAYER)


def asked(payer: Visitor, **changes: str) -> dict[str, str]:
    """The last page's fields, after a look that it is one."""
    answer = payer.post(PAYOUT, FORM | changes)
    assert answer.status_code == 200, wrong(desk.soup(answer))
    return fields(desk.soup(answer), "confirm")


def nothing_moved(payer: Visitor, funds: str = "1000") -> bool:
    holds = make.holds(payer.merchant)
    return not Withdrawal.objects.exists() and holds["available"] == make.usdt(funds) and "frozen" not in holds


def test_what_was_shown_whole_is_what_one_code_pays(payer: Visitor) -> None:
    page = desk.soup(payer.post(PAYOUT, FORM))
    shown = {
        row.dt.get_text(strip=True): row.dd.get_text(" ", strip=True)
        for row in page.select(".row")
        if row.dt and row.dd
    }
    assert shown["Recipient gets"] == "100.50 USDT"
    assert shown["To address"].startswith(make.TRON_ADDRESS)
    assert (shown["Asset"], shown["Network"], shown["Fee"]) == ("USDT", "TRON (TRC20)", "1.00 USDT")
    assert shown["Total"].startswith("101.50 USDT")
    assert shown["Balance after"] == "898.50 USDT"
    assert "two approvers" in shown["Then needs"]
    assert "letter by letter" in page.get_text()
    assert nothing_moved(payer)
    answer = payer.post(PAYOUT, fields(page, "confirm"), otp=payer.code())
    made = Withdrawal.objects.get()
    assert answer["Location"].startswith("/dashboard/withdrawals/po_")
    assert (made.api, made.maker, made.destination) == ("dashboard", payer.who.person, make.TRON_ADDRESS)
    assert (made.net_units, made.fee_units, made.amount_units) == tuple(map(make.usdt, ("100.5", "1", "101.5")))
    assert (made.status, made.approval) == (Status.PENDING, Approval.TWO_LEVELS)
    assert make.holds(payer.merchant)["frozen"] == make.usdt("101.5")


@pytest.mark.parametrize(
    "change",
    [
        {"address": "TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL"},
        {"amount": "100.51"},
        {"way": "USDT/ethereum", "address": make.EVM_ADDRESS},
    ],
    ids=["address", "amount", "network"],
)
def test_any_change_voids_the_code(payer: Visitor, change: dict[str, str]) -> None:
    answer = payer.post(PAYOUT, asked(payer) | change, otp=payer.code())
    assert (answer.status_code, nothing_moved(payer)) == (400, True)
    assert "confirmed something else" in wrong(desk.soup(answer))
    assert desk.soup(answer).select_one("#confirm") is not None  # what is there now, to be confirmed anew


def test_a_fee_that_changed_meanwhile_voids_the_code(payer: Visitor) -> None:
    last = asked(payer)
    fee = FeeRule.objects.get(api="dashboard", asset="USDT", network="tron")
    fee.flat_units = Decimal(make.usdt("2"))
    make.ruled(fee)
    answer = payer.post(PAYOUT, last, otp=payer.code())
    assert (answer.status_code, nothing_moved(payer)) == (400, True)
    assert "102.50 USDT" in desk.text(answer)


def test_a_code_pays_once(payer: Visitor) -> None:
    last, code = asked(payer), payer.code()
    assert payer.post(PAYOUT, last, otp=code).status_code == 302
    for again in (last, asked(payer)):
        assert payer.post(PAYOUT, again, otp=code).status_code == 400
    assert payer.post(PAYOUT, last, otp=payer.code()).status_code == 400  # what was shown is used up, too
    assert Withdrawal.objects.count() == 1


def test_a_page_that_is_too_old_confirms_nothing(payer: Visitor) -> None:
    last = asked(payer)
    Challenge.objects.update(expires_at=make.now() - timedelta(seconds=1))
    answer = payer.post(PAYOUT, last, otp=payer.code())
    assert (answer.status_code, nothing_moved(payer)) == (400, True)


def test_a_challenge_of_somebody_else_or_of_nothing_confirms_nothing(payer: Visitor, merchant: Merchant) -> None:
    other = Visitor(merchant, Member.Role.PAYER)
    for challenge in (asked(other)["challenge"], "", "garbage", "0" * 32):
        answer = payer.post(PAYOUT, asked(payer) | {"challenge": challenge}, otp=payer.code())
        assert (answer.status_code, nothing_moved(payer)) == (400, True)


@pytest.mark.parametrize("typed", ["", "12345", "１２３４５６", "abcdef"])
def test_what_is_no_code_pays_nothing(payer: Visitor, typed: str) -> None:
    answer = payer.post(PAYOUT, asked(payer), otp=typed)
    assert (answer.status_code, nothing_moved(payer)) == (400, True)


# fmt: off
REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "no number":            ({"amount": "ten"}, "a plain number"),
    "full-width digits":    ({"amount": "１0"}, "a plain number"),
    "an exponent":          ({"amount": "1e3"}, "a plain number"),
    "a sign":               ({"amount": "-5"}, "a plain number"),
    "a comma":              ({"amount": "1,000"}, "a plain number"),
    "nothing":              ({"amount": "0"}, "above zero"),
    "too many places":      ({"amount": "1.0000001"}, "decimal places"),
    "too much":             ({"amount": "999.01"}, "does not cover"),
    "far too much":         ({"amount": "9" * 50}, "too large"),
    "a broken checksum":    ({"address": make.TRON_ADDRESS[:-1] + "9"}, "cannot be paid on this network"),
    "another network's":    ({"address": make.EVM_ADDRESS}, "cannot be paid on this network"),
    "no way that we offer": ({"way": "USDT/solana"}, "not one of the available choices"),
    "a NUL":                ({"address": "T\0"}, "Null characters"),
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_paid_is_said_beside_its_field(payer: Visitor, case: str) -> None:
    change, words = REFUSED[case]
    answer = payer.post(PAYOUT, FORM | change)
    page = desk.soup(answer)
    assert (answer.status_code, nothing_moved(payer)) == (400, True)
    assert words in wrong(page)
    field = page.select_one(f"[name={next(iter(change))}]")
    assert field is not None
    assert field.get("aria-invalid") == "true"


def test_limits_are_told_before_a_code_is_asked_for(payer: Visitor, merchant: Merchant) -> None:
    rule = make.ruled(LimitRule(merchant=merchant, asset="USDT", payment_units=make.usdt("50")))
    assert "limit of one withdrawal" in wrong(desk.soup(payer.post(PAYOUT, FORM)))
    make.unruled(rule)
    make.ruled(LimitRule(merchant=merchant, book_only=True))
    assert "addresses of its book only" in wrong(desk.soup(payer.post(PAYOUT, FORM)))


def test_money_that_left_between_the_two_pages_is_told_and_not_paid_twice(payer: Visitor, merchant: Merchant) -> None:
    last = asked(payer)
    make.withdrawal(merchant, "950")
    answer = payer.post(PAYOUT, last, otp=payer.code())
    assert "does not cover" in wrong(desk.soup(answer))
    assert queries.of(merchant, api="dashboard").count() == 0


def test_credit_is_drawn_where_the_balance_is_short_and_that_is_confirmed_too(merchant: Merchant) -> None:
    rich = make.merchant(funds="50", credit="100")
    payer = Visitor(rich)
    last = asked(payer, amount="79")
    assert "Drawn on credit" in desk.text(payer.post(PAYOUT, FORM | {"amount": "79"}))
    assert payer.post(PAYOUT, last, otp=payer.code()).status_code == 302
    assert Withdrawal.objects.get().credit_units == make.usdt("30")


def test_going_back_to_the_form_keeps_what_was_typed(payer: Visitor) -> None:
    page = desk.soup(payer.post(PAYOUT, asked(payer) | {"edit": "1"}))
    assert fields(page, "payout")["amount"] == "100.5"


def test_only_who_may_pay_sees_or_uses_the_form(merchant: Merchant) -> None:
    viewer = Visitor(merchant, Member.Role.VIEWER)
    assert (viewer.get(PAYOUT).status_code, viewer.post(PAYOUT, FORM).status_code) == (403, 403)
    assert PAYOUT not in str(viewer.page("/dashboard/"))


def test_who_loses_the_right_between_the_two_pages_pays_nothing(payer: Visitor) -> None:
    last = asked(payer)
    Member.objects.update(role=Member.Role.VIEWER)
    assert payer.post(PAYOUT, last, otp=payer.code()).status_code == 403
    assert nothing_moved(payer)


def test_a_companys_programs_are_told_in_the_dashboards_own_form(payer: Visitor, merchant: Merchant) -> None:
    from payouts.api import dialects

    hook = endpoints.register(
        merchant, api="dashboard", url="https://hooks.example/in", events=list(steps.EVENTS), now=make.now()
    )
    payer.post(PAYOUT, asked(payer), otp=payer.code())
    message = Message.objects.select_related("endpoint").get(endpoint=hook)
    body = dialects.webhook_body(message)
    assert b'"amount":"100.50","fee":"1.00","total":"101.50"' in body
    assert b'"event":"withdrawal.created"' in body


def test_a_thousand_guesses_at_once_pass_no_more_than_the_throttle_allows(committed: Database) -> None:
    """Each wrong code doubles the wait: of so many at once hardly one is looked at, and nothing is paid."""
    payer = Visitor(make.merchant(funds="1000"))
    last, right, who = asked(payer), payer.code(), payer.who.person
    device = TOTPDevice.objects.get(user=who)
    guesses = [code for code in (f"{number:06d}" for number in range(1010)) if code != right][:1000]

    def guess(codes: list[str]) -> None:
        for code in codes:
            with pytest.raises(otp.OtpRefused):
                otp.confirm(UUID(last["challenge"]), person=who, code=code, now=make.now())

    jobs = [functools.partial(guess, guesses[start::8]) for start in range(8)]
    assert at_once(jobs) == {"done": 8}
    device.refresh_from_db()
    assert 1 <= device.throttling_failure_count <= 8  # 2^n seconds after n: within four minutes no more are looked at
    assert payer.post(PAYOUT, last, otp=right).status_code == 400  # the right one waits, too
    assert nothing_moved(payer)
