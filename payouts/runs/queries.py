"""Reads of payout runs: how far they are, row by row and in sum, and what people should look at twice."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet, Sum

from chain import units
from payouts.merchants.models import Merchant
from payouts.runs.models import Run, RunRow
from payouts.withdrawals import limits, steps
from payouts.withdrawals.models import Status, Withdrawal

RECENTLY = timedelta(days=7)
PAGE = 2_000
HEADER = ("line", "address", "amount", "network", "reference", "status", "withdrawal", "transaction", "error")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run's payments are; amounts in the asset's ledger units, fees left out."""

    good: int
    counts: Mapping[str, int]
    net_units: Mapping[str, int]

    @property
    def made(self) -> int:
        """How many are withdrawals by now."""
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """How many need nothing more."""
        return sum(self.counts.get(status, 0) for status in steps.FINAL)

    @property
    def completed(self) -> int:
        """How many have arrived."""
        return self.counts.get(Status.COMPLETED, 0)


@dataclass(frozen=True, slots=True)
class Notices:
    """What a person should know before a code is typed."""

    new_recipients: int
    paid_recently: int


def of(merchant: Merchant) -> QuerySet[Run]:
    """The merchant's runs, newest first."""
    return Run.objects.filter(merchant=merchant).order_by("-id")


def withdrawals(run: Run) -> QuerySet[Withdrawal]:
    """What has been made of it."""
    return Withdrawal.objects.filter(id__in=RunRow.objects.filter(run=run, fault="").values("id"))


def progress(run: Run) -> Progress:
    """How many of its payments are where."""
    rows = withdrawals(run).values("status").annotate(number=Count("id"), units=Sum("net_units"))
    found = {row["status"]: row for row in rows.order_by("status")}
    return Progress(
        run.rows_good,
        {status: row["number"] for status, row in found.items()},
        {status: int(row["units"]) for status, row in found.items()},
    )


def rows(run: Run, *, faulty: bool = False, after: int = 0, limit: int = 50) -> list[tuple[RunRow, Withdrawal | None]]:
    """A page of its rows in their order, each with its withdrawal where it is made."""
    found = RunRow.objects.filter(run=run, number__gt=after).order_by("number")
    page = list((found.exclude(fault="") if faulty else found)[:limit])
    made = Withdrawal.objects.in_bulk([row.id for row in page])
    return [(row, made.get(row.id)) for row in page]


_NOTICES = """
WITH good AS (SELECT network, destination, amount_units FROM payouts_runrow WHERE run_id = %(run)s AND fault = '')
SELECT (SELECT count(DISTINCT (network, destination)) FROM good WHERE destination NOT IN (
            SELECT destination FROM payouts_withdrawal WHERE merchant_id = %(merchant)s AND status = 'COMPLETED')),
       (SELECT count(*) FROM good WHERE (network, destination, amount_units) IN (
            SELECT network, destination, amount_units FROM payouts_withdrawal
            WHERE merchant_id = %(merchant)s AND created_at > %(since)s AND NOT status = ANY(%(returned)s)))
"""


def notices(run: Run, *, now: datetime) -> Notices:
    """Count, of a run that is not confirmed yet, new recipients and payments that look like ones of the last days."""
    returned = [str(status) for status in limits.RETURNED]
    asked: dict[str, Any] = {"run": run.id, "merchant": run.merchant_id, "since": now - RECENTLY, "returned": returned}
    with transaction.atomic(), connection.cursor() as cursor:
        # Rows of a moment ago have no statistics yet, and a loop over them would take minutes.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_NOTICES, asked)
        return Notices(*cursor.fetchone())


def by_network(run: Run) -> Sequence[tuple[str, int, int]]:
    """Network, how many payments, and their amounts in ledger units."""
    found = (
        RunRow.objects.filter(run=run, fault="")
        .values("network")
        .annotate(number=Count("id"), units=Sum("amount_units"))
    )
    return [(row["network"], row["number"], int(row["units"])) for row in found.order_by("network")]


class _Line:
    """What csv.writer writes to: the line itself."""

    def write(self, text: str) -> str:
        """Hand it back."""
        return text


def lines(run: Run, *, faulty: bool = False) -> Iterator[str]:
    """The rows with what became of each as CSV, page by page: a run is never in memory as a whole."""
    writer, after = csv.writer(_Line()), 0
    yield writer.writerow(HEADER)
    while page := rows(run, faulty=faulty, after=after, limit=PAGE):
        for row, made in page:
            yield writer.writerow([*map(_harmless, _cells(run, row, made))])
        after = page[-1][0].number


def _cells(run: Run, row: RunRow, made: Withdrawal | None) -> tuple[str, ...]:
    given = (row.address_text, row.amount_text, row.network_text)
    meant = (row.destination, units.text(run.asset, int(row.amount_units), 2), row.network)
    return (
        str(row.number),
        *(given if row.fault else meant),
        row.reference,
        _status(row, made),
        str(made.id) if made else "",
        (made.txid or "") if made else "",
        row.fault or (made.reason if made else ""),
    )


def _status(row: RunRow, made: Withdrawal | None) -> str:
    if row.fault:
        return "FAULTY"
    return made.status if made else "NOT_MADE"


def _harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
