"""The seals' part of prove(): every block's root computed again from the events, every link, every anchor."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import connection

from ledger import seals, verify
from ledger.models import Anchor, Block

Anchors = Iterable[tuple[int, str]]  # a block's number and its hash in hexadecimal, as a chain holds them


@dataclass(slots=True)
class Findings:
    """What was looked at, and what does not hold."""

    blocks: int = 0
    events: int = 0
    unsealed: int = 0
    anchors: int = 0
    problems: list[str] = field(default_factory=list)

    def lines(self, *, with_anchors: bool) -> Iterator[str]:
        """What prove() says was checked."""
        yield (
            f"{self.blocks:,} blocks: chained by hash, {self.events:,} events lead to their roots;"
            f" {self.unsealed:,} events not sealed yet"
        )
        if with_anchors:
            yield f"{self.anchors:,} anchors read back and compared"


def check(anchors: Anchors | None) -> Findings:
    """Look at every block and the events that belong into it, in the caller's transaction: one moment."""
    findings = Findings()
    before = verify.BEFORE_ALL
    for blocks in seals.batches():
        headers = [seals.header(block) for block in blocks]
        findings.problems += verify.link_problems(headers, after=before)
        before = headers[-1]
        for block, leaves in seals.contents(blocks, verify.leaf):
            _check_block(block, leaves, findings)
    _check_edge(before, findings)
    _check_anchors(anchors, findings)
    return findings


def _check_block(block: Block, leaves: list[bytes], findings: Findings) -> None:
    findings.blocks += 1
    findings.events += len(leaves)
    if len(leaves) != block.events:
        findings.problems.append(f"block {block.number}: sealed {block.events} events, there are {len(leaves)}")
    elif verify.root(leaves) != bytes(block.root):
        findings.problems.append(f"block {block.number}: its events are not those that it sealed")


def _check_edge(newest: verify.Block, findings: Findings) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE xid >= %(edge)s::text::xid8),"
            " pg_snapshot_xmax(pg_current_snapshot()) < %(edge)s::text::xid8 FROM ledger_event",
            {"edge": str(newest["xid_to"])},
        )
        findings.unsealed, went_back = cursor.fetchone()
    if went_back:
        findings.problems.append(
            f"block {newest['number']}: sealed transactions up to {newest['xid_to']}, the database numbers them lower"
        )


def _check_anchors(anchors: Anchors | None, findings: Findings) -> None:
    """Without a reader nothing is said about anchors; with one, every anchor that is known here must be found there."""
    if anchors is None:
        return
    public = set()
    for number, claimed in anchors:
        findings.anchors += 1
        public.add(number)
        block = Block.objects.filter(number=number).first()
        if block is None:
            findings.problems.append(f"block {number}: is anchored and not here: the chain's end was cut off")
        elif bytes(block.hash).hex() != claimed.lower().removeprefix("0x"):
            findings.problems.append(f"block {number}: is anchored with the hash {claimed}, here it has another")
    for anchor in Anchor.objects.exclude(block__in=public).order_by("block"):
        findings.problems.append(
            f"block {anchor.block}: its anchor in {anchor.txid} on {anchor.network} was not found there"
        )
