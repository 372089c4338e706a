"""The wallet API of one TRON node over plain HTTP, errors sorted into our two kinds.

Not tronpy's provider: against TronGrid it sends API keys that it was shipped with, repeats requests by itself and drops
the path of an endpoint's URL.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import requests

from chain.endpoints import Unreachable, session
from chain.gateway import Retryable
from chain.links import Block, Entry
from chain.token_abi import ACCOUNT, Log
from chain.tron.ahead import Plan

AT_ONCE = 4  # questions that are under way to one node
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a solid block says of one transaction, and what it cost; equal when two nodes tell the same."""

    number: int
    result: str  # the contract's; empty where none ran
    failed: bool
    logs: tuple[Log, ...]
    fee_sun: int  # everything that was burned
    energy: int
    energy_fee_sun: int
    bandwidth: int  # paid by the day's free or staked bandwidth
    bandwidth_fee_sun: int


class Client:
    """One node. No retries here: the sweeps repeat, and a broadcast is repeated knowingly."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._http = session(url)
        self._ahead: dict[str, Any] = {}  # receipts that were read ahead

    def call(self, path: str, **body: Any) -> Any:
        """The JSON answer of one call, addresses in hexadecimal.

        Raises: Unreachable, Retryable.
        """
        try:
            response = self._http.post(
                f"{self.url.rstrip('/')}/{path}", json=body, timeout=self._timeout_s, allow_redirects=False
            )
            if response.status_code == requests.codes.not_found:
                raise Retryable(f"{path}: the node does not have this method")
            response.raise_for_status()
            answer = response.json()
        except (requests.RequestException, ValueError) as wrong:
            raise Unreachable(f"{path}: {type(wrong).__name__}") from wrong
        if isinstance(answer, dict) and "Error" in answer:
            raise Retryable(f"{path}: {answer['Error']}"[:400])
        return answer

    def each(self, asked: Sequence[T], ask: Callable[[T], R]) -> list[R | Retryable]:
        """What every one of these is answered, some at a time, or what it was refused for.

        The API takes one question at a time; so that a hundred do not cost a hundred times the way there and back.

        Raises: Unreachable, with the first that got no answer: the others are not asked any more.
        """

        def one(what: T) -> R | Retryable:
            try:
                return ask(what)
            except Unreachable:
                raise
            except Retryable as refusal:
                return refusal

        if len(asked) < 2:  # noqa: PLR2004 - nobody to wait beside
            return [one(what) for what in asked]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                return list(pool.map(one, asked))
            except Unreachable:
                pool.shutdown(cancel_futures=True)
                raise

    def block(self, number: int) -> Block:
        """The solid block at a height, with its transactions.

        Raises: Retryable when the node has none there (yet).
        """
        return read_block(self.call("walletsolidity/getblockbynum", num=number), f"solid block {number}")

    def solid(self) -> Block:
        """The newest solid block."""
        return read_block(self.call("walletsolidity/getnowblock"), "solid block")

    def latest(self) -> Block:
        """The newest block, which a reorganisation may take back."""
        return read_block(self.call("wallet/getnowblock"), "block")

    def chain_id(self) -> int:
        """Which chain this is: the last four bytes of its first block's id.

        Raises: Retryable when the node shows no such block.
        Source: TIP-474; java-tron Program.getChainId.
        """
        first = self.call("walletsolidity/getblockbynum", num=0)
        try:
            return int(first["blockID"][-8:], 16)
        except (KeyError, TypeError, ValueError) as wrong:
            raise Retryable("the node has no block 0") from wrong

    def receipt(self, txid: str) -> Receipt | None:
        """The receipt of a transaction in a solid block.

        Raises: Retryable when it is malformed.
        """
        told = self._ahead.pop(txid) if txid in self._ahead else self._info(txid)
        return _receipt(told) if isinstance(told, dict) and told.get("id") == txid else None

    def read_ahead(self, plan: Plan) -> None:
        """Read these receipts, some at a time; each answers the next question for it.

        Raises: Unreachable.
        """
        singly = zip(plan.txids, self.each(plan.txids, self._info), strict=True)
        by_block = [told for told in self.each(plan.blocks, self._infos) if not isinstance(told, Retryable)]
        self._ahead = dict.fromkeys(plan.absent)
        self._ahead |= {txid: said for txid, said in singly if not isinstance(said, Retryable)}
        self._ahead |= {str(said.get("id")): said for told in by_block for said in told}

    def _info(self, txid: str) -> Any:
        return self.call("walletsolidity/gettransactioninfobyid", value=txid)

    def _infos(self, number: int) -> list[dict[str, Any]]:
        """Every receipt of a solid block. Raises: Unreachable, Retryable."""
        told = self.call("walletsolidity/gettransactioninfobyblocknum", num=number)
        if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
            raise Retryable(f"the node has no receipts of block {number}")
        return told

    def account(self, account: str, *, room: str = "wallet") -> dict[str, Any]:
        """An account, by its hexadecimal address, as the node has it; {} for one that was never used."""
        told = self.call(f"{room}/getaccount", address=account)
        if not isinstance(told, dict):
            raise Retryable(f"{room}/getaccount: not an account")
        return told

    def constant(self, owner: str, contract: str, data: bytes, *, room: str = "wallet") -> dict[str, Any]:
        """What a call would do, without a transaction; owner and contract in hexadecimal.

        Raises: Retryable when the node could not run it. A revert is an answer, see `reverted`.
        """
        answer = self.call(
            f"{room}/triggerconstantcontract", owner_address=owner, contract_address=contract, data=data.hex()
        )
        if not isinstance(answer, dict) or not answer.get("constant_result"):
            raise Retryable(f"triggerconstantcontract: {str(answer)[:200]}")
        return answer

    def broadcast(self, signed: bytes) -> str:
        """Send the bytes as they are and say what the node said.

        Raises: Retryable with the node's words when it did not accept them.
        """
        answer = self.call("wallet/broadcasthex", transaction=signed.hex())
        if isinstance(answer, dict) and answer.get("result") is True:
            return "accepted"
        if not isinstance(answer, dict) or not answer.get("code"):
            raise Unreachable(f"wallet/broadcasthex: not an answer: {str(answer)[:200]}")
        raise Retryable(f"{answer['code']} {_words(answer.get('message', ''))}"[:400])


def reverted(answer: Mapping[str, Any]) -> bool:
    """Tell whether a constant call ended in a revert."""
    return bool(answer.get("result", {}).get("message"))


def words(answer: Mapping[str, Any]) -> str:
    """What a node says of a constant call that did not end well, and the reason that the contract gave."""
    said = _words(str(answer.get("result", {}).get("message", "")))
    output = bytes.fromhex((answer.get("constant_result") or [""])[0])
    reason = output[68:].rstrip(b"\0").decode(errors="replace")  # Error(string): selector, offset, length, text
    return f"{said}: {reason}" if reason else said


def _words(message: str) -> str:
    """A node's message; java-tron writes it in hexadecimal."""
    try:
        return bytes.fromhex(message).decode(errors="replace")
    except ValueError:
        return message


def read_block(block: Any, what: str) -> Block:
    """A block as the API shows it.

    Raises: Retryable when it shows none.
    """
    try:
        header = block["block_header"]["raw_data"]
        number = int(header.get("number", 0))
        block_id = bytes.fromhex(block["blockID"])
        entries = tuple(Entry(entry["txID"], result=_result(entry)) for entry in block.get("transactions") or ())
        found = Block(
            number=number,
            hash=block_id.hex(),
            parent=header["parentHash"],
            at_ms=int(header["timestamp"]),
            txids=frozenset(entry.txid for entry in entries),
            entries=entries,
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise Retryable(f"the node has no {what}") from wrong
    if int.from_bytes(block_id[:8], "big") != number:  # java-tron writes the height into the id
        raise Retryable(f"{what}: the id {found.hash} is not of height {number}")
    return found


def _result(entry: dict[str, Any]) -> str:
    """What became of a transaction, as its block says."""
    results = entry.get("ret") or [{}]
    return str(results[0].get("contractRet", ""))


def _receipt(told: dict[str, Any]) -> Receipt:
    """Source: java-tron TransactionInfo; a field that is 0 is left out, as is the result where no contract ran."""
    try:
        costs = told.get("receipt", {})
        return Receipt(
            number=int(told["blockNumber"]),
            result=str(costs.get("result", "")),
            failed="result" in told,  # it is there only for what failed
            logs=tuple(
                Log(
                    bytes.fromhex(log["address"])[-ACCOUNT:],
                    [bytes.fromhex(topic) for topic in log["topics"]],
                    bytes.fromhex(log.get("data", "")),
                )
                for log in told.get("log", [])
            ),
            fee_sun=int(told.get("fee", 0)),
            energy=int(costs.get("energy_usage_total", 0)),
            energy_fee_sun=int(costs.get("energy_fee", 0)),
            bandwidth=int(costs.get("net_usage", 0)),
            bandwidth_fee_sun=int(costs.get("net_fee", 0)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise Retryable(f"a receipt cannot be read: {type(wrong).__name__}") from wrong
