"""Check what the ledger exported, without the ledger: needs this file, the standard library and a hash that you trust.

    python verify.py event.json --root HEX        is this event in the book?
    python verify.py chain.txt [--root HEX]       does the whole chain of blocks hold, and every running balance in it?

The root is a block's hash, as the operator published it (on a chain, in a letter): it covers that block and all before
it. A file alone can agree with itself and be forged from end to end, so an event is never called proved without a root.

Exit status: 0 it holds, 1 it does not, 2 it cannot be said.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COLUMNS = (
    "book", "id", "txn", "kind", "source", "target", "amount", "source_seq", "target_seq", "source_balance",
    "target_balance", "reference", "request_hash", "data", "at", "xid",
)  # fmt: skip
PARTS = ("number", "previous", "xid_from", "xid_to", "xid_next", "events", "events_total", "root", "sealed_at")
NOTHING = "00" * 32  # what the first block follows
EVENT_FORMAT = "sluice-event-1"
CHAIN_FORMAT = "sluice-chain-1"
SAMPLE = 20

Block = Mapping[str, Any]  # PARTS and "hash": hashes in hexadecimal, numbers as int, sealed_at in µs since 1970


class Malformed(Exception):
    """The file is not what it should be."""


# --- The tree: RFC 6962, section 2.1 ----------------------------------------------------------------------------------


def leaf(line: bytes) -> bytes:
    """The hash of an event's line."""
    return hashlib.sha256(b"\x00" + line).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash over all leaves, at least one."""
    return _levels(leaves)[-1][0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What it takes besides a leaf to come to the root: the neighbour on every level where there is one."""
    neighbours = []
    for level in _levels(leaves)[:-1]:
        if index ^ 1 < len(level):
            neighbours.append(level[index ^ 1])
        index //= 2
    return neighbours


def root_by_path(start: bytes, index: int, width: int, neighbours: Sequence[bytes]) -> bytes | None:
    """The root of a tree of so many leaves that has this leaf at that index; None when the path does not fit."""
    if not 0 <= index < width:
        return None
    current, left = start, list(neighbours)
    while width > 1:
        if index ^ 1 < width:
            if not left:
                return None
            neighbour = left.pop(0)
            current = node(neighbour, current) if index % 2 else node(current, neighbour)
        index, width = index // 2, (width + 1) // 2
    return None if left else current


def _levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    levels, sha256 = [leaves], hashlib.sha256
    while len(levels[-1]) > 1:
        level = levels[-1]
        above = [sha256(b"\x01" + one + other).digest() for one, other in zip(level[::2], level[1::2], strict=False)]
        levels.append(above + list(level[-1:]) if len(level) % 2 else above)
    return levels


# --- Lines and blocks -------------------------------------------------------------------------------------------------


def line(event: Mapping[str, str]) -> bytes:
    """An event's line, as it was sealed, from its columns as text.

    Raises: Malformed.
    """
    if set(event) != set(COLUMNS) or not all(isinstance(value, str) for value in event.values()):
        raise Malformed(f"an event has exactly these columns, as text: {', '.join(COLUMNS)}")
    fields = [json.dumps(event[name], ensure_ascii=False) if name == "reference" else event[name] for name in COLUMNS]
    if any("\t" in text or "\n" in text for text in fields):
        raise Malformed("a column of the event holds a tab or a newline")
    return "\t".join(fields).encode()


def columns(text: str) -> dict[str, str]:
    """The columns of a sealed line; line() puts them together again."""
    event = dict(zip(COLUMNS, text.split("\t"), strict=True))
    return event | {"reference": json.loads(event["reference"])}


def block_hash(block: Block) -> str:
    """The hash of a block: over all its parts, the hash of the block before among them."""
    return hashlib.sha256("|".join(["sluice block 1", *(str(block[name]) for name in PARTS)]).encode()).hexdigest()


def link_problems(blocks: Iterable[Block], *, after: Block | None = None) -> list[str]:
    """What does not hold in a row of blocks, each following the one before; without `after` from anywhere on."""
    problems, before = [], after
    for block in blocks:
        problems += [f"block {block['number']}: {what}" for what in _link(block, before)]
        before = block
    return problems


def _link(block: Block, before: Block | None) -> Iterable[str]:
    if block_hash(block) != block["hash"]:
        yield "its hash is not the hash of its parts"
    if before is None:
        return
    if block["number"] != before["number"] + 1:
        yield f"follows block {before['number']}"
    if block["previous"] != before["hash"]:
        yield "does not name the block before by its hash"
    if block["xid_from"] != before["xid_to"]:
        yield "does not begin where the block before ends"
    if block["events_total"] != before["events_total"] + block["events"]:
        yield "does not count on from the block before"


BEFORE_ALL: Block = {"number": 0, "hash": NOTHING, "xid_to": 0, "events_total": 0}


# --- One event --------------------------------------------------------------------------------------------------------


def event_problems(document: Mapping[str, Any], trusted: str) -> list[str]:
    """Why this event is not in the book that the trusted block hash covers; nothing when it is."""
    blocks = document["blocks"]
    problems = link_problems(blocks)
    sealed = blocks[0]
    neighbours = [bytes.fromhex(text) for text in document["path"]]
    found = root_by_path(leaf(line(document["event"])), document["index"], sealed["events"], neighbours)
    if found is None or found.hex() != sealed["root"]:
        problems.append(f"the event does not lead to the root of block {sealed['number']}")
    if trusted not in [block["hash"] for block in blocks]:
        problems.append(f"no block of the proof has the hash {trusted}")
    return problems


# --- The whole chain --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stretch:
    """A gapless piece of an account's history: what stood before its first event, and what after its last one."""

    first_seq: int
    before: int
    last_seq: int
    after: int
    xid_next: int  # of the block that holds the first event


@dataclass(slots=True)
class Part:
    """What one process found in some blocks that follow one another."""

    events: int = 0
    problems: list[str] = field(default_factory=list)
    histories: dict[bytes, list[Stretch]] = field(default_factory=dict)


def chain_problems(file: Path, trusted: str | None, *, processes: int = 0) -> tuple[list[str], str, str]:
    """What does not hold in an exported chain, what was looked at, and the newest block's hash."""
    started = time.perf_counter()
    blocks = _blocks(file)
    headers = [block for block, _ in blocks]
    problems = link_problems(headers, after=BEFORE_ALL)
    if trusted is not None and trusted not in [block["hash"] for block in headers]:
        problems.append(f"no block has the hash {trusted}: the chain is another one, or its end was cut off")
    parts = _in_parallel(file, blocks, processes or os.cpu_count() or 1)
    problems += [problem for part in parts for problem in part.problems]
    edge = headers[-1]["xid_to"] if headers else 0
    more, accounts, waiting = _join_histories([part.histories for part in parts], edge)
    events, seconds = sum(part.events for part in parts), time.perf_counter() - started
    looked = f"{len(headers):,} blocks, {events:,} events, {accounts:,} accounts in {seconds:.2f} s"
    looked += f" ({events / seconds:,.0f} events/s)"
    if waiting:
        looked += f"; {waiting:,} accounts have earlier events that no block holds yet"
    return problems + more, looked, headers[-1]["hash"] if headers else NOTHING


def _blocks(file: Path) -> list[tuple[Block, int]]:
    """Every block's header, and where in the file its events begin."""
    found: list[tuple[Block, int]] = []
    with file.open("rb") as stream:
        if json.loads(stream.readline()) != {"format": CHAIN_FORMAT, "columns": list(COLUMNS)}:
            raise Malformed(f"the file does not begin as a {CHAIN_FORMAT} of these columns")
        while text := stream.readline():
            block = json.loads(text)
            found.append((block, stream.tell()))
            stream.seek(int(block["bytes"]), os.SEEK_CUR)
        if stream.tell() != file.stat().st_size:
            raise Malformed("the file ends in the middle of a block")
    return found


def _in_parallel(file: Path, blocks: Sequence[tuple[Block, int]], processes: int) -> list[Part]:
    total, share = sum(block["bytes"] for block, _ in blocks), 0
    shares: list[list[tuple[Block, int]]] = [[] for _ in range(processes)]
    for block, offset in blocks:
        shares[min(processes - 1, share * processes // max(total, 1))].append((block, offset))
        share += block["bytes"]
    jobs = [(file, mine) for mine in shares if mine]
    if len(jobs) < 2:  # noqa: PLR2004 - one job needs no second process
        return [check_part(*job) for job in jobs]
    with multiprocessing.get_context("spawn").Pool(len(jobs)) as pool:
        return pool.starmap(check_part, jobs)


def check_part(file: Path, blocks: Sequence[tuple[Block, int]]) -> Part:
    """Compute the roots of some blocks again, and follow the accounts through them."""
    part = Part()
    sha256 = hashlib.sha256
    with file.open("rb") as stream:
        for block, offset in blocks:
            stream.seek(offset)
            lines = stream.read(block["bytes"]).split(b"\n")
            if lines.pop() != b"" or len(lines) != block["events"]:
                part.problems.append(f"block {block['number']}: holds {len(lines)} events, sealed {block['events']}")
            if not lines or root([sha256(b"\x00" + text).digest() for text in lines]).hex() != block["root"]:
                part.problems.append(f"block {block['number']}: its events do not lead to its root")
            part.events += len(lines)
            follow(part.histories, lines, int(block["xid_next"]))
    return part


def follow(histories: dict[bytes, list[Stretch]], lines: Iterable[bytes], xid_next: int) -> None:
    """Add the two legs of every event to the histories of its accounts."""
    for text in lines:
        _, _, _, _, source, target, amount, source_seq, target_seq, source_balance, target_balance, _ = text.split(
            b"\t", 11
        )
        units = int(amount)
        for account, seq, after, change in (
            (source, int(source_seq), int(source_balance), -units),
            (target, int(target_seq), int(target_balance), units),
        ):
            history = histories.get(account)
            if history is None:
                histories[account] = [Stretch(seq, after - change, seq, after, xid_next)]
                continue
            last = history[-1]
            if seq == last.last_seq + 1 and after - change == last.after:
                last.last_seq, last.after = seq, after
            else:
                history.append(Stretch(seq, after - change, seq, after, xid_next))


def _join_histories(parts: Sequence[Mapping[bytes, list[Stretch]]], edge: int) -> tuple[list[str], int, int]:
    """Problems, the number of accounts, and how many wait for an event that a running transaction kept unsealed.

    An event may be sealed before the one before it on its account: its transaction began earlier and ended later. Then
    the missing one is of a transaction at or after the chain's edge that had begun when the later event was sealed.
    """
    problems, waiting = [], 0
    accounts = {account for part in parts for account in part}
    for account in accounts:
        stretches = sorted((one for part in parts for one in part.get(account, ())), key=lambda one: one.first_seq)
        seq, balance, waits = 0, 0, False
        for one in stretches:
            gap = one.first_seq - seq - 1
            if gap < 0 or (gap == 0 and one.before != balance) or (gap > 0 and one.xid_next <= edge):
                problems.append(f"account {account.decode()}: its history breaks at number {one.first_seq}")
            waits = waits or gap > 0
            seq, balance = one.last_seq, one.after
        waiting += waits
    return problems, len(accounts), waiting


# --- The command line -------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str], say: Callable[[str], object] = print) -> int:
    """Check a file; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="an exported event with its proof, or an exported chain")
    parser.add_argument("--root", type=str.lower, help="a block's hash that you trust, in hexadecimal")
    asked = parser.parse_args(arguments)
    try:
        return _event(asked.file, asked.root, say) if _is_event(asked.file) else _chain(asked.file, asked.root, say)
    except (Malformed, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        say(f"DOES NOT HOLD: the file cannot be read: {error!r}")
        return 1


def _is_event(file: Path) -> bool:
    with file.open("rb") as stream:
        return CHAIN_FORMAT.encode() not in stream.readline()


def _event(file: Path, trusted: str | None, say: Callable[[str], object]) -> int:
    document = json.loads(file.read_bytes())
    if document["format"] != EVENT_FORMAT:
        raise Malformed(f"not a {EVENT_FORMAT}")
    newest = document["blocks"][-1]
    problems = event_problems(document, trusted or newest["hash"])
    for problem in problems:
        say(f"DOES NOT HOLD: {problem}")
    if problems:
        return 1
    if trusted is None:
        say(f"CANNOT SAY: the proof leads to block {newest['number']} with the hash {newest['hash']}: yours?")
        return 2
    say(f"IN THE BOOK: event {document['event']['id']}, sealed in block {document['blocks'][0]['number']}")
    return 0


def _chain(file: Path, trusted: str | None, say: Callable[[str], object]) -> int:
    problems, looked, newest = chain_problems(file, trusted)
    say(looked)
    for problem in problems[:SAMPLE]:
        say(f"DOES NOT HOLD: {problem}")
    if problems[SAMPLE:]:
        say(f"… and {len(problems) - SAMPLE:,} more")
    if not problems:
        say(f"THE CHAIN HOLDS; the hash of its newest block is {newest}")
        say("it is the trusted one's chain" if trusted else "compare it with one that you trust: --root")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
