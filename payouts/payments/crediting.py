"""Crediting what came in on chain: whose balance grows, what a merchant owes its user, what the platform takes."""

from uuid import UUID

from ledger import posting
from ledger.accounts import Purpose, Ref
from ledger.posting import Kind, Movement, Posted
from payouts.merchants.user_models import UserWallet
from payouts.payments import wallets
from payouts.payments.payment_models import Deposit


def credit(
    wallet: UserWallet, *, deposit_id: UUID, network: str, asset: str, amount_units: int, reference: str
) -> list[Posted]:
    """Book a confirmed deposit of a merchant's user, once: a repeat with the same id changes nothing.

    Units: the asset's ledger units.
    Raises: posting.IdempotencyConflict when the id was used for another deposit; posting.LedgerRefused.
    """
    deposit = Deposit(
        id=deposit_id,
        merchant=wallet.merchant,
        wallet=wallet,
        network=network,
        asset=asset,
        amount_units=amount_units,
        txid=reference,
    )
    return posting.post(movements(deposit, owner=wallet.merchant_id))


def movements(deposit: Deposit, *, owner: UUID) -> list[Movement]:
    """What a deposit moves in its merchant's book; the ids follow from the deposit's, and that from the chain.

    A user's deposit is the merchant's money, and the merchant owes it to the user: two movements in one.
    """
    book, asset, amount_units = deposit.merchant_id, deposit.asset, deposit.amount_units
    outside = Ref(book, book, asset, Purpose.EXTERNAL, deposit.network)
    available, frozen = (Ref(book, owner, asset, purpose) for purpose in (Purpose.AVAILABLE, Purpose.FROZEN))
    lines = [(Kind.DEPOSIT, outside, available, amount_units)]
    if deposit.wallet:
        contra, memo = Ref(book, book, asset, Purpose.MEMO_CONTRA), wallets.memo(deposit.wallet, asset, Purpose.MEMO)
        lines.append((Kind.MEMO_CREDIT, contra, memo, amount_units))
    if deposit.fee_units:
        lines.append((Kind.FREEZE, available, frozen, deposit.fee_units))
        lines.append((Kind.FEE, frozen, Ref(book, book, asset, Purpose.FEES), deposit.fee_units))
    txn = posting.event_id(deposit.id, "credited")
    return [
        Movement(posting.event_id(deposit.id, kind), txn, kind, source, target, units, deposit.txid)
        for kind, source, target, units in lines
    ]
