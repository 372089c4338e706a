"""The proof that a payment keeps: transaction, receipt, log and linked block hashes; enough without anybody's database.

txid          the transaction
raw           its signed bytes, in hexadecimal: the txid is their hash, they say who paid whom how much
receipt       what its block says of it
log           the token's Transfer event (a native coin's payment has none)
chain         the blocks from its own to finality: first, last, how many, and all their hashes, each the next's parent
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chain import links, networks, token_abi
from chain.gateway import Gateway, Mismatch, Transfer

SUCCESS = (1, "SUCCESS")  # EVM's status, TRON's result


def evidence(transfer: Transfer, txid: str, receipt: Any, blocks: Sequence[links.Block]) -> dict[str, Any]:
    """What a gateway read about a transfer that is in the first of these linked blocks; the bytes are the watcher's."""
    shown = {name: value for name, value in asdict(receipt).items() if name != "logs"}
    proof = {"txid": txid, "receipt": shown, "chain": links.ends(blocks) | {"hashes": [block.hash for block in blocks]}}
    exact = event(transfer)
    return proof | ({"log": exact} if exact and token_abi.pays(transfer, receipt.logs) else {})


def problems(transfer: Transfer, proof: Mapping[str, Any], *, gateway: Gateway) -> list[str]:
    """What does not hold of a proof by itself; nothing is asked of the network."""
    missing = [name for name in ("txid", "raw", "receipt", "chain") if not proof.get(name)]
    if missing:
        return [f"the proof lacks {', '.join(missing)}"]
    found = _of_bytes(transfer, proof, gateway=gateway)
    exact = event(transfer)
    if exact and proof.get("log") != exact:
        found.append("the log is not the exact Transfer")
    return found + _of_chain(transfer, proof)


def differences(kept: Mapping[str, Any], read: Mapping[str, Any]) -> list[str]:
    """What a node tells otherwise than the proof: TRON's may have been shorter when it was written."""
    found = [
        f"the node shows another {name}" for name in ("txid", "receipt", "log") if kept.get(name) != read.get(name)
    ]
    ours, theirs = kept["chain"]["hashes"], read["chain"]["hashes"]
    if ours != theirs[: len(ours)]:
        number = kept["chain"]["first"]["number"]
        other = next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), len(theirs))
        found.append(f"block {number + other} has another hash there")
    return found


def _of_bytes(transfer: Transfer, proof: Mapping[str, Any], *, gateway: Gateway) -> list[str]:
    try:
        said = gateway.read(bytes.fromhex(proof["raw"]))
    except (ValueError, Mismatch) as wrong:
        return [f"the bytes are no payment: {wrong}"]
    found = [] if said.txid == proof["txid"] else ["the bytes have another txid"]
    return found if said.transfer == transfer else [*found, "the bytes pay something else"]


def _of_chain(transfer: Transfer, proof: Mapping[str, Any]) -> list[str]:
    chain, receipt = proof["chain"], proof["receipt"]
    hashes, first, last = chain.get("hashes") or [], chain["first"], chain["last"]
    row, found = networks.network(transfer.network), []
    if not hashes or (hashes[0], hashes[-1], len(hashes)) != (first["hash"], last["hash"], chain["blocks"]):
        return ["the stretch of blocks is not whole"]
    if first["number"] + len(hashes) - 1 != last["number"] or receipt["number"] != first["number"]:
        found.append("the heights do not fit")
    if row.family == "evm":
        if len(hashes) < row.confirmations:
            found.append(f"{len(hashes)} blocks, {row.title} needs {row.confirmations}")
        if receipt["block_hash"] != hashes[0] or receipt["status"] not in SUCCESS:
            found.append("the receipt is of another block, or no success")
    elif any(int(block[:16], 16) != first["number"] + at for at, block in enumerate(hashes)):
        found.append("a block id is of another height")  # java-tron writes the height into the id
    elif receipt["failed"] or (transfer.contract and receipt["result"] not in SUCCESS):
        found.append("the receipt is no success")
    return found


def event(transfer: Transfer) -> dict[str, Any] | None:
    """The event that the payment must leave, as the proof writes it."""
    if transfer.contract == networks.NATIVE:
        return None
    exact = token_abi.exact(transfer)
    return {
        "contract": exact.contract.hex(),
        "topics": [topic.hex() for topic in exact.topics],
        "data": exact.data.hex(),
    }
