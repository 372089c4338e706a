"""What the wallet API tells about blocks and transactions."""

from typing import Any, Final

from chain.devnet import blocks, receipts, transactions
from chain.devnet.api.question import Question
from chain.devnet.blocks import Block, Mined

MAX_BLOCKS: Final = 100
ID_HEX: Final = 64


def node_info(question: Question) -> dict[str, Any]:
    """Tell head and solid block."""
    node = question.node
    return {
        "beginSyncNum": node.solid.number,
        "block": _named(node.head),
        "solidityBlock": _named(node.solid),
        "currentConnectCount": 30,
        "activeConnectCount": 20,
        "totalFlow": 0,
        "configNodeInfo": {"codeVersion": "sluice devnet", "p2pVersion": "11111"},
    }


def now_block(question: Question) -> dict[str, Any]:
    """Show the last block."""
    return _show(question, question.head())


def block_by_number(question: Question) -> dict[str, Any]:
    """Show a block by its number; an unknown one is an empty answer."""
    return _show(question, _visible_block(question, question.number("num")))


def block_by_id(question: Question) -> dict[str, Any]:
    """Show a block by its id; an unknown one is an empty answer."""
    return _show(question, _block_with_id(question, question.data("value")))


def block_by_either(question: Question) -> dict[str, Any]:
    """Show a block by id or number, without its transactions unless `detail` is set."""
    block: Block | None = question.head()
    if len(str(question.body.get("id_or_num", ""))) == ID_HEX:
        block = _block_with_id(question, question.data("id_or_num"))
    elif "id_or_num" in question.body:
        block = _visible_block(question, question.number("id_or_num"))
    if block is None:
        return {}
    mined = question.node.mined_in(block.number) if question.body.get("detail") else ()
    return blocks.to_json(block, mined, visible=question.visible)


def blocks_by_range(question: Question) -> dict[str, Any]:
    """Show the blocks from startNum up to, and without, endNum."""
    start, end = question.number("startNum"), question.number("endNum")
    if not 0 < end - start <= MAX_BLOCKS:
        return {}
    found = [_visible_block(question, number) for number in range(start, end)]
    return {"block": [_show(question, block) for block in found if block]}


def latest_blocks(question: Question) -> dict[str, Any]:
    """Show the last blocks, the newest first."""
    count = question.number("num")
    if not 0 < count < MAX_BLOCKS:
        return {}
    head = question.head().number
    found = [_visible_block(question, number) for number in range(head, max(-1, head - count), -1)]
    return {"block": [_show(question, block) for block in found if block]}


def transaction_by_id(question: Question) -> dict[str, Any]:
    """Show a transaction, also one that still waits."""
    found = _find(question)
    if found:
        return transactions.to_json(found[1].transaction, visible=question.visible, result=found[1].result)
    return {} if question.solid else pending_by_id(question)


def transaction_info(question: Question) -> dict[str, Any]:
    """Tell what came of a transaction."""
    found = _find(question)
    return receipts.show(found[1].info, visible=question.visible) if found else {}


def transaction_infos(question: Question) -> list[dict[str, Any]]:
    """Tell what came of every transaction in a block."""
    block = _visible_block(question, question.number("num"))
    mined = question.node.mined_in(block.number) if block else ()
    return [receipts.show(entry.info, visible=question.visible) for entry in mined]


def transaction_count(question: Question) -> dict[str, Any]:
    """Count the transactions in a block."""
    block = _visible_block(question, question.number("num"))
    return {"count": len(question.node.mined_in(block.number)) if block else -1}


def pending_by_id(question: Question) -> dict[str, Any]:
    """Show a waiting transaction."""
    txid = question.data("value")
    waiting = [entry for entry in question.node.pending if entry.txid == txid]
    return transactions.to_json(waiting[0], visible=question.visible) if waiting else {}


def pending_ids(question: Question) -> dict[str, Any]:
    """List the waiting transactions."""
    return {"txId": [transaction.txid.hex() for transaction in question.node.pending]}


def pending_size(question: Question) -> dict[str, Any]:
    """Count the waiting transactions."""
    return {"pendingSize": len(question.node.pending)}


def _named(block: Block) -> str:
    return f"Num:{block.number},ID:{block.id.hex()}"


def _visible_block(question: Question, number: int) -> Block | None:
    return question.node.block(number) if number <= question.head().number else None


def _block_with_id(question: Question, block_id: bytes) -> Block | None:
    block = _visible_block(question, int.from_bytes(block_id[: blocks.NUMBER_BYTES]))
    return block if block and block.id == block_id else None


def _find(question: Question) -> tuple[int, Mined] | None:
    found = question.node.find(question.data("value"))
    return found if found and found[0] <= question.head().number else None


def _show(question: Question, block: Block | None) -> dict[str, Any]:
    if block is None:
        return {}
    return blocks.to_json(block, question.node.mined_in(block.number), visible=question.visible)
