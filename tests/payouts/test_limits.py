"""Limits and address books: what may leave at all, to whom, counted exactly however many ask at once.

The clock is passed in; what is refused changes nothing and leaves every balance as it was.
"""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from chain.models import IntentState
from payouts.merchants.book import BookedAddress
from payouts.merchants.models import Merchant
from payouts.withdrawals import advance, amending, limits, withdrawals
from payouts.withdrawals.models import Approval, Destination, Withdrawal
from payouts.withdrawals.rule_models import Kind, LimitRule
from tests import make

OTHER_ADDRESS = "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf"


@pytest.fixture
def merchant(db: None) -> Merchant:
    make.lane()
    return make.merchant(funds="10000")


def limit(of: Merchant | None, **what: Any) -> LimitRule:
    return make.ruled(LimitRule(**({"merchant": of, "asset": "USDT"} | what)))


def at(moment: datetime, of: Merchant, amount: str = "100", **changes: Any) -> Withdrawal:
    wanted: dict[str, Any] = {
        "merchant": of, "api": "merchant", "asset": "USDT", "network": "tron", "destination": make.TRON_ADDRESS,
        "amount_units": make.usdt(amount), "actor": "tests",
    }  # fmt: skip
    return withdrawals.create(withdrawals.Order(**(wanted | changes)), now=moment)


def book(of: Merchant, address: str, *, at: datetime) -> None:
    row = BookedAddress(merchant=of, network="tron", address=address, label="treasury")
    make.agreed(amending.Change(Kind.ADDRESS, None, amending.values(row)), at=at)


def test_one_withdrawal_may_be_as_large_as_its_limit_and_not_a_unit_larger(merchant: Merchant) -> None:
    limit(merchant, payment_units=make.usdt("500"))
    held = make.holds(merchant)
    with pytest.raises(limits.PaymentLimitExceeded):
        make.withdrawal(merchant, "500.000001")
    assert (make.holds(merchant), Withdrawal.objects.count()) == (held, 0)
    assert make.withdrawal(merchant, "500")
    assert make.withdrawal(make.merchant(funds="600"), "501")


def test_a_window_rolls(merchant: Merchant) -> None:
    limit(merchant, window_hours=24, window_units=make.usdt("300"))
    start = make.now()
    at(start, merchant, "200")
    at(start + timedelta(hours=5), merchant, "100")
    with pytest.raises(limits.WindowLimitExceeded):
        at(start + timedelta(hours=24, seconds=-1), merchant, "2")
    at(start + timedelta(hours=24), merchant, "200")
    with pytest.raises(limits.WindowLimitExceeded):
        at(start + timedelta(hours=29, seconds=-1), merchant, "2")
    at(start + timedelta(hours=29), merchant, "100")


def test_a_window_counts_withdrawals_and_forgets_what_went_back(merchant: Merchant) -> None:
    limit(merchant, asset="", window_hours=1, window_count=2)
    first = make.withdrawal(merchant)
    make.withdrawal(merchant)
    with pytest.raises(limits.WindowLimitExceeded):
        make.withdrawal(merchant)
    withdrawals.cancel(first.id, by=advance.By("tests"), now=make.now())
    make.withdrawal(merchant)
    with pytest.raises(limits.WindowLimitExceeded):
        make.withdrawal(merchant)


def test_every_row_that_fits_must_be_kept_and_others_do_not_count(merchant: Merchant) -> None:
    limit(None, window_hours=1, window_units=make.usdt("1000"))
    limit(merchant, api="merchant", window_hours=1, window_units=make.usdt("250"))
    limit(merchant, api="public", payment_units=1)
    limit(make.merchant(), payment_units=1)
    at(make.now(), merchant, "900", api="extraction")
    with pytest.raises(limits.WindowLimitExceeded):
        make.withdrawal(merchant, "101")
    make.withdrawal(merchant, "100")
    make.withdrawal(make.merchant(funds="1000"), "900")


def test_with_a_book_alone_other_destinations_are_refused(merchant: Merchant) -> None:
    limit(merchant, asset="", book_only=True, cool_down_hours=24)
    now = make.now()
    book(merchant, make.TRON_ADDRESS, at=now)
    book(make.merchant(), OTHER_ADDRESS, at=now - timedelta(days=9))
    with pytest.raises(limits.NotInAddressBook):
        at(now + timedelta(hours=24, microseconds=-1), merchant)
    assert at(now + timedelta(hours=24), merchant)
    with pytest.raises(limits.NotInAddressBook):
        at(now + timedelta(days=30), merchant, destination=OTHER_ADDRESS)
    make.unruled(BookedAddress.objects.get(merchant=merchant))
    with pytest.raises(limits.NotInAddressBook):
        at(now + timedelta(days=30), merchant)


def test_a_known_address_is_paid_before_or_booked_past_its_cool_down(merchant: Merchant) -> None:
    make.policy(merchant, Approval.ONE_LEVEL, destination=Destination.KNOWN)
    limit(merchant, asset="", cool_down_hours=2)
    now = make.now()
    assert at(now, merchant).approval == Approval.TWO_LEVELS
    book(merchant, make.TRON_ADDRESS, at=now)
    assert at(now + timedelta(hours=2, microseconds=-1), merchant).approval == Approval.TWO_LEVELS
    assert at(now + timedelta(hours=2), merchant).approval == Approval.ONE_LEVEL
    assert at(now + timedelta(hours=2), merchant, destination=OTHER_ADDRESS).approval == Approval.TWO_LEVELS


def test_an_address_becomes_known_by_a_completed_payment_of_the_same_merchant(merchant: Merchant) -> None:
    done = make.nodded(merchant)
    make.policy(merchant, Approval.ONE_LEVEL, destination=Destination.KNOWN)
    withdrawals.dispatch(done.id, now=make.now())
    assert make.withdrawal(merchant).approval == Approval.TWO_LEVELS
    withdrawals.settle(make.decided(done, IntentState.PAID), now=make.now())
    assert make.withdrawal(merchant).approval == Approval.ONE_LEVEL
    stranger = make.merchant(funds="100")
    make.policy(stranger, Approval.ONE_LEVEL, destination=Destination.KNOWN)
    assert make.withdrawal(stranger).approval == Approval.TWO_LEVELS


@pytest.mark.parametrize(
    "statement", ["UPDATE payouts_ruleproposal SET at = now()", "DELETE FROM payouts_ruledecision"]
)
def test_the_owner_too_finds_the_history_of_the_rules_locked(owner_inside: psycopg.Connection, statement: str) -> None:
    make.policy(make.merchant(), Approval.NONE)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert not owner_inside.closed
