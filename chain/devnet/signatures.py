"""Recovering who signed a transaction."""

from typing import Final

import coincurve
from eth_hash.auto import keccak

SIZE: Final = 65
ETHEREUM_OFFSET: Final = 27  # some signers write the recovery id as 27 or 28


def signer(signature: bytes, *, txid: bytes) -> bytes:
    """Recover the address that signed this txid.

    Raises: ValueError when the signature is malformed.
    """
    if len(signature) < SIZE:
        raise ValueError("signature is too short")
    recovery_id = signature[64]
    if recovery_id >= ETHEREUM_OFFSET:
        recovery_id -= ETHEREUM_OFFSET
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature[:64] + bytes([recovery_id]), txid, hasher=None)
    except Exception as error:  # coincurve raises nothing narrower for what it cannot recover
        raise ValueError("signature recovers no key") from error
    return keccak(key.format(compressed=False)[1:])[-20:]


def sign(txid: bytes, *, key: coincurve.PrivateKey) -> bytes:
    """Sign a txid."""
    return key.sign_recoverable(txid, hasher=None)


def address_of(key: coincurve.PrivateKey) -> bytes:
    """Tell the address of a private key."""
    return keccak(key.public_key.format(compressed=False)[1:])[-20:]
