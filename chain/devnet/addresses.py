"""Addresses in the three forms that meet here: 20 bytes inside, 21 bytes hex and base58 outside."""

from typing import Final

import base58

PREFIX: Final = b"\x41"
LENGTH: Final = 20


def parse(text: str) -> bytes:
    """Read an address in base58 or in hex with the 41 prefix.

    Raises: ValueError.
    """
    raw = base58.b58decode_check(text) if text.startswith("T") else bytes.fromhex(text)
    if len(raw) != LENGTH + 1 or raw[:1] != PREFIX:
        raise ValueError(f"not an address: {text}")
    return raw[1:]


def hex41(address: bytes) -> str:
    """Write an address in hex with its prefix."""
    return (PREFIX + address).hex()


def base58check(address: bytes) -> str:
    """Write an address as people see it."""
    return base58.b58encode_check(PREFIX + address).decode()


def show(address: bytes, *, visible: bool) -> str:
    """Write an address as the request asked for it."""
    return base58check(address) if visible else hex41(address)
