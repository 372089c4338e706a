"""The one call and the one event of a token that matter here, byte for byte, the same on EVM and TRON.

Source: ERC-20; TIP-20; Solidity ABI specification.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chain import addresses
from chain.gateway import Mismatch, Transfer

WORD = 32
ACCOUNT = 20
TRANSFER_SELECTOR = bytes.fromhex("a9059cbb")  # transfer(address,uint256)
BALANCE_OF_SELECTOR = bytes.fromhex("70a08231")  # balanceOf(address)
TRANSFER_TOPIC = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")


def word(value: bytes | int) -> bytes:
    """One ABI word: a number, or an account padded on the left."""
    return value.to_bytes(WORD, "big") if isinstance(value, int) else value.rjust(WORD, b"\0")


def transfer_arguments(to_account: bytes, amount_units: int) -> bytes:
    """The call's two words."""
    return word(to_account) + word(amount_units)


def transfer_call(to_account: bytes, amount_units: int) -> bytes:
    """Calldata of `transfer(to, amount)`."""
    return TRANSFER_SELECTOR + transfer_arguments(to_account, amount_units)


def balance_call(account: bytes) -> bytes:
    """Calldata of `balanceOf(account)`."""
    return BALANCE_OF_SELECTOR + word(account)


def read_transfer(data: bytes) -> tuple[bytes, int]:
    """The recipient and amount of calldata that is exactly one transfer.

    Raises: Mismatch.
    """
    account, amount = data[4 : 4 + WORD], data[4 + WORD :]
    if len(data) != 4 + 2 * WORD or not data.startswith(TRANSFER_SELECTOR) or any(account[: WORD - ACCOUNT]):
        raise Mismatch("not a plain token transfer")
    return account[WORD - ACCOUNT :], int.from_bytes(amount, "big")


@dataclass(frozen=True, slots=True)
class Log:
    """An event as a receipt shows it."""

    contract: bytes
    topics: list[bytes]
    data: bytes


def exact(transfer: Transfer) -> Log:
    """The Transfer event of exactly this payment."""
    contract, sender, to_account = (
        addresses.account_bytes(transfer.network, text)
        for text in (transfer.contract, transfer.wallet, transfer.to_address)
    )
    return Log(contract, [TRANSFER_TOPIC, word(sender), word(to_account)], word(transfer.amount_units))


def pays(transfer: Transfer, logs: Sequence[Log]) -> bool:
    """Tell whether exactly one log is the token's Transfer event of exactly this payment."""
    wanted = exact(transfer)
    return sum(log == wanted for log in logs) == 1
