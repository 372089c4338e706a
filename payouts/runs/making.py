"""Making a confirmed run's withdrawals, part by part in the order of its rows; and calling them back."""

import time
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F

from chain import addresses
from payouts import doorbell
from payouts.runs.models import Run, RunRow, State
from payouts.runs.runs import CHANNEL
from payouts.withdrawals import bulk, limits, orders, rules, steps, whole
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Withdrawal

log = structlog.get_logger(__name__)
PART = 2_000
BACK_PART = 500
AT_A_TIME_S = 20.0  # then other runs have their turn
STATEMENT_TIMEOUT = "60s"

# fmt: off
WAITS = {  # what keeps a run's next part for now; it is tried again until it goes, or is called back
    limits.WindowLimitExceeded:   "a limit of the merchant's is reached; it goes on when there is room again",
    limits.PaymentLimitExceeded:  "a payment is above the limit of one withdrawal, which is lower now",
    limits.NotInAddressBook:      "an address is not in the address book any more",
    orders.AmountTooSmall:        "the fee was raised above an amount of it",
    rules.NoFeeRule:              "a network of it is not offered any more",
    addresses.BadAddress:         "an address is one of our own now",
}
SHORT = "the balance does not cover the rest; it goes on when it does"
# fmt: on


def go_on(*, now: datetime) -> int:
    """Work on every run that has something left to do; how many withdrawals were made or called back."""
    done = 0
    rows = Run.objects.filter(state__in=[State.CONFIRMED, State.CANCELLING]).order_by("confirmed_at")
    for run_id, state in rows.values_list("id", "state"):
        work = _make_part if state == State.CONFIRMED else _call_back_part
        until_s = time.monotonic() + AT_A_TIME_S
        while part := work(run_id, now=now):
            done += part
            if time.monotonic() > until_s:
                doorbell.ring("make_runs")
                break
    return done


def _make_part(run_id: UUID, *, now: datetime) -> int:
    try:
        return _made(run_id, now=now)
    except tuple(WAITS) as refusal:
        note = WAITS[type(refusal)]
        if Run.objects.filter(id=run_id).exclude(note=note).update(note=note):
            log.warning("runs.waits", run_id=str(run_id), refusal=type(refusal).__name__, text=str(refusal))
        return 0


@whole.retried
def _made(run_id: UUID, *, now: datetime) -> int:
    """Make the next withdrawals: rows, money and how far we are, in one commit."""
    with transaction.atomic():
        _take_time()
        run = Run.objects.select_for_update(of=("self",)).select_related("merchant", "maker").get(id=run_id)
        if run.state != State.CONFIRMED:
            return 0
        good = RunRow.objects.filter(run=run, fault="", number__gt=run.made_through).order_by("number")
        rows = list(good.values_list("id", "network", "destination", "amount_units", "reference", "number")[:PART])
        shared = bulk.Together(run.merchant, run.api, CHANNEL, run.asset, run.actor, run.maker)
        lines = [bulk.Line(*row[:3], int(row[3]), row[4]) for row in rows]
        made = bulk.create_all(shared, lines, now=now)
        run.note = "" if len(made) == len(rows) else SHORT
        run.rows_made = F("rows_made") + len(made)
        run.made_through = rows[len(made) - 1][-1] if made else run.made_through
        if len(rows) < PART and len(made) == len(rows):
            run.state, run.ended_at = State.MADE, now
        run.save()
        return len(made)


def _call_back_part(run_id: UUID, *, now: datetime) -> int:
    """Cancel some withdrawals of the run that the chain does not have yet."""
    ids = RunRow.objects.filter(run_id=run_id, fault="").values("id")
    open_ones = Withdrawal.objects.filter(id__in=ids, status__in=steps.STEPS["cancel"].source)
    part = list(open_ones.order_by("id").values_list("id", flat=True)[:BACK_PART])
    if not part:
        Run.objects.filter(id=run_id, state=State.CANCELLING).update(state=State.CANCELLED, ended_at=now)
        return 0
    run = Run.objects.select_related("maker").get(id=run_id)
    by = By(run.actor, run.maker, "cancelled by the merchant")
    bulk.cancel_all(part, by=by, now=now)
    return len(part)


def _take_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
