"""The verbs that programs and workers use: each one transaction, each through the state table."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from chain import addresses, transfers, units
from chain.failpoints import committing, failpoint
from ledger import posting
from ledger.accounts import Purpose
from payouts.merchants import settings
from payouts.merchants.models import Merchant
from payouts.merchants.user_models import UserWallet
from payouts.webhooks.models import Endpoint
from payouts.withdrawals import advance, estimating, limits, postings, rules, screening, steps, whole
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Approval, Status, Withdrawal
from payouts.withdrawals.screening import Answer, Verdict

# The chain's last words: proven at final depth, or proven that it can never pay. No other word ends a withdrawal.
VERDICTS = {"PAID": "complete", "DEAD": "fail"}
DISPATCHER, WATCHER, SCREENING, POLICY = By("dispatcher"), By("watcher"), By("screening"), By("policy")


class AmountTooSmall(Exception):
    """Nothing would be left for the recipient after the fee."""


class UnderReview(Exception):
    """Screening stopped it: the platform's people decide now, or it has ended."""


class NotTheMerchants(Exception):
    """The merchant's yes is not the one that policy asks for."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants paid, before anything is known about it.

    A merchant's user is paid out of what the merchant owes the user, and the merchant's settings say whose the fee is.
    """

    merchant: Merchant
    api: str
    asset: str
    network: str
    destination: str
    amount_units: int
    actor: str
    owner: UUID | None = None
    maker: User | None = None
    channel: str = ""
    user_wallet: UserWallet | None = None
    callback: Endpoint | None = None
    custom_id: str = ""
    price: Mapping[str, Any] | None = None


def create(order: Order, *, now: datetime) -> Withdrawal:
    """Freeze the amount at once, drawing on the credit line for what the balance lacks.

    Units: `order.amount_units` in the asset's ledger units; exactly this is frozen, the recipient gets it less the fee.
    Where the merchant pays its users' fees, the recipient gets the amount, and the fee is frozen on top of it.
    Raises: addresses.BadAddress, rules.NoFeeRule, AmountTooSmall, units.BadAmount (not payable in whole units of the
    network's token), limits.NotInAddressBook, limits.PaymentLimitExceeded, limits.WindowLimitExceeded,
    posting.InsufficientFunds.
    """
    withdrawal, limits_kept = priced(order, now=now)
    with committing("create", durable=False):
        limits.check_amount(limits_kept, withdrawal, now=now)
        withdrawal.credit_units = _shortfall_units(withdrawal)
        return advance.take(withdrawal, "create", By(order.actor, order.maker), now=now)


def priced(order: Order, *, now: datetime) -> tuple[Withdrawal, limits.Limits]:
    """The withdrawal with its fee and who must approve it, not saved yet, and the limits that it must keep."""
    case = rules.Case(order.merchant, order.api, order.asset, order.network, order.amount_units, order.channel)
    fee = estimating.estimate(case).fee
    fee_units = fee.units
    on_top_units = fee_units if order.user_wallet and not settings.user_pays_fee(order.merchant) else 0
    net_units = order.amount_units + on_top_units - fee_units
    if net_units <= 0:
        raise AmountTooSmall("the amount must exceed the fee")
    units.to_token_units(order.network, order.asset, net_units)
    kept = limits.of(order.merchant, api=order.api, asset=order.asset)
    approval, address = _where_to(replace(case, destination=order.destination), kept, now=now)
    withdrawal = Withdrawal(
        merchant=order.merchant,
        api=order.api,
        channel=order.channel,
        owner=order.owner or order.merchant.id,
        user_wallet=order.user_wallet,
        asset=order.asset,
        network=order.network,
        destination=address,
        amount_units=net_units + fee_units,
        fee_units=fee_units,
        platform_units=fee.platform_units,
        net_units=net_units,
        memo_units=order.amount_units if order.user_wallet else 0,
        callback=order.callback,
        custom_id=order.custom_id,
        price=order.price,
        approval=approval,
        maker=order.maker,
        created_at=now,
    )
    return withdrawal, kept


def _where_to(case: rules.Case, kept: limits.Limits, *, now: datetime) -> tuple[Approval, str]:
    """Who must approve, and the address in its normal form.

    Where nobody must, it has to pass the full check: with nobody to stop it, such a withdrawal would wait for ever.

    Raises: addresses.BadAddress, limits.NotInAddressBook.
    """
    address = destination(case.merchant, network=case.network, text=case.destination)
    limits.check_destination(kept, case.merchant, network=case.network, address=address, now=now)
    case = replace(case, destination=address)
    approval = rules.approval(case, cool_down_hours=kept.cool_down_hours, now=now)
    if approval == Approval.NONE:
        rules.payable(case.network, address)
    return approval, address


def destination(merchant: Merchant, *, network: str, text: str) -> str:
    """The address in its normal form; a test-mode merchant's needs only to look right (CONFORMANCE, the trap).

    Raises: addresses.BadAddress.
    """
    try:
        return rules.payable(network, text)
    except addresses.BadAddress:
        if merchant.is_test and addresses.looks_right(network, text):
            return text
        raise


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
