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
from dataclasses import dataclass
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
WORTH_A_PROCESS = 10_000_000  # bytes

Block = Mapping[str, Any]  # PARTS and "hash": hashes in hexadecimal, numbers as int, sealed_at in µs since 1970
Found = tuple[list[str], list["Stretch"]]  # problems, and the accounts' histories
BEFORE_ALL: Block = {"number": 0, "hash": NOTHING, "xid_to": 0, "events_total": 0}


class Malformed(Exception):
    """The file is not what it should be."""


def leaf(line: bytes) -> bytes:
    """The hash of an event's line."""
    return hashlib.sha256(b"\x00" + line).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash over all leaves, at least one."""
    return levels(leaves)[-1][0]


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
            current = hashlib.sha256(b"\x01" + (neighbour + current if index % 2 else current + neighbour)).digest()
        index, width = index // 2, (width + 1) // 2
    return None if left else current


def levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The tree, from its leaves up to its root; a node without a partner moves up."""
    tree, sha256 = [leaves], hashlib.sha256
    while len(tree[-1]) > 1:
        level = tree[-1]
        above = [sha256(b"\x01" + one + other).digest() for one, other in zip(level[::2], level[1::2], strict=False)]
        tree.append(above + list(level[-1:]) if len(level) % 2 else above)
    return tree


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
    if before is not None:
        total = before["events_total"] + block["events"]
        wanted = (before["number"] + 1, before["hash"], before["xid_to"], total)
        for name, value in zip(("number", "previous", "xid_from", "events_total"), wanted, strict=True):
            if block[name] != value:
                yield f"its {name} is {block[name]}, after the block before it must be {value}"


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


@dataclass(slots=True)
class Stretch:
    """A gapless piece of an account's history: the numbers and balances before its first and after its last event."""

    account: bytes
    first: int
    before: int
    last: int
    after: int
    xid_next: int  # of the block that holds its first event


def chain_problems(file: Path, trusted: str | None, *, processes: int = 0) -> tuple[list[str], str, Sequence[Block]]:
    """What does not hold in an exported chain, what was looked at, and the blocks' headers."""
    started = time.perf_counter()
    placed = _blocks(file)
    blocks = [block for block, _ in placed]
    problems = link_problems(blocks, after=BEFORE_ALL)
    if trusted is not None and trusted not in [block["hash"] for block in blocks]:
        problems.append(f"no block has the hash {trusted}: the chain is another one, or its end was cut off")
    stretches: list[Stretch] = []
    for found, followed in _in_parallel(file, placed, processes or os.cpu_count() or 1):
        problems += found
        stretches += followed
    more, accounts, waiting = _join(stretches, blocks[-1]["xid_to"] if blocks else 0)
    events, seconds = sum(block["events"] for block in blocks), time.perf_counter() - started
    looked = f"{len(blocks):,} blocks, {events:,} events, {accounts:,} accounts, {waiting:,} of them with earlier"
    looked += f" events that no block holds yet; {seconds:.2f} s ({events / seconds:,.0f} events/s)"
    return problems + more, looked, blocks


def _blocks(file: Path) -> list[tuple[Block, int]]:
    """Every block's header, and where in the file its events begin."""
    found: list[tuple[Block, int]] = []
    with file.open("rb") as stream:
        if json.loads(stream.readline()) != {"format": CHAIN_FORMAT, "columns": list(COLUMNS)}:
            raise Malformed(f"the file does not begin as a {CHAIN_FORMAT} of these columns")
        while text := stream.readline():
            block = json.loads(text)
            if block["bytes"] < 0:
                raise Malformed("a block of less than nothing")
            found.append((block, stream.tell()))
            stream.seek(block["bytes"], os.SEEK_CUR)
        if stream.tell() != file.stat().st_size:
            raise Malformed("the file ends in the middle of a block")
    return found


def _in_parallel(file: Path, placed: Sequence[tuple[Block, int]], processes: int) -> list[Found]:
    """Check the blocks in so many processes, each some that follow one another."""
    total, before = sum(block["bytes"] for block, _ in placed), 0
    shares: list[list[tuple[Block, int]]] = [[] for _ in range(processes)]
    for block, offset in placed:
        shares[min(processes - 1, before * processes // max(total, 1))].append((block, offset))
        before += block["bytes"]
    mine, *others = [(file, share) for share in shares if share] or [(file, [])]
    if not others or total < WORTH_A_PROCESS:
        return [check_part(*job) for job in (mine, *others)]
    with multiprocessing.get_context("spawn").Pool(len(others)) as pool:
        theirs = pool.starmap_async(check_part, others)
        return [check_part(*mine), *theirs.get()]


def check_part(file: Path, placed: Sequence[tuple[Block, int]]) -> Found:
    """Compute the roots of some blocks again, and follow the accounts through them."""
    problems: list[str] = []
    followed: list[Stretch] = []
    newest: dict[bytes, Stretch] = {}
    sha256 = hashlib.sha256
    with file.open("rb") as stream:
        for block, offset in placed:
            stream.seek(offset)
            lines = stream.read(block["bytes"]).split(b"\n")
            if lines.pop() != b"" or len(lines) != block["events"]:
                problems.append(f"block {block['number']}: sealed {block['events']} events, there are {len(lines)}")
            elif root([sha256(b"\x00" + text).digest() for text in lines]).hex() != block["root"]:
                problems.append(f"block {block['number']}: its events are not those that it sealed")
            followed += _follow(newest, lines, block["xid_next"])
    return problems, followed


def _follow(newest: dict[bytes, Stretch], lines: Iterable[bytes], xid_next: int) -> Iterable[Stretch]:
    """Go on with the stretches of every event's two accounts; the new ones that begin."""
    known = newest.get
    for text in lines:
        _, _, _, _, source, target, amount, source_seq, target_seq, source_balance, target_balance, _ = text.split(
            b"\t", 11
        )
        units = int(amount)
        for account, seq, balance, change in (
            (source, int(source_seq), int(source_balance), -units),
            (target, int(target_seq), int(target_balance), units),
        ):
            last = known(account)
            if last is not None and seq == last.last + 1 and balance == last.after + change:
                last.last, last.after = seq, balance
            else:
                newest[account] = begun = Stretch(account, seq - 1, balance - change, seq, balance, xid_next)
                yield begun


def _join(stretches: list[Stretch], edge: int) -> tuple[list[str], int, int]:
    """Problems, the number of accounts, and how many wait for an event that a running transaction kept unsealed.

    An event may be sealed before the one before it on its account: its transaction began earlier and ended later. Then
    the missing one is of a transaction at or after the chain's edge that had begun when the later event was sealed.
    """
    problems: list[str] = []
    ends: dict[bytes, Stretch] = {}
    waiting: set[bytes] = set()
    for one in sorted(stretches, key=lambda one: (one.account, one.first)):
        end = ends.get(one.account)
        seq, balance = (end.last, end.after) if end else (0, 0)
        if (
            one.first < seq
            or (one.first == seq and one.before != balance)
            or (one.first > seq and one.xid_next <= edge)
        ):
            problems.append(f"account {one.account.decode()}: its history breaks at number {one.first + 1}")
        if one.first > seq:
            waiting.add(one.account)
        ends[one.account] = one
    return problems, len(ends), len(waiting)


def main(arguments: Sequence[str], say: Callable[[str], object] = print) -> int:
    """Check a file; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="an exported event with its proof, or an exported chain")
    parser.add_argument("--root", type=str.lower, help="a block's hash that you trust, in hexadecimal")
    asked = parser.parse_args(arguments)
    try:
        with asked.file.open("rb") as stream:
            check = _chain if CHAIN_FORMAT.encode() in stream.readline() else _event
        status, problems, told = check(asked.file, asked.root)
    except (Malformed, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        status, problems, told = 1, [f"the file cannot be read: {error!r}"], []
    for problem in problems[:SAMPLE]:
        say(f"DOES NOT HOLD: {problem}")
    for text in [f"… and {len(problems) - SAMPLE:,} more"] * (len(problems) > SAMPLE) + told:
        say(text)
    return 1 if problems else status


def _event(file: Path, trusted: str | None) -> tuple[int, list[str], list[str]]:
    document = json.loads(file.read_bytes())
    if document["format"] != EVENT_FORMAT:
        raise Malformed(f"not a {EVENT_FORMAT}")
    first, newest = document["blocks"][0], document["blocks"][-1]
    problems = event_problems(document, trusted or newest["hash"])
    if problems:
        return 1, problems, []
    if trusted is None:
        return 2, [], [f"CANNOT SAY: it is in the chain whose block {newest['number']} is {newest['hash']}: yours?"]
    return 0, [], [f"IN THE BOOK: event {document['event']['id']}, sealed in block {first['number']}"]


def _chain(file: Path, trusted: str | None) -> tuple[int, list[str], list[str]]:
    problems, looked, blocks = chain_problems(file, trusted)
    if problems:
        return 1, problems, [looked]
    holds = f"THE CHAIN HOLDS up to block {len(blocks)} with the hash {blocks[-1]['hash'] if blocks else NOTHING}"
    covered = next((block["number"] for block in blocks if block["hash"] == trusted), 0)
    trust = f"the trusted hash covers {covered} blocks of it" if trusted else "compare that with one you trust: --root"
    return 0, [], [looked, holds, trust]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
