"""An EVM network as a follower reads it: blocks with their values, and the Transfer events of every token.

What a contract sends of the network's own coin shows in no block and no event: it is not seen.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chain import links
from chain.endpoints import Unreachable
from chain.evm import facts
from chain.evm.client import Client, quantity
from chain.evm.gateway import Gateway
from chain.gateway import Retryable
from chain.reading import OWN_COIN, Moved, Read
from chain.token_abi import ACCOUNT, TRANSFER_TOPIC, WORD

AT_ONCE = 10  # whole blocks in one question
TOPIC = "0x" + TRANSFER_TOPIC.hex()
TOPICS = 3  # the event, from, to; an NFT's has its number as a fourth
WORD_DIGITS = len("0x") + 2 * WORD


class Reader(Gateway):
    """One EVM network, read block by block."""

    stride = 50

    def hash_at(self, number: int) -> str:
        """The hash of the block at a height now."""
        return self._nodes.agreed(lambda node: node.block(number), settled=False).hash

    def stretch(self, first: int, last: int, *, settled: bool) -> Sequence[Read]:
        """The blocks and what was moved there.

        Near the chain's end nodes may have different blocks in good faith. What is in a block with a certain hash is
        settled everywhere, so they are asked for that by itself.
        """
        if settled:
            return self._nodes.agreed(lambda node: _read(node, first, last))
        numbers = range(first, last + 1)
        hashes = [block.hash for block in self._nodes.agreed(lambda node: node.blocks(numbers), settled=False)]

        def ask(node: Client) -> tuple[Read, ...]:
            reads = _read(node, first, last)
            if [read.block.hash for read in reads] != hashes:
                raise Retryable("the blocks were replaced while they were read")
            return reads

        return self._nodes.agreed(ask)

    def stayed(self, moved: Sequence[Moved], hashes: Mapping[str, str]) -> list[Moved]:
        """Events are only there when their transaction succeeded; of a value its receipt says what became."""
        asked = [one.txid for one in moved if one.index == OWN_COIN]
        told = self._nodes.agreed(lambda node: _succeeded(node, asked, hashes), settled=False) if asked else {}
        return [one for one in moved if told.get(one.txid, True)]


def _read(node: Client, first: int, last: int) -> tuple[Read, ...]:
    """Raises: Unreachable; Retryable when the node contradicts itself."""
    shown: dict[int, Any] = {}
    for start in range(first, last + 1, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, last + 1))
        shown |= zip(numbers, node.batch("eth_getBlockByNumber", [(hex(one), True) for one in numbers]), strict=True)
    try:
        blocks = {number: _block(block) for number, block in shown.items()}
        links.stretch(blocks.__getitem__, first, last)
        moved = {number: list(_values(block)) for number, block in shown.items()}
        for log, one in _events(_logs(node, first, last)):
            block = blocks[quantity(log["blockNumber"])]
            if log["blockHash"] != block.hash or one.txid not in block.txids:
                raise Retryable(f"an event of block {block.number} is of another block")
            moved[block.number].append(one)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise Retryable(f"blocks {first} to {last} cannot be read: {type(wrong).__name__}") from wrong
    return tuple(
        Read(blocks[number], tuple(one for one in moved[number] if one.amount_units)) for number in sorted(blocks)
    )


def _block(shown: dict[str, Any]) -> links.Block:
    return links.Block(
        number=quantity(shown["number"]),
        hash=shown["hash"],
        parent=shown["parentHash"],
        at_ms=quantity(shown["timestamp"]) * 1000,
        txids=frozenset(entry["hash"] for entry in shown["transactions"]),
    )


def _values(shown: dict[str, Any]) -> Iterator[Moved]:
    """What the transactions themselves carry, if they succeed."""
    for entry in shown["transactions"]:
        if entry["value"] != "0x0" and entry["to"]:
            yield Moved(entry["hash"], OWN_COIN, b"", _bytes(entry["to"]), quantity(entry["value"]))


def _logs(node: Client, first: int, last: int) -> list[dict[str, Any]]:
    """The Transfer events of a stretch; many nodes refuse what would be too many in one answer.

    Raises: Unreachable, Retryable.
    """
    try:
        told = node.call("eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last), "topics": [TOPIC]})
    except Unreachable:
        raise
    except Retryable:
        if first == last:
            raise
        middle = (first + last) // 2
        return _logs(node, first, middle) + _logs(node, middle + 1, last)
    return list(told)


def _events(logs: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Moved]]:
    """The events in the chain's order, each counted within its transaction.

    Raises: Retryable when one is told twice.
    """
    placed = {(quantity(log["blockNumber"]), quantity(log["logIndex"])): log for log in logs}
    if len(placed) < len(logs):
        raise Retryable("an event is told twice")
    counted: Counter[str] = Counter()
    for place in sorted(placed):
        log = placed[place]
        counted[txid := log["transactionHash"]] += 1
        if len(log["topics"]) == TOPICS and len(log["data"]) == WORD_DIGITS:
            contract, recipient = _bytes(log["address"]), _bytes(log["topics"][2])[-ACCOUNT:]
            yield log, Moved(txid, OWN_COIN + counted[txid], contract, recipient, quantity(log["data"]))


def _succeeded(node: Client, txids: Sequence[str], hashes: Mapping[str, str]) -> dict[str, bool]:
    """Raises: Unreachable; Retryable when a transaction is not, or no longer, in that block."""
    said: dict[str, bool] = {}
    node.read_ahead(txids)
    for txid in txids:
        receipt = node.receipt(txid)
        if receipt is None or receipt.block_hash != hashes[txid]:
            raise Retryable(f"the node shows no receipt of {txid} in block {hashes[txid]}")
        said[txid] = receipt.status == facts.SUCCESS
    return said


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
