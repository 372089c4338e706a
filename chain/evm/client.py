"""JSON-RPC with one EVM node through web3.py's HTTP provider, errors sorted into our two kinds."""

from typing import Any

import requests

from chain.endpoints import Unreachable, session
from chain.evm.libraries import HTTPProvider, RPCEndpoint
from chain.gateway import ChainError, Permanent, Retryable, Reverted
from chain.links import Block

METHOD_NOT_FOUND = -32601
EXECUTION_REVERTED = 3  # what geth answers to a call that reverts with a reason; others only say so
REVERTED = ("revert", "out of gas", "outofgas")


class Client:
    """One node. No retries here: the sweeps repeat, and a broadcast is repeated knowingly."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.url = url
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
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise Unreachable(f"{method}: not an answer")
        error = answer.get("error")
        if error:
            code, text = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
            raise _kind(method, code, str(text))(f"{method}: {code} {text}"[:400])
        return answer.get("result")

    def block(self, number: int) -> Block:
        """The block at a height, with its whole transactions.

        Raises: Retryable when the node has none there.
        """
        return _block(self.call("eth_getBlockByNumber", hex(number), True), f"block {number}")

    def latest(self) -> dict[str, Any]:
        """The newest block's header."""
        block = self.call("eth_getBlockByNumber", "latest", False)
        if not isinstance(block, dict):
            raise Retryable("no latest block")
        return block

    def receipt(self, txid: str) -> dict[str, Any] | None:
        """The receipt of a transaction that is in a block now."""
        receipt = self.call("eth_getTransactionReceipt", txid)
        return receipt if isinstance(receipt, dict) and receipt.get("blockNumber") else None

    def nonce(self, wallet: str, block: str) -> int:
        """How many transactions of the wallet the chain holds up to that block (a tag or a hexadecimal number)."""
        return quantity(self.call("eth_getTransactionCount", wallet, block))


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


def _block(block: Any, what: str) -> Block:
    if not isinstance(block, dict) or not block.get("hash"):
        raise Retryable(f"the node has no {what}")
    transactions = tuple(block.get("transactions") or ())
    return Block(
        number=quantity(block["number"]),
        hash=block["hash"].lower(),
        parent=block["parentHash"].lower(),
        at_ms=quantity(block["timestamp"]) * 1000,
        transactions=transactions,
        txids=frozenset(entry["hash"].lower() for entry in transactions),
    )
