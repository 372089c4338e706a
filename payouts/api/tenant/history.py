"""What moved a tenant's main balances: the ledger's statements of every asset, put together by time."""

import heapq
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from chain import codes
from chain.assets import ASSETS
from ledger import balances
from ledger.accounts import Purpose, Ref
from ledger.balances import Direction, Entry
from ledger.posting import Kind
from payouts.api.tenant import wire
from payouts.merchants.models import Merchant

STRETCH = 200  # entries per question
HOMES = ("tron", "ethereum", "bsc", "arbitrum", "optimism", "base")  # under which code an asset's entries are shown
# fmt: off
TYPES: Mapping[str, frozenset[str]] = {
    "deposit":    frozenset({Kind.DEPOSIT}),
    "withdrawal": frozenset({Kind.FREEZE}),
    "refund":     frozenset({Kind.REFUND}),
    "transfer":   frozenset({Kind.TRANSFER}),
    "conversion": frozenset({Kind.CONVERT}),
    "credit":     frozenset({Kind.CREDIT_DRAW, Kind.CREDIT_REPAY}),
    "adjustment": frozenset({Kind.ADJUST}),
}
# fmt: on
NAMES = {kind: name for name, kinds in TYPES.items() for kind in kinds}


def page(merchant: Merchant, *, code: codes.Code | None, kind: str, limit: int, offset: int) -> dict[str, Any]:
    """A stretch of the entries, newest first, and how many there are: of one currency's asset or of all."""
    assets = [code.asset] if code else [*ASSETS]
    refs = [Ref(merchant.id, merchant.id, asset, Purpose.AVAILABLE) for asset in assets]
    opened = {ref: held for ref, held in balances.of(refs).items() if held.seq}
    streams = [_entries(ref, kind) for ref in opened]
    merged = heapq.merge(*streams, key=lambda one: (one[1].at, one[1].event.bytes), reverse=True)
    before = sum(1 for _ in itertools.islice(merged, offset))
    shown = [_shown(ref, entry, code) for ref, entry in itertools.islice(merged, limit)]
    # An account's sequence has no gaps; of one type only a look at all of them tells how many there are.
    behind = sum(1 for _ in merged) if kind else 0
    total = before + len(shown) + behind if kind else sum(held.seq for held in opened.values())
    return {"transactions": shown, "total": total}


def _entries(ref: Ref, kind: str) -> Iterator[tuple[Ref, Entry]]:
    """An account's entries of one type, or all of them, newest first; read as far as somebody asks."""
    wanted, before = TYPES.get(kind), None
    while entries := balances.statement(ref, limit=STRETCH, before_seq=before).entries:
        yield from ((ref, entry) for entry in entries if wanted is None or entry.kind in wanted)
        before = entries[-1].seq


def _shown(ref: Ref, entry: Entry, code: codes.Code | None) -> dict[str, Any]:
    return {
        "id": str(entry.event),
        "type": NAMES.get(entry.kind, entry.kind.lower()),
        "direction": "in" if entry.direction == Direction.CREDIT else "out",
        **wire.currency(code or _home(ref.asset)),
        "amount": wire.amount(ref.asset, entry.amount_units),
        "balance_after": wire.amount(ref.asset, entry.balance_after_units),
        "reference": entry.reference or None,
        "created_at": wire.moment(entry.at),
    }


def _home(asset: str) -> codes.Code:
    known = {row.network: row for row in codes.CODES.values() if row.asset == asset}
    return next(known[network] for network in HOMES if network in known)
