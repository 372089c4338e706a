"""Crediting what came in on chain: the merchant's balance, and what the merchant owes its user, in one transaction."""

from uuid import UUID

from ledger import posting
from ledger.accounts import Purpose, Ref
from ledger.posting import Kind, Movement, Posted
from payouts.merchants.user_models import UserWallet
from payouts.payments import wallets


def credit(
    wallet: UserWallet, *, deposit_id: UUID, network: str, asset: str, amount_units: int, reference: str
) -> list[Posted]:
    """Book a confirmed deposit of a merchant's user, once: a repeat with the same id changes nothing.

    Units: the asset's ledger units.
    Raises: posting.IdempotencyConflict when the id was used for another deposit; posting.LedgerRefused.
    """
    book, txn = wallet.merchant_id, posting.event_id(deposit_id, "credited")
    outside, available = Ref(book, book, asset, Purpose.EXTERNAL, network), Ref(book, book, asset, Purpose.AVAILABLE)
    contra, memo = Ref(book, book, asset, Purpose.MEMO_CONTRA), wallets.memo(wallet, asset, Purpose.MEMO)
    lines = ((Kind.DEPOSIT, outside, available), (Kind.MEMO_CREDIT, contra, memo))
    return posting.post(
        [
            Movement(posting.event_id(deposit_id, kind), txn, kind, source, target, amount_units, reference)
            for kind, source, target in lines
        ]
    )
