"""TRON as a follower reads it: blocks with their transfers of TRX, and the Transfer events of every token.

What a contract sends of TRX shows in no block and no event: it is not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chain import links
from chain.gateway import Retryable
from chain.reading import OWN_COIN, Moved, Read
from chain.token_abi import ACCOUNT, TRANSFER_TOPIC, WORD
from chain.tron import facts
from chain.tron.client import Client, read_block
from chain.tron.gateway import Gateway

TOPIC = TRANSFER_TOPIC.hex()
TOPICS = 3
WORD_DIGITS = 2 * WORD
TRX_TRANSFER = "TransferContract"


class Reader(Gateway):
    """TRON, read block by block, those included that are not solid yet."""

    stride = 50  # a node shows a hundred at most

    def hash_at(self, number: int) -> str:
        """The hash of the block at a height now."""
        return self._nodes.agreed(lambda node: _blocks(node, number, number)[number][1].hash, settled=False)

    def stretch(self, first: int, last: int, *, settled: bool) -> Sequence[Read]:
        """The blocks and what was moved there.

        Near the chain's end nodes may have different blocks in good faith. What is in a block with a certain id is
        settled everywhere, so they are asked for that by itself.
        """
        if settled:
            return self._nodes.agreed(lambda node: _read(node, first, last))
        hashes = self._nodes.agreed(
            lambda node: [block.hash for _, block in _blocks(node, first, last).values()], settled=False
        )

        def ask(node: Client) -> tuple[Read, ...]:
            reads = _read(node, first, last)
            if [read.block.hash for read in reads] != hashes:
                raise Retryable("the blocks were replaced while they were read")
            return reads

        return self._nodes.agreed(ask)

    def stayed(self, moved: Sequence[Moved], hashes: Mapping[str, str]) -> list[Moved]:  # noqa: ARG002 - other families ask
        """The blocks themselves say what failed, and so it was left out."""
        return list(moved)


def _read(node: Client, first: int, last: int) -> tuple[Read, ...]:
    """Raises: Unreachable; Retryable when the node contradicts itself."""
    shown = _blocks(node, first, last)
    full = [number for number, (_, block) in shown.items() if block.txids]
    told = dict(zip(full, node.each(full, lambda number: _infos(node, number)) if full else [], strict=True))
    reads = []
    try:
        for number, (entry, block) in shown.items():
            infos = told.get(number, [])
            if isinstance(infos, Retryable):
                raise infos
            if sorted(info["id"] for info in infos) != sorted(block.txids):
                raise Retryable(f"block {number} has other transactions than its receipts")
            moved = (*_values(entry), *(one for info in infos for one in _events(info)))
            reads.append(Read(block, tuple(one for one in moved if one.amount_units)))
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise Retryable(f"blocks {first} to {last} cannot be read: {type(wrong).__name__}") from wrong
    return tuple(reads)


def _blocks(node: Client, first: int, last: int) -> dict[int, tuple[dict[str, Any], links.Block]]:
    """The blocks by height, as the node shows them and as we read them. Raises: Unreachable, Retryable."""
    told = node.call("wallet/getblockbylimitnext", startNum=first, endNum=last + 1)
    listed = list(told.get("block") or ()) if isinstance(told, dict) else []
    shown = {block.number: (entry, block) for entry in listed if (block := read_block(entry, f"block after {first}"))}
    if [*shown] != list(range(first, last + 1)) or len(listed) != len(shown):
        raise Retryable(f"the node does not show the blocks {first} to {last} and each once")
    links.stretch(lambda number: shown[number][1], first, last)
    return shown


def _infos(node: Client, number: int) -> list[dict[str, Any]]:
    return list(node.call("wallet/gettransactioninfobyblocknum", num=number))


def _values(shown: dict[str, Any]) -> Iterator[Moved]:
    """The transfers of TRX that were made."""
    for entry in shown.get("transactions") or ():
        contract, results = entry["raw_data"]["contract"][0], entry.get("ret") or [{}]
        if contract["type"] == TRX_TRANSFER and results[0].get("contractRet") == facts.SUCCESS:
            value = contract["parameter"]["value"]
            recipient = bytes.fromhex(value["to_address"])[-ACCOUNT:]
            yield Moved(entry["txID"], OWN_COIN, b"", recipient, int(value["amount"]))


def _events(info: dict[str, Any]) -> Iterator[Moved]:
    """The Transfer events of a transaction that did not fail, counted within it."""
    logs = [log for log in info.get("log") or () if (log.get("topics") or [""])[0] == TOPIC]
    for index, log in enumerate(() if "result" in info else logs, start=OWN_COIN + 1):
        if len(log["topics"]) == TOPICS and len(log.get("data", "")) == WORD_DIGITS:
            contract, recipient = (bytes.fromhex(text)[-ACCOUNT:] for text in (log["address"], log["topics"][2]))
            yield Moved(info["id"], index, contract, recipient, int(log["data"], 16))
