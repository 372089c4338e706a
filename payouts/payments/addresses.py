"""Deposit addresses: derived from an extended public key, so that no process here holds what could spend from them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import bip32
from django.db import connection, transaction
from eth_keys import datatypes as secp256k1

from chain import addresses
from payouts.merchants.models import Merchant
from payouts.payments.models import DepositAddress, ExtendedKey

_OURS = "SELECT account FROM payouts_depositaddress WHERE network = %s AND account = ANY(%s)"


class NoExtendedKey(Exception):
    """The signer has not told the public half of this network's deposit keys yet."""


class OtherKey(Exception):
    """The network has deposit addresses under another key: they would be lost from sight."""


def enrol(network: str, *, path: str, xpub: str, now: datetime) -> ExtendedKey:
    """Derive the network's deposit addresses from this key from now on; a repeat changes nothing.

    Raises: OtherKey.
    """
    key, _ = ExtendedKey.objects.get_or_create(
        network=network, defaults={"path": path, "xpub": xpub, "created_at": now}
    )
    if key.xpub != xpub:
        raise OtherKey(f"{network} has another extended key")
    return key


def provide(merchant: Merchant, *, owner: UUID, network: str, now: datetime) -> str:
    """The owner's deposit address on the network, made the first time.

    Raises: NoExtendedKey.
    """
    key = ExtendedKey.objects.filter(network=network).first()
    if key is None:
        raise NoExtendedKey(network)
    with transaction.atomic():
        row, _ = DepositAddress.objects.get_or_create(
            owner=owner, network=network, defaults={"merchant": merchant, "created_at": now}
        )
        if row.address is None:
            row.address = derive(key, row.number)
            row.account = addresses.account_bytes(network, row.address)
            row.save(update_fields=["address", "account"])
    return row.address


def derive(key: ExtendedKey, number: int) -> str:
    """The address with this number below the key.

    Raises: ValueError when BIP-32 has no such child (one in 2^127).
    Source: BIP-32, "Public parent key → public child key"; BIP-44.
    """
    tree = bip32.BIP32.from_xpub(key.xpub)
    compressed = tree.get_pubkey_from_path([addresses.RECEIVING, number])
    account = secp256k1.PublicKey.from_compressed_bytes(compressed).to_canonical_address()
    return addresses.from_bytes(key.network, account)


def ours(network: str, accounts: Collection[bytes]) -> set[bytes]:
    """Which of these accounts are deposit addresses of that network: one question, however many they are."""
    with connection.cursor() as cursor:
        cursor.execute(_OURS, [network, list(accounts)])
        return {bytes(account) for (account,) in cursor.fetchall()}
