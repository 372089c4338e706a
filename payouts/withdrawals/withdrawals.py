"""The verbs that programs and workers use: each one transaction, each through the state table."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from chain import transfers
from chain.failpoints import committing, failpoint
from ledger import posting
from ledger.accounts import Purpose
from payouts.withdrawals import advance, limits, orders, postings, rules, screening, steps, whole
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Approval, Status, Withdrawal
from payouts.withdrawals.screening import Answer, Verdict

# The chain's last words: proven at final depth, or proven that it can never pay. No other word ends a withdrawal.
VERDICTS = {"PAID": "complete", "DEAD": "fail"}
Order: TypeAlias = orders.Order
AmountTooSmall, destination, priced = orders.AmountTooSmall, orders.destination, orders.priced
DISPATCHER, WATCHER, SCREENING, POLICY = By("dispatcher"), By("watcher"), By("screening"), By("policy")


class UnderReview(Exception):
    """Screening stopped it: the platform's people decide now, or it has ended."""


class NotTheMerchants(Exception):
    """The merchant's yes is not the one that policy asks for."""


def create(order: Order, *, now: datetime) -> Withdrawal:
    """Freeze the amount at once, drawing on the credit line for what the balance lacks.

    Units: `order.amount_units` in the asset's ledger units; exactly this is frozen, the recipient gets it less the fee.
    Where the merchant pays its users' fees, the recipient gets the amount, and the fee is frozen on top of it.
    Raises: addresses.BadAddress, rules.NoFeeRule, orders.AmountTooSmall, units.BadAmount (not payable in whole units of
    the network's token), limits.NotInAddressBook, limits.PaymentLimitExceeded, limits.WindowLimitExceeded,
    posting.InsufficientFunds.
    """
    withdrawal, limits_kept = orders.priced(order, now=now)
    with committing("create", durable=False):
        limits.check_amount(limits_kept, withdrawal, now=now)
        withdrawal.credit_units = _shortfall_units(withdrawal)
        return advance.take(withdrawal, "create", By(order.actor, order.maker), now=now)


def _shortfall_units(withdrawal: Withdrawal) -> int:
    """What the balance lacks and the credit line covers; a draw happens only when it makes the amount whole."""
    available, credit = (postings.account(withdrawal, purpose) for purpose in (Purpose.AVAILABLE, Purpose.CREDIT))
    balances = posting.lock(postings.frozen_by(withdrawal))
    short_units = int(withdrawal.amount_units) - balances[available].balance_units
    line_units = balances[credit].spendable_units or 0
    return short_units if 0 < short_units <= line_units else 0  # without a draw the ledger refuses the freeze


def screen(withdrawal_id: UUID, *, verdict: Verdict | None = None, now: datetime) -> Withdrawal:
    """Look at a new withdrawal: into the approvers' queue with it, or on its way where policy asks nobody.

    `verdict` is what the screening service said; what it did not pass is never approved by policy alone.

    Raises: steps.StepRefused when it is no longer PENDING.
    """
    said = verdict or screening.unasked()
    with committing("screen", durable=False):
        withdrawal = advance.locked(withdrawal_id)
        found = rules.findings(withdrawal)
        if said.answer != Answer.PASS:
            return _stopped(withdrawal, said, found, now=now)
        withdrawal.review_notes = "\n".join(found)
        nobody_asked = withdrawal.approval == Approval.NONE and rules.address_problem(withdrawal) is None
        verb, by = ("auto_approve", POLICY) if nobody_asked else ("flag", SCREENING)
        return advance.take(withdrawal, verb, by, now=now)


def _stopped(withdrawal: Withdrawal, said: Verdict, found: list[str], *, now: datetime) -> Withdrawal:
    """Do what the screening service wants: people look at it, or it ends here and what was frozen goes back."""
    word = "refused" if said.answer == Answer.REFUSE else "flagged"
    withdrawal.review_notes = "\n".join(
        [said.reason if said.is_silent else f"screening {word} it: {said.reason}", *found]
    )
    data = {"screening": {"answer": said.answer, "reason": said.reason}}
    if said.answer == Answer.REFUSE:
        return advance.take(withdrawal, "reject", replace(SCREENING, reason="refused by screening", data=data), now=now)
    return advance.take(withdrawal, "flag", replace(SCREENING, data=data), now=now)


def merchant_approve(withdrawal_id: UUID, *, by: By, now: datetime) -> Withdrawal:
    """Give the merchant's own yes, where policy leaves it to the merchant and screening has nothing against it.

    Raises: NotTheMerchants, UnderReview when screening stopped it, steps.StepRefused, addresses.BadAddress.
    """
    said = screening.ask(withdrawal_id)
    withdrawal = _merchant_approved(withdrawal_id, said, by=by, now=now)
    if said.answer != Answer.PASS:
        raise UnderReview("screening stopped this withdrawal")
    return withdrawal


@whole.retried
def _merchant_approved(withdrawal_id: UUID, said: Verdict, *, by: By, now: datetime) -> Withdrawal:
    with committing("merchant_yes"):
        withdrawal = advance.locked(withdrawal_id)
        if withdrawal.approval != Approval.MERCHANT:
            raise NotTheMerchants("policy asks others than the merchant about this withdrawal")
        if withdrawal.status == Status.PENDING_REVIEW:
            raise UnderReview("screening stopped this withdrawal")
        if said.answer != Answer.PASS and steps.allowed("merchant_approve", withdrawal.status):
            return _stopped(withdrawal, said, rules.findings(withdrawal), now=now)
        rules.payable(withdrawal.network, withdrawal.destination)
        return advance.take(withdrawal, "merchant_approve", by, now=now)


@whole.retried
def merchant_reject(withdrawal_id: UUID, *, by: By, now: datetime) -> Withdrawal:
    """Give the merchant's own no, where policy leaves it to the merchant; what was frozen goes back.

    Raises: NotTheMerchants, steps.StepRefused.
    """
    with committing("merchant_no"):
        withdrawal = advance.locked(withdrawal_id)
        if withdrawal.approval != Approval.MERCHANT:
            raise NotTheMerchants("policy asks others than the merchant about this withdrawal")
        return advance.take(withdrawal, "reject", by, now=now)


@whole.retried
def cancel(withdrawal_id: UUID, *, by: By, now: datetime) -> Withdrawal:
    """Call a withdrawal back, as long as it has not been handed to the chain.

    Raises: steps.StepRefused.
    """
    with committing("cancel"):
        return advance.take(advance.locked(withdrawal_id), "cancel", by, now=now)


def dispatch(withdrawal_id: UUID, *, now: datetime) -> Withdrawal:
    """Hand an approved withdrawal to the chain: one live intent, ever.

    Raises: steps.StepRefused when it is not APPROVED; addresses.BadAddress, transfers.NoLane or transfers.OverCap, and
    it stays APPROVED.
    """
    return dispatch_together([withdrawal_id], now=now)[0]


def dispatch_together(
    withdrawal_ids: Collection[UUID], *, now: datetime, order: Callable[..., object] = transfers.order_all
) -> list[Withdrawal]:
    """Hand approved withdrawals of one network to the chain in one transaction of ours, all of them or none.

    `order` says whether they also share one transaction of the chain's.

    Raises: what dispatch() does, and what `order` does.
    """
    with committing("dispatch"):
        moves = [(withdrawal, DISPATCHER) for withdrawal in advance.locked_all(withdrawal_ids)]
        taken = advance.take_all(moves, "dispatch", now=now)
        failpoint("dispatch.before_order")
        payments = [payment(withdrawal) for withdrawal in taken]
        for one in payments:
            transfers.check_order(one)
        order(payments, now=now)
        return taken


def settle(verdict: transfers.Verdict, *, now: datetime) -> Withdrawal:
    """Take the chain's final word: completed, or failed and refunded, never both.

    Raises: steps.StepRefused when the withdrawal is not PROCESSING; transfers.NotToCollect.
    """
    return settle_together([verdict], now=now)[0]


def settle_together(verdicts: Sequence[transfers.Verdict], *, now: datetime) -> list[Withdrawal]:
    """Take the chain's final words of one outcome in one transaction, all of them or none.

    Raises: what settle() does.
    """
    (outcome,) = {verdict.outcome for verdict in verdicts}
    verb = VERDICTS[outcome]
    reason = "the transfer failed on chain" if verb == "fail" else ""
    words = {verdict.payout_id: verdict for verdict in verdicts}
    with committing("settle"):
        moves = []
        for withdrawal in advance.locked_all(words.keys()):
            word = words[withdrawal.id]
            withdrawal.txid = word.txid
            moves.append((withdrawal, By(WATCHER.actor, reason=reason, data={"proof": word.proof})))
        taken = advance.take_all(moves, verb, now=now, changed=["txid"])
        failpoint("settle.before_collect")
        transfers.collect_all([verdict.intent_id for verdict in verdicts], now=now)
        return taken


def payment(withdrawal: Withdrawal) -> transfers.Payment:
    """What the chain is to do for this withdrawal."""
    return transfers.Payment(
        payout_id=withdrawal.id,
        network=withdrawal.network,
        asset=withdrawal.asset,
        to_address=withdrawal.destination,
        amount_units=int(withdrawal.net_units),
    )
