"""The batch contract's calls and events: many payments of one token in one transaction, each with its own end.

Source: chain/contracts/BatchPayer.sol; Solidity ABI specification.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from chain import token_abi
from chain.gateway import Mismatch

ARTIFACT: Final = Path(__file__).parent.parent / "contracts" / "BatchPayer.json"
PAY_SELECTOR: Final = keccak(b"pay(bytes32,address,address[],uint256[])")[:4]
PAY_TYPES: Final = ["bytes32", "address", "address[]", "uint256[]"]
APPROVE_SELECTOR: Final = keccak(b"approve(address,uint256)")[:4]
ALLOWANCE_SELECTOR: Final = keccak(b"allowance(address,address)")[:4]
PAID_TOPIC: Final = keccak(b"Paid(address,bytes32,uint256)")
REFUSED_TOPIC: Final = keccak(b"Refused(address,bytes32,uint256)")
UNLIMITED: Final = 2**256 - 1
GAS_PER_PAYMENT: Final = 100_000  # what the contract wants to have left before each one
GAS_BESIDE: Final = 150_000


@dataclass(frozen=True, slots=True)
class Payment:
    """One line of a batch."""

    to_account: bytes
    amount_units: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call pays; accounts have 20 bytes, the id 32."""

    id: bytes
    token: bytes
    payments: tuple[Payment, ...]


@functools.cache
def artifact() -> Mapping[str, Any]:
    """What the compiler made of the contract: `abi`, `bytecode` and `runtime`."""
    loaded: Mapping[str, Any] = json.loads(ARTIFACT.read_text())
    return loaded


def pay_call(batch: Batch) -> bytes:
    """The calldata that pays the batch."""
    accounts = [payment.to_account for payment in batch.payments]
    amounts = [payment.amount_units for payment in batch.payments]
    return PAY_SELECTOR + encode(PAY_TYPES, [batch.id, batch.token, accounts, amounts])


def read_pay_call(data: bytes) -> Batch:
    """Decode calldata, strictly: bytes that `pay_call` would not have made are refused.

    Raises: Mismatch.
    """
    try:
        identity, token, accounts, amounts = decode(PAY_TYPES, data[4:])
    except DecodingError as wrong:
        raise Mismatch("not a batch of payments") from wrong
    if len(accounts) != len(amounts):
        raise Mismatch("a batch needs an amount for every recipient")
    payments = [Payment(_account(to), amount) for to, amount in zip(accounts, amounts, strict=True)]
    batch = Batch(identity, _account(token), tuple(payments))
    if pay_call(batch) != data:
        raise Mismatch("not a batch of payments")
    return batch


def is_pay_call(data: bytes) -> bool:
    """Tell whether this begins as a batch's call does."""
    return data.startswith(PAY_SELECTOR)


def is_call(data: bytes) -> bool:
    """Tell whether this is a batch's call or the allowance that it needs; whose contract is called is not said."""
    if is_pay_call(data):
        return bool(read_pay_call(data))
    return data.startswith(APPROVE_SELECTOR) and len(data) == len(APPROVE_SELECTOR) + 2 * token_abi.WORD


def approve_call(spender: bytes) -> bytes:
    """The calldata that lets the batch contract move the caller's tokens."""
    return APPROVE_SELECTOR + token_abi.word(spender) + token_abi.word(UNLIMITED)


def allowance_call(owner: bytes, spender: bytes) -> bytes:
    """The calldata that asks how much that is."""
    return ALLOWANCE_SELECTOR + token_abi.word(owner) + token_abi.word(spender)


def gas_limit(payments: int) -> int:
    """Enough that no payment fails for want of gas.

    Units: gas. The contract checks before each payment what is left, so the last needs it twice.
    """
    return GAS_BESIDE + GAS_PER_PAYMENT * (payments + 1)


def outcomes(batch: Batch, *, payer: bytes, contract: bytes, logs: Sequence[token_abi.Log]) -> list[bool] | None:
    """Which payments were made, in the batch's order, from a successful transaction's logs; None: they do not add up.

    A payment was made when the contract did not report it as refused **and** the token shows its exact Transfer event,
    as many of equal ones as there are equal payments.
    """
    topics = [token_abi.word(payer), batch.id]
    if _count(logs, contract, [PAID_TOPIC, *topics], token_abi.word(len(batch.payments))) != 1:
        return None
    refused = [
        int.from_bytes(log.data, "big")
        for log in logs
        if log.contract == contract and log.topics == [REFUSED_TOPIC, *topics]
    ]
    if len(set(refused)) != len(refused) or any(index >= len(batch.payments) for index in refused):
        return None
    made = [index not in refused for index in range(len(batch.payments))]
    for payment in set(batch.payments):
        wanted = sum(done for done, one in zip(made, batch.payments, strict=True) if one == payment)
        shown = [token_abi.TRANSFER_TOPIC, token_abi.word(payer), token_abi.word(payment.to_account)]
        if _count(logs, batch.token, shown, token_abi.word(payment.amount_units)) != wanted:
            return None
    return made


def _count(logs: Sequence[token_abi.Log], contract: bytes, topics: list[bytes], data: bytes) -> int:
    return sum(log == token_abi.Log(contract, topics, data) for log in logs)


def _account(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
