"""The checks a transaction passes before it is executed, at broadcast and again in its block.

Source: java-tron Manager.validateTapos, validateCommon, validateDup; TransactionCapsule.validateSignature.
"""

from typing import Final, Protocol

from chain.devnet import addresses, refusals, signatures
from chain.devnet.blocks import Block
from chain.devnet.transactions import Transaction

MAX_LIFETIME_MS: Final = 86_400_000
MAX_SIZE: Final = 512_000
REMEMBERED: Final = 1 << 16  # a reference names a block by the last two bytes of its number
OWN_PERMISSIONS: Final = (0, 2)  # the owner's and the first active one; both hold just the account's own key


class Chain(Protocol):
    """What the checks read of the chain."""

    @property
    def head(self) -> Block:
        """The last block."""

    def block(self, number: int) -> Block | None:
        """Find a block."""

    def contains(self, txid: bytes) -> bool:
        """Tell whether a transaction is in a block."""

    def next_slot_ms(self) -> int:
        """Tell when the next block is due."""


def check(chain: Chain, transaction: Transaction) -> None:
    """Check everything that does not depend on accounts.

    Raises: Refused.
    """
    _check_reference(chain, transaction)
    if transaction.size > MAX_SIZE:
        raise refusals.Refused(refusals.TOO_BIG, "Transaction size is too big.")
    check_expiration(chain, transaction)
    if chain.contains(transaction.txid):
        raise refusals.Refused(refusals.DUPLICATE, "Dup transaction.")
    check_signature(transaction)


def check_expiration(chain: Chain, transaction: Transaction) -> None:
    """Check that a transaction can still be in the next block, and not for longer than a day.

    Raises: Refused.
    """
    head_ms = chain.head.timestamp_ms
    lives = head_ms < transaction.expiration_ms <= head_ms + MAX_LIFETIME_MS
    if not lives or transaction.expiration_ms < chain.next_slot_ms():
        raise refusals.Refused(refusals.EXPIRED, "Transaction expired")


def check_signature(transaction: Transaction) -> None:
    """Check that the account's own key, and nobody else, signed.

    Raises: Refused.
    """
    if transaction.permission_id not in OWN_PERMISSIONS:
        raise _bad_signature("permission isn't exit")
    if len(transaction.signatures) != 1:
        raise _bad_signature("miss sig or contract" if not transaction.signatures else "too many signatures")
    (signature,) = transaction.signatures
    try:
        signer = signatures.signer(signature, txid=transaction.txid)
    except ValueError as error:
        raise _bad_signature(str(error)) from error
    if signer != transaction.owner:
        raise _bad_signature(
            f"{signature.hex()} is signed by {addresses.base58check(signer)} but it is not contained of permission."
        )


def _check_reference(chain: Chain, transaction: Transaction) -> None:
    """Check that the block a transaction refers to is on this fork."""
    last_bytes = int.from_bytes(transaction.ref_block_bytes)
    head = chain.head.number
    block = chain.block(head - (head - last_bytes) % REMEMBERED)
    if block is None or block.id[8:16] != transaction.ref_block_hash:
        raise refusals.Refused(refusals.TAPOS, "Tapos check error.")


def _bad_signature(message: str) -> refusals.Refused:
    return refusals.Refused(refusals.SIGNATURE, f"Validate signature error: {message}")
