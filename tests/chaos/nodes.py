"""The local nodes, asked directly: the levers that break a chain, and every transfer that is on it."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from chain import addresses, networks
from chain.token_abi import TRANSFER_TOPIC
from config.local import rpc

BLOCKS_AT_ONCE = 50
BLOCK_S = 1  # how often the local anvil mines
FOREIGN_GWEI, GWEI = 400, 10**9
SOUGHT_S, POLL_S = 8.0, 0.03  # how long for a transaction that waits to be mined


class Away(Exception):
    """The node does not answer."""


class Refused(Exception):
    """The node answers with an error."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One transfer out of a wallet, as its block has it; without a contract it is the network's coin."""

    to: str
    units: int
    contract: str
    txid: str
    block: int


@dataclass(frozen=True)
class EvmNode:
    """anvil."""

    network: str
    url: str

    def rpc(self, method: str, *params: Any) -> Any:
        """Raises: Away, Refused."""
        return _result(_posted(self.url, _question(method, params)))

    def batch(self, method: str, asked: Sequence[Sequence[Any]]) -> list[Any]:
        """Raises: Away, Refused."""
        if not asked:
            return []
        questions: Any = [_question(method, params, number) for number, params in enumerate(asked)]
        return [_result(one) for one in sorted(_posted(self.url, questions), key=lambda one: int(one["id"]))]

    def reorg(self, depth: int, *, keep: bool) -> bool:  # noqa: ARG002 - anvil never puts them back
        """Replace the last blocks by empty ones."""
        self.rpc("anvil_reorg", depth, [])
        return True

    def drop(self, wallets: Collection[str], *, most: int) -> bool:
        """Lose up to so many waiting transactions; False when none waits for a while."""
        mine = {wallet.lower() for wallet in wallets}

        def waiting() -> list[str]:
            pool = self.rpc("txpool_content")
            rooms = [pool[room] for room in ("pending", "queued")]
            return [
                one["hash"]
                for room in rooms
                for who, them in room.items()
                if who.lower() in mine
                for one in them.values()
            ]

        with self._held():
            dropped = [self.rpc("anvil_dropTransaction", txid) for txid in _sought(waiting)[:most]]
        return any(dropped)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """No block for a while, so that what is sent waits; a node that dies meanwhile mines again by itself."""
        self.rpc("evm_setIntervalMining", 0)
        try:
            yield
        finally:
            with suppress(Away):
                self.rpc("evm_setIntervalMining", BLOCK_S)

    def spike(self, gwei: int) -> None:
        """Make the next block dear."""
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(gwei * GWEI))

    def take_nonce(self, wallet: str) -> str:
        """Send a transaction of the wallet past the protocol, with its next nonce; answer the txid."""
        nonce = self.rpc("eth_getTransactionCount", wallet, "latest")
        fees = {"gas": hex(21_000), "gasPrice": hex(FOREIGN_GWEI * GWEI)}
        return self._as(wallet, {"to": wallet, "value": "0x0", "nonce": nonce, **fees})

    def pay_again(self, wallet: str, to: str, units: int) -> str:
        """Send tokens of the wallet past the protocol: what an auditor must notice."""
        contract = networks.token(self.network, "USDT").contract
        words = addresses.account_bytes(self.network, to).rjust(32, b"\0") + units.to_bytes(32)
        call = {"to": contract, "data": "0xa9059cbb" + words.hex(), "gas": hex(120_000)}
        return self._as(wallet, call | {"gasPrice": hex(FOREIGN_GWEI * GWEI)})

    def mined(self, txid: str) -> None:
        """Wait until it is in a block."""
        _sought(lambda: [txid] if self.rpc("eth_getTransactionReceipt", txid) else [])

    def _as(self, wallet: str, transaction: dict[str, str]) -> str:
        self.rpc("anvil_impersonateAccount", wallet)
        try:
            return str(self.rpc("eth_sendTransaction", {"from": wallet, **transaction}))
        finally:
            self.rpc("anvil_stopImpersonatingAccount", wallet)

    def moved(self, wallets: Collection[str]) -> list[Moved]:
        """Every transfer out of these wallets, of any token and of ether, from the first block on."""
        mine = {addresses.account_bytes(self.network, wallet) for wallet in wallets}
        head = int(self.rpc("eth_blockNumber"), 16)
        found: list[Moved] = []
        for first in range(0, head + 1, BLOCKS_AT_ONCE):
            numbers = [hex(number) for number in range(first, min(first + BLOCKS_AT_ONCE, head + 1))]
            blocks = self.batch("eth_getBlockByNumber", [(number, True) for number in numbers])
            full = [block for block in blocks if block["transactions"]]
            receipts = self.batch("eth_getBlockReceipts", [[block["number"]] for block in full])
            for block, told in zip(full, receipts, strict=True):
                found += self._in_block(block, told, mine)
        return found

    def _in_block(self, block: Any, receipts: Any, mine: Collection[bytes]) -> Iterator[Moved]:
        number = int(block["number"], 16)
        for entry, receipt in zip(block["transactions"], receipts, strict=True):
            if receipt["status"] != "0x1":
                continue
            value = int(entry["value"], 16)
            if value and bytes.fromhex(entry["from"][2:]) in mine:
                yield Moved(_named(self.network, entry["to"]), value, "", entry["hash"], number)
            for log in receipts_logs(receipt):
                if log.source in mine:
                    contract = _named(self.network, log.contract)
                    yield Moved(_named(self.network, log.target), log.units, contract, entry["hash"], number)


@dataclass(frozen=True)
class TronNode:
    """The TRON dev node."""

    network: str
    url: str

    def ask(self, path: str, **body: Any) -> Any:
        """Raises: Away, Refused."""
        answer = _posted(f"{self.url.rstrip('/')}/{path}", body)
        if isinstance(answer, dict) and "Error" in answer:
            raise Refused(f"{path}: {answer['Error']}")
        return answer

    def reorg(self, depth: int, *, keep: bool) -> bool:
        """Take the last blocks away; their transactions wait again, or are lost."""
        self.ask("dev/reorg", depth=depth, repool=keep)
        return True

    def drop(self, wallets: Collection[str], *, most: int) -> bool:  # noqa: ARG002 - nobody else sends here
        """Lose up to so many waiting transactions, and that they were seen; False when none waits for a while."""
        with self._held():
            lost = _sought(self._waiting)[:most]
            dropped = [self.ask("dev/drop", txid=txid)["dropped"] for txid in lost]
            for txid in lost:
                self.ask("dev/forget", txid=txid)
        return any(dropped)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """No block for a while, so that what is sent waits; a node that dies meanwhile mines again by itself."""
        self.ask("dev/mining", on=False)
        try:
            yield
        finally:
            with suppress(Away):
                self.ask("dev/mining", on=True)

    def expire(self, seconds: int) -> bool:
        """Lose everything that waits, which the node goes on calling a duplicate, and let time pass it by."""
        with self._held():
            for txid in _sought(self._waiting):
                self.ask("dev/drop", txid=txid)
        self.ask("dev/skip", ms=seconds * 1000)
        return True

    def is_solid(self, number: int) -> bool:
        """Whether a block is final."""
        return int(self.ask("dev/status")["solid"]) >= number

    def head(self) -> int:
        """The newest block's number."""
        return int(self.ask("dev/status")["head"])

    def _waiting(self) -> list[str]:
        return list(self.ask("dev/status")["pending"])

    def moved(self, wallets: Collection[str]) -> list[Moved]:
        """Every transfer out of these wallets, of any token and of TRX, from the first block on."""
        mine = {addresses.account_bytes(self.network, wallet) for wallet in wallets}
        head = self.head()
        found: list[Moved] = []
        for first in range(0, head + 1, BLOCKS_AT_ONCE):
            last = min(first + BLOCKS_AT_ONCE, head + 1)
            for block in self.ask("wallet/getblockbylimitnext", startNum=first, endNum=last)["block"]:
                if block.get("transactions"):
                    number = int(block["block_header"]["raw_data"].get("number", 0))
                    told = self.ask("wallet/gettransactioninfobyblocknum", num=number)
                    found += self._in_block(number, block["transactions"], told, mine)
        return found

    def _in_block(self, number: int, entries: Any, told: Any, mine: Collection[bytes]) -> Iterator[Moved]:
        for entry, info in zip(entries, told, strict=True):
            call = entry["raw_data"]["contract"][0]
            value = call["parameter"]["value"]
            if call["type"] == "TransferContract" and _account(value["owner_address"]) in mine:
                yield Moved(_named(self.network, value["to_address"]), int(value["amount"]), "", entry["txID"], number)
            for log in receipts_logs({"logs": info.get("log", [])}):
                if log.source in mine:
                    contract = _named(self.network, log.contract)
                    yield Moved(_named(self.network, log.target), log.units, contract, entry["txID"], number)


@dataclass(frozen=True, slots=True)
class TransferLog:
    """A Transfer event; `source` as 20 bytes."""

    contract: str
    source: bytes
    target: str
    units: int


def receipts_logs(receipt: Any) -> Iterator[TransferLog]:
    """The Transfer events among a receipt's logs, of either family."""
    for log in receipt["logs"]:
        topics = [topic.removeprefix("0x") for topic in log["topics"]]
        if len(topics) == len(("event", "from", "to")) and topics[0] == TRANSFER_TOPIC.hex():
            units = int(log.get("data", "").removeprefix("0x") or "0", 16)
            yield TransferLog(log["address"], bytes.fromhex(topics[1])[-20:], topics[2], units)


def _named(network: str, account: str) -> str:
    return addresses.from_bytes(network, _account(account))


def _account(account: str) -> bytes:
    return bytes.fromhex(account.removeprefix("0x"))[-20:]


def _question(method: str, params: Sequence[Any], number: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _posted(url: str, content: Any) -> Any:
    answer = rpc.post(url, content)
    if answer is None:
        raise Away(url)
    return answer


def _result(answer: Any) -> Any:
    if "error" in answer:
        raise Refused(str(answer["error"]))
    return answer["result"]


def _sought(look: Callable[[], list[str]]) -> list[str]:
    """What is there as soon as something is, or nothing after a while."""
    deadline = time.monotonic() + SOUGHT_S
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return found


Node = EvmNode | TronNode
NODES: dict[str, Callable[[str, str], Node]] = {"ethereum": EvmNode, "tron": TronNode}
