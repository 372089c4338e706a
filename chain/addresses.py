"""Which texts are addresses that money may be sent to, and the one form in which they are kept."""

import functools
import re

import base58
from eth_utils.address import to_checksum_address

from chain import networks

EVM_FORM = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
TRON_PREFIX = 0x41
TRON_LENGTH = 34
ACCOUNT_BYTES = 20
RECEIVING = 0  # BIP-44's "external chain": deposit addresses hang there, by their number
RESERVED_BELOW = 0x10000  # the zero address and the precompiled contracts: nobody holds a key to them
BURN = frozenset(
    {
        bytes.fromhex("000000000000000000000000000000000000dead"),
        bytes.fromhex("dead000000000000000042069420694206942069"),
        bytes.fromhex(
            "77944d19c052b73ee2286823aa83f8138cb7032f"
        ),  # TRON's black hole account TLsV52sRDL79HXGGm9yzwKibb6BeruhUzy
    }
)


NOBODY = b"nobody's account    "
KEPT = 4_096


class BadAddress(ValueError):
    """A text that is no address of this network, or an address where money would be lost."""


def normalise(network: str, text: str) -> str:
    """The address in its one canonical form: base58check on TRON, EIP-55 on EVM.

    EVM accepts the correct mixed case and all lower case (which carries no checksum); any other case is refused.
    Our own wallets are refused by `transfers.order`, which knows them.

    Raises: BadAddress.
    Source: EIP-55; TRON developer documentation, "Account address format".
    """
    row = networks.network(network)
    account = account_bytes(network, text)
    if int.from_bytes(account, "big") < RESERVED_BELOW or account in BURN:
        raise BadAddress("nobody can spend from this address")
    if account in {account_bytes(network, token.contract) for token in row.tokens.values()}:
        raise BadAddress("this is a token's own contract")
    return from_bytes(network, account)


def account_bytes(network: str, text: str) -> bytes:
    """The 20 bytes behind an address of that network.

    Raises: BadAddress.
    """
    return _tron_bytes(text) if networks.network(network).family == "tron" else _evm_bytes(text)


def from_bytes(network: str, account: bytes) -> str:
    """The canonical text of 20 account bytes.

    Raises: BadAddress when they are not 20.
    """
    if len(account) != ACCOUNT_BYTES:
        raise BadAddress("an account has 20 bytes")
    if networks.network(network).family == "tron":
        return base58.b58encode_check(bytes([TRON_PREFIX]) + account).decode()
    return str(to_checksum_address(account))


def nobody(network: str, *, other: bool = False) -> str:
    """An account that nobody has and that holds nothing, for calls that are only tried out; there are two of them."""
    return from_bytes(network, NOBODY[::-1] if other else NOBODY)


def looks_right(network: str, text: str) -> bool:
    """Tell whether a text passes the documented rule alone: TRC20 is T and 34 characters, ERC20 is 0x and 42.

    Only for merchants in test mode; nothing is ever sent to an address that `normalise` refuses.
    Source: seeds 1 and 2 (their own samples fail the checksum).
    """
    if not (isinstance(text, str) and text.isascii() and text.isalnum()):
        return False
    if networks.network(network).family == "tron":
        return text.startswith("T") and len(text) == TRON_LENGTH
    return text.startswith("0x") and len(text) == len("0x") + 2 * ACCOUNT_BYTES


def _tron_bytes(text: str) -> bytes:
    if not isinstance(text, str) or len(text) != TRON_LENGTH or not text.isascii():
        raise BadAddress("a TRON address has 34 characters")
    return _decoded(text)


@functools.lru_cache(KEPT)  # the same few again and again: wallets, tokens, whoever is paid now
def _decoded(text: str) -> bytes:
    """Raises: BadAddress."""
    try:
        decoded = base58.b58decode_check(text)
    except ValueError as wrong:
        raise BadAddress("not base58 with a correct checksum") from wrong
    if len(decoded) != 1 + ACCOUNT_BYTES or decoded[0] != TRON_PREFIX:
        raise BadAddress("not a TRON account")
    return decoded[1:]


def _evm_bytes(text: str) -> bytes:
    if not isinstance(text, str) or not EVM_FORM.fullmatch(text):
        raise BadAddress("an EVM address is 0x and 40 hexadecimal digits")
    if text not in (text.lower(), to_checksum_address(text)):
        raise BadAddress("wrong EIP-55 checksum")
    return bytes.fromhex(text[2:])
