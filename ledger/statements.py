"""Whole statements, however long: read in stretches of the account's sequence, written as CSV while they are read."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from decimal import Decimal
from io import StringIO

from ledger import balances
from ledger.accounts import Ref
from ledger.balances import Entry

STRETCH = 1000  # entries per query: memory stays flat, and no transaction is open while a slow reader takes his time
MAX_PLACES = 30
HEADER = ("seq", "at", "kind", "direction", "amount", "balance_after", "asset", "reference", "txn", "event", "data")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


def entries(ref: Ref, *, after_seq: int = 0, before_seq: int | None = None) -> Iterator[Entry]:
    """The account's entries between two places, the oldest first, up to what there is at the first look."""
    total = balances.balance(ref).seq
    end = total + 1 if before_seq is None else min(before_seq, total + 1)
    while after_seq + 1 < end:
        page = balances.statement(ref, limit=STRETCH, newest_first=False, after_seq=after_seq, before_seq=end)
        if not page.entries:
            return
        yield from page.entries
        after_seq = page.entries[-1].seq


def as_csv(ref: Ref, *, places: int = 0, after_seq: int = 0, before_seq: int | None = None) -> Iterator[str]:
    """The same as the lines of a CSV file, some at a time; texts that a spreadsheet would run begin with an apostrophe.

    Units: the asset's smallest ledger unit, shifted by `places` (USDT in whole coins: 6).
    Raises: ValueError for an odd number of places.
    """
    if not 0 <= places <= MAX_PLACES:
        raise ValueError(f"{places} decimal places")
    yield _lines([HEADER])
    rows: list[tuple[str, ...]] = []
    for entry in entries(ref, after_seq=after_seq, before_seq=before_seq):
        rows.append(_row(ref, entry, places=places))
        if len(rows) == STRETCH:
            yield _lines(rows)
            rows.clear()
    yield _lines(rows)


def plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def _row(ref: Ref, entry: Entry, *, places: int) -> tuple[str, ...]:
    return (
        str(entry.seq),
        entry.at.astimezone(UTC).isoformat(),
        entry.kind,
        entry.direction,
        _amount(entry.amount_units, places),
        _amount(entry.balance_after_units, places),
        ref.asset,
        plain(entry.reference),
        str(entry.txn),
        str(entry.event),
        plain(json.dumps(entry.data, ensure_ascii=False) if entry.data else ""),
    )


def _amount(units: int, places: int) -> str:
    """Exact at any length: a Decimal is made of its digits, not computed under a context's precision."""
    sign, digits = int(units < 0), tuple(map(int, str(abs(units))))
    return format(Decimal((sign, digits, -places)), "f")


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
