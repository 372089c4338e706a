"""JSON-RPC with one EVM node through web3.py's HTTP provider, errors sorted into our two kinds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests
from hexbytes import HexBytes

from chain.endpoints import Unreachable, session
from chain.evm.libraries import HTTPProvider, RPCEndpoint
from chain.gateway import ChainError, Permanent, Retryable, Reverted
from chain.links import Block, Entry
from chain.token_abi import Log

BATCH = 50  # questions in one: many providers allow no more than 100
METHOD_NOT_FOUND = -32601
EXECUTION_REVERTED = 3  # what geth answers to a call that reverts with a reason; others only say so
REVERTED = ("revert", "out of gas", "outofgas")


@dataclass(frozen=True, slots=True)
class Tip:
    """A node's newest block, what gas costs in it, and which block the node itself calls final."""

    block: Block
    final_number: int
    base_fee_wei: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a block says of one transaction, and what it cost; equal when two nodes tell the same."""

    number: int
    block_hash: str
    status: int
    logs: tuple[Log, ...]
    gas_used: int
    gas_price_wei: int
    l1_fee_wei: int  # what an Optimism-like network takes besides, for its data on layer 1


class Client:
    """One node. No retries here: the sweeps repeat, and a broadcast is repeated knowingly."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.url = url
        self._ahead: dict[str, Any] = {}  # receipts that were read ahead
        self._http = HTTPProvider(
            url, request_kwargs={"timeout": timeout_s}, session=session(url), exception_retry_configuration=None
        )

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call; None where the node answers null.

        Raises: Unreachable, Retryable, Permanent.
        """
        try:
            answer = self._http.make_request(RPCEndpoint(method), params)
        except (requests.RequestException, ValueError, OSError) as wrong:
            raise Unreachable(f"{method}: {type(wrong).__name__}") from wrong
        return _result(method, answer)

    def batch(self, method: str, asked: Sequence[Sequence[Any]]) -> list[Any]:
        """The results of the same call with different parameters, in one question where the node takes such.

        Raises: Unreachable, Retryable, Permanent.
        """
        answers = self.each(method, asked)
        for answer in answers:
            if isinstance(answer, ChainError):
                raise answer
        return answers

    def each(self, method: str, asked: Sequence[Sequence[Any]]) -> list[Any]:
        """The same, with what a call was refused for in its result's place.

        Raises: Unreachable.
        """
        answers: list[Any] = []
        for start in range(0, len(asked), BATCH):
            part = [(RPCEndpoint(method), list(one)) for one in asked[start : start + BATCH]]
            try:
                told: Any = self._http.make_batch_request(part) if len(part) > 1 else None
            except requests.HTTPError:
                told = None  # this node takes no batches, or is away: single questions show which
            except (requests.RequestException, ValueError, OSError) as wrong:
                raise Unreachable(f"{method}: {type(wrong).__name__}") from wrong
            whole = isinstance(told, list) and len(told) == len(part)
            answers += [_said(method, one) for one in told] if whole else [self._one(method, one) for _, one in part]
        return answers

    def _one(self, method: str, params: Sequence[Any]) -> Any:
        """Raises: Unreachable."""
        try:
            return self.call(method, *params)
        except Unreachable:
            raise
        except ChainError as refusal:
            return refusal

    def block(self, number: int, *, entries: bool = False) -> Block:
        """The block at a height; with its transactions, not only their ids, where `entries` are wanted.

        Raises: Retryable when the node has none there.
        """
        return _block(self.call("eth_getBlockByNumber", hex(number), entries), f"block {number}", entries=entries)

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Several blocks without their transactions.

        Raises: Retryable when the node lacks one.
        """
        told = self.batch("eth_getBlockByNumber", [(hex(number), False) for number in numbers])
        return [_block(one, f"block {number}", entries=False) for number, one in zip(numbers, told, strict=True)]

    def tip(self, final_tag: str) -> Tip:
        """The newest block, which a reorganisation may take back, and which one the node calls by the tag, if any.

        Raises: Retryable when the node has none.
        """
        latest = self.call("eth_getBlockByNumber", "latest", False)
        block = _block(latest, "latest block", entries=False)
        final = block
        if final_tag:
            final = _block(self.call("eth_getBlockByNumber", final_tag, False), f"{final_tag} block", entries=False)
        return Tip(block, final.number, quantity(latest.get("baseFeePerGas", "0x0")))

    def base_fee_wei(self) -> int:
        """The newest block's base fee."""
        return self.tip("").base_fee_wei

    def receipt(self, txid: str) -> Receipt | None:
        """The receipt of a transaction that is in a block now.

        Raises: Retryable when it is malformed.
        """
        told = self._ahead.pop(txid) if txid in self._ahead else self.call("eth_getTransactionReceipt", txid)
        return _receipt(told) if isinstance(told, dict) and told.get("blockNumber") else None

    def read_ahead(self, txids: Sequence[str]) -> None:
        """Read these receipts at once; each answers the next question for it.

        Raises: Retryable.
        """
        self._ahead = dict(zip(txids, self.batch("eth_getTransactionReceipt", [[txid] for txid in txids]), strict=True))

    def nonce(self, wallet: str, block: str) -> int:
        """How many transactions of the wallet the chain holds up to that block (a tag or a hexadecimal number)."""
        return quantity(self.call("eth_getTransactionCount", wallet, block))


def _result(method: str, answer: Any) -> Any:
    """Raises: Unreachable, Retryable, Permanent."""
    if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
        raise Unreachable(f"{method}: not an answer")
    error = answer.get("error")
    if error:
        code, text = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
        raise _kind(method, code, str(text))(f"{method}: {code} {text}"[:400])
    return answer.get("result")


def _said(method: str, answer: Any) -> Any:
    """The result, or what the node refused with. Raises: Unreachable."""
    try:
        return _result(method, answer)
    except Unreachable:
        raise
    except ChainError as refusal:
        return refusal


def _kind(method: str, code: int | None, text: str) -> type[ChainError]:
    if method == "eth_call" and (code == EXECUTION_REVERTED or any(word in text.lower() for word in REVERTED)):
        return Reverted
    return Permanent if code == METHOD_NOT_FOUND else Retryable


def quantity(value: Any) -> int:
    """A JSON-RPC quantity as an int.

    Raises: Retryable when it is none.
    """
    try:
        return int(value, 16)
    except (TypeError, ValueError) as wrong:
        raise Retryable(f"not a quantity: {value!r}"[:200]) from wrong


def _block(block: Any, what: str, *, entries: bool) -> Block:
    if not isinstance(block, dict) or not block.get("hash"):
        raise Retryable(f"the node has no {what}")
    try:
        return _read_block(block, entries=entries)
    except (KeyError, TypeError, AttributeError) as wrong:
        raise Retryable(f"{what} cannot be read: {type(wrong).__name__}") from wrong


def _read_block(block: dict[str, Any], *, entries: bool) -> Block:
    listed = block.get("transactions") or ()
    found = tuple(
        Entry(
            txid=entry["hash"].lower(),
            sender=entry["from"].lower(),
            nonce=quantity(entry["nonce"]),
            to=(entry.get("to") or "").lower(),
            data=entry["input"],
        )
        for entry in (listed if entries else ())
    )
    return Block(
        number=quantity(block["number"]),
        hash=block["hash"].lower(),
        parent=block["parentHash"].lower(),
        at_ms=quantity(block["timestamp"]) * 1000,
        txids=frozenset(entry.txid for entry in found) if entries else frozenset(txid.lower() for txid in listed),
        entries=found,
    )


def _receipt(told: dict[str, Any]) -> Receipt:
    try:
        return Receipt(
            number=quantity(told["blockNumber"]),
            block_hash=str(told["blockHash"]).lower(),
            status=quantity(told["status"]),
            logs=tuple(
                Log(_bytes(log["address"]), [_bytes(topic) for topic in log["topics"]], _bytes(log["data"]))
                for log in told["logs"]
            ),
            gas_used=quantity(told["gasUsed"]),
            gas_price_wei=quantity(told["effectiveGasPrice"]),
            l1_fee_wei=quantity(told.get("l1Fee") or "0x0"),
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise Retryable(f"a receipt cannot be read: {type(wrong).__name__}") from wrong


def _bytes(text: str) -> bytes:
    return bytes(HexBytes(text))
