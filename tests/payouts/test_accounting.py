"""What withdrawals move in a merchant's book.

Invariant 2: no balance below its floor. Invariant 4: a refund excludes a completion, and puts everything back.
"""

from dataclasses import replace
from datetime import timedelta
from typing import cast
from uuid import uuid4

import pytest
from django.db import transaction

from chain import addresses, transfers
from chain.models import Intent, IntentState
from ledger import audit, posting
from ledger.accounts import Purpose
from ledger.models import Event
from payouts.merchants.models import Merchant
from payouts.withdrawals import advance, postings, rules, steps, withdrawals
from payouts.withdrawals.models import FeeRule, Status, StepTaken, Withdrawal
from tests import make

pytestmark = pytest.mark.django_db

BY_MERCHANT = advance.By("mk_test", reason="changed my mind")


@pytest.fixture(autouse=True)
def _lane() -> None:
    make.lane()


def usdt(**amounts: str) -> dict[str, int]:
    return {name.replace("_", "/"): make.usdt(amount.lstrip("-")) * sign(amount) for name, amount in amounts.items()}


def sign(amount: str) -> int:
    return -1 if amount.startswith("-") else 1


def processing(of: Merchant, amount: str = "100") -> Withdrawal:
    return withdrawals.dispatch(make.nodded(of, amount).id, now=make.now())


def test_creating_freezes_exactly_the_amount() -> None:
    merchant = make.merchant(funds="1000")
    made = make.withdrawal(merchant, "100")
    assert make.holds(merchant) == usdt(available="900", frozen="100", external_tron="-1000")
    assert (made.amount_units, made.fee_units, made.net_units, made.credit_units) == (
        make.usdt("100"),
        make.usdt("1"),
        make.usdt("99"),
        0,
    )


def test_the_whole_balance_may_go() -> None:
    merchant = make.merchant(funds="100")
    make.withdrawal(merchant, "100")
    assert make.holds(merchant) == usdt(frozen="100", external_tron="-100")


def test_a_merchants_own_fee_goes_before_everybodys() -> None:
    merchant = make.merchant(funds="1000")
    flat_units = make.usdt("2.5")
    for whose, units in ((merchant, flat_units), (make.merchant(), make.usdt("7"))):
        make.ruled(FeeRule(merchant=whose, api="merchant", asset="USDT", network="tron", flat_units=units))
    assert make.withdrawal(merchant).fee_units == flat_units
    assert make.withdrawal(merchant, network="ethereum", destination=make.EVM_ADDRESS).fee_units == make.usdt("1")


def test_a_shortfall_is_drawn_from_the_credit_line() -> None:
    merchant = make.merchant(funds="60", credit="50")
    made = make.withdrawal(merchant, "100")
    assert made.credit_units == make.usdt("40")
    assert make.holds(merchant) == usdt(frozen="100", credit="-40", external_tron="-60")


def test_the_credit_line_may_be_drawn_to_its_end() -> None:
    merchant = make.merchant(funds="60", credit="40")
    make.withdrawal(merchant, "100")
    assert make.holds(merchant) == usdt(frozen="100", credit="-40", external_tron="-60")


def test_no_credit_is_drawn_while_the_balance_is_enough() -> None:
    merchant = make.merchant(funds="100", credit="50")
    assert make.withdrawal(merchant, "100").credit_units == 0


@pytest.mark.parametrize(("funds", "credit"), [("99.999999", "0"), ("60", "39.999999"), ("0", "0")])
def test_too_little_money_changes_nothing(funds: str, credit: str) -> None:
    merchant = make.merchant(funds=funds, credit=credit)
    before, taken, events = make.holds(merchant), StepTaken.objects.count(), Event.objects.count()
    with pytest.raises(posting.InsufficientFunds):
        make.withdrawal(merchant, "100")
    assert make.holds(merchant) == before
    assert not Withdrawal.objects.filter(merchant=merchant).exists()
    assert (StepTaken.objects.count(), Event.objects.count()) == (taken, events)


@pytest.mark.parametrize("amount_units", [1_000_000, 1, 0, -1, -(10**9)])
def test_an_amount_that_the_fee_eats_is_refused(amount_units: int) -> None:
    merchant = make.merchant(funds="1000")
    with pytest.raises(withdrawals.AmountTooSmall):
        make.withdrawal(merchant, amount_units=amount_units)
    assert not Withdrawal.objects.filter(merchant=merchant).exists()


def test_what_has_no_fee_is_not_offered() -> None:
    merchant = make.merchant(funds="1000")
    with pytest.raises(rules.NoFeeRule):
        make.withdrawal(merchant, api="nonesuch")
    assert not Withdrawal.objects.filter(merchant=merchant).exists()


def test_a_bad_address_freezes_nothing() -> None:
    merchant = make.merchant(funds="1000")
    with pytest.raises(addresses.BadAddress):
        make.withdrawal(merchant, destination=make.TRON_ADDRESS[:-1] + "x")
    assert make.holds(merchant) == usdt(available="1000", external_tron="-1000")


def test_one_of_our_own_wallets_is_no_destination() -> None:
    merchant = make.merchant(funds="1000")
    with pytest.raises(addresses.BadAddress):
        make.withdrawal(merchant, destination=make.lane().address)
    assert make.holds(merchant) == usdt(available="1000", external_tron="-1000")


def test_cancelling_puts_each_part_back_where_it_came_from() -> None:
    merchant = make.merchant(funds="60", credit="50")
    before = make.holds(merchant)
    made = make.nodded(merchant, "100")
    done = withdrawals.cancel(made.id, by=BY_MERCHANT, now=make.now())
    assert make.holds(merchant) == before
    assert (done.status, done.reason) == (Status.CANCELLED, "changed my mind")


def test_a_credit_part_goes_back_to_the_line_whatever_came_in_meanwhile() -> None:
    merchant = make.merchant(funds="60", credit="50")
    made = make.withdrawal(merchant, "100")
    make.deposit(merchant, "500")
    withdrawals.cancel(made.id, by=BY_MERCHANT, now=make.now())
    assert make.holds(merchant) == usdt(available="560", external_tron="-560")


def test_rejecting_puts_each_part_back_where_it_came_from() -> None:
    merchant = make.merchant(funds="60", credit="50")
    before = make.holds(merchant)
    make.reject(make.withdrawal(merchant, "100").id, by=make.approver(1))
    assert make.holds(merchant) == before


def test_a_dead_payment_puts_each_part_back_where_it_came_from() -> None:
    merchant = make.merchant(funds="60", credit="50")
    before = make.holds(merchant)
    verdict = make.decided(made := processing(merchant, "100"), IntentState.DEAD)
    done = withdrawals.settle(verdict, now=make.now())
    assert make.holds(merchant) == before
    assert (done.status, done.txid) == (Status.FAILED, verdict.txid)
    assert Intent.objects.get(payout_id=made.id).collected_at is not None


def test_a_paid_one_leaves_the_book_and_its_fee_stays() -> None:
    merchant = make.merchant(funds="60", credit="50")
    verdict = make.decided(processing(merchant, "100"), IntentState.PAID)
    done = withdrawals.settle(verdict, now=make.now())
    assert make.holds(merchant) == usdt(fees="1", credit="-40", external_tron="39")
    assert (done.status, done.txid) == (Status.COMPLETED, verdict.txid)
    assert done.steps.get(verb="complete").data == {"proof": verdict.proof}


def test_what_is_frozen_is_the_sum_of_the_open_withdrawals() -> None:
    merchant = make.merchant(funds="1000")
    made = [make.withdrawal(merchant, str(10 + number)) for number in range(4)]
    withdrawals.cancel(made[0].id, by=BY_MERCHANT, now=make.now())
    withdrawals.settle(make.decided(processing(merchant, "50"), IntentState.PAID), now=make.now())
    assert make.holds(merchant)["frozen"] == make.usdt("11") + make.usdt("12") + make.usdt("13")
    assert audit.prove().problems == []


def test_the_net_amount_is_what_the_chain_is_asked_to_pay() -> None:
    made = processing(make.merchant(funds="1000"), "100")
    intent = Intent.objects.get(payout_id=made.id)
    assert (intent.network, intent.asset, intent.to_address, intent.amount_units) == (
        "tron",
        "USDT",
        make.TRON_ADDRESS,
        make.usdt("99"),
    )


@pytest.mark.parametrize(("first", "second"), [("settled", "refunded"), ("refunded", "settled")])
def test_the_ledger_itself_lets_only_one_outcome_exist(first: str, second: str) -> None:
    """Invariant 4, past the status check: debit and refund of one withdrawal share one event id."""
    merchant = make.merchant(funds="1000")
    made = processing(merchant)
    posting.post(postings.movements(made, first))
    before = make.holds(merchant)
    with pytest.raises(posting.IdempotencyConflict), transaction.atomic():
        posting.post(postings.movements(made, second))
    assert make.holds(merchant) == before
    assert posting.post(postings.movements(made, first))[0].repeated


def test_a_refund_in_the_book_excludes_completing_even_when_the_status_was_tampered_with() -> None:
    """Invariant 4: the verb fails whole; another withdrawal's frozen money is not used for it."""
    merchant = make.merchant(funds="1000")
    made, _other = processing(merchant), make.withdrawal(merchant)
    posting.post(postings.movements(made, "refunded"))
    before = make.holds(merchant)
    verdict = make.decided(made, IntentState.PAID)
    with pytest.raises(posting.IdempotencyConflict):
        withdrawals.settle(verdict, now=make.now())
    assert make.holds(merchant) == before
    assert Withdrawal.objects.get(id=made.id).status == Status.PROCESSING
    assert Intent.objects.get(payout_id=made.id).collected_at is None


def test_a_payment_that_is_still_open_is_never_refunded() -> None:
    """Invariant 4: whatever the caller says, only a word of the chain ends a PROCESSING withdrawal."""
    merchant = make.merchant(funds="1000")
    made = processing(merchant)
    before = make.holds(merchant)
    intent = Intent.objects.get(payout_id=made.id)
    for outcome in (IntentState.OPEN, IntentState.DEAD, IntentState.PAID):
        verdict = make.verdict(made, outcome, intent_id=intent.id)
        with pytest.raises((transfers.NotToCollect, KeyError)):
            withdrawals.settle(verdict, now=make.now())
    assert make.holds(merchant) == before
    assert Withdrawal.objects.get(id=made.id).status == Status.PROCESSING


def test_a_word_that_is_no_verdict_refunds_nothing() -> None:
    """Invariant 4: what is not PAID is not thereby DEAD."""
    merchant = make.merchant(funds="1000")
    verdict = make.decided(made := processing(merchant), IntentState.PAID)
    before = make.holds(merchant)
    with pytest.raises(KeyError):
        withdrawals.settle(replace(verdict, outcome=cast("IntentState", "MAYBE")), now=make.now())
    assert make.holds(merchant) == before
    assert Withdrawal.objects.get(id=made.id).status == Status.PROCESSING


def test_a_verdict_settles_once() -> None:
    merchant = make.merchant(funds="1000")
    verdict = make.decided(processing(merchant), IntentState.PAID)
    withdrawals.settle(verdict, now=make.now())
    before = make.holds(merchant)
    with pytest.raises(steps.StepRefused):
        withdrawals.settle(verdict, now=make.now() + timedelta(seconds=1))
    assert make.holds(merchant) == before


def test_another_owner_of_the_book_pays_from_a_balance_of_its_own() -> None:
    merchant = make.merchant(funds="1000")
    with pytest.raises(posting.InsufficientFunds):
        make.withdrawal(merchant, owner=uuid4())
    assert make.holds(merchant)["available"] == make.usdt("1000")


def test_a_book_is_moved_by_its_own_withdrawals_alone() -> None:
    """Invariant 6: what one merchant does moves nothing of another's."""
    mine, other = make.merchant(funds="1000"), make.merchant(funds="1000", credit="10")
    before = make.holds(other)
    withdrawals.settle(make.decided(processing(mine), IntentState.PAID), now=make.now())
    assert make.holds(other) == before
    made = make.withdrawal(mine)
    assert {ref.book for purpose in Purpose for ref in [postings.account(made, purpose)]} == {mine.id}
