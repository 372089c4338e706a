"""Payout runs in the `merchant` API's shapes: ours, since the document knows single withdrawals alone."""

import io
from collections.abc import Callable, Iterable
from typing import Any

from payouts.api import base, ids
from payouts.api.merchant import wire
from payouts.runs import queries, reading
from payouts.runs.models import Run, RunRow, State
from payouts.withdrawals.models import Withdrawal

public_id, parse_id = ids.RUN.text, ids.RUN.parse
FIELDS = frozenset({"withdrawals"})
ROW_FIELDS = frozenset({"amount", "destination_address", "network", "reference"})
SHOWN_FAULTS = 100
FIRST_ROW = 1
STATES = {
    State.CHECKED: "CHECKED",
    State.CONFIRMED: "PROCESSING",
    State.MADE: "CREATED",
    State.CANCELLING: "CANCELLING",
    State.CANCELLED: "CANCELLED",
}


class Faulty(Exception):
    """Rows of the run cannot be paid, so that nothing of it is."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"{run.rows_faulty} of {run.rows_total} rows cannot be paid")
        faulty = queries.rows(run, faulty=True, limit=SHOWN_FAULTS)
        self.rows = [{"row": row.number, "error": row.fault} for row, _ in faulty]

    def said(self) -> dict[str, Any]:
        """The answer: how many, and the first of them."""
        return {"error": str(self), "rows": self.rows}


def rows(data: Any) -> tuple[Callable[[], Iterable[reading.Raw]], bytes | None]:
    """How to read the request's rows, from their beginning each time; and a file's bytes, where it is one.

    Raises: wire.Refused.
    """
    if isinstance(data, io.BytesIO):
        return lambda: _of_file(data), data.getvalue()
    if not isinstance(data, dict) or set(data) != FIELDS or not isinstance(data["withdrawals"], list):
        raise wire.Refused(400, "withdrawals must be a list of withdrawals")
    found = [_raw(number, item) for number, item in enumerate(data["withdrawals"], start=FIRST_ROW)]
    if not found:
        raise wire.Refused(400, "withdrawals must be a list of withdrawals")
    return lambda: found, None


def _of_file(file: io.BytesIO) -> Iterable[reading.Raw]:
    file.seek(0)
    return reading.rows(file)


def _raw(number: int, item: Any) -> reading.Raw:
    if not isinstance(item, dict) or not set(item) <= ROW_FIELDS:
        raise wire.Refused(400, f"row {number} must have amount, destination_address and network")
    texts = [item.get(name, "") for name in ("destination_address", "amount", "network", "reference")]
    if not all(isinstance(text, str) for text in texts):
        raise wire.Refused(400, f"row {number}: every field is a text")
    return reading.Raw(number, *texts)


def batch(run: Run, progress: queries.Progress | None) -> dict[str, Any]:
    """The run and where its withdrawals are."""
    counts = {status.lower(): number for status, number in progress.counts.items()} if progress else {}
    return {
        "id": public_id(run.id),
        "name": run.name,
        "status": STATES[State(run.state)],
        "waits_for": run.note or None,
        "rows": run.rows_good,
        "created": progress.made if progress else 0,
        "total_amount": wire.money(int(run.total_units)),
        "total_fee": wire.money(int(run.fee_units)),
        "withdrawals": counts,
        "created_at": base.moment(run.created_at),
    }


def row(one: RunRow, made: Withdrawal | None) -> dict[str, Any]:
    """A row and its withdrawal, once that is made."""
    return {"row": one.number, "reference": one.reference or None, "withdrawal": wire.listed(made) if made else None}
