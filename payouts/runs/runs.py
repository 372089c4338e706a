"""A run's verbs: take a file, confirm what it came to, call the rest of it back."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection, transaction

from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from payouts import copying, doorbell
from payouts.merchants import otp
from payouts.merchants.models import Challenge, Merchant
from payouts.runs import checking, reading
from payouts.runs.models import Run, RunRow, State
from payouts.withdrawals import whole

CHANNEL = "run"
LASTS = timedelta(hours=24)  # from its check to its confirmation: after that prices and books may be others
PROGRESS_EVERY = 5_000
Progress = Callable[[int], object]

# In the order of the rows, so that the same rows in another order are another run. A text cannot hold the separators.
_HASH = """
SELECT sha256(convert_to(coalesce(string_agg(
    concat_ws(E'\\x1f', number, network, destination, amount_units, reference), E'\\x1e' ORDER BY number), ''), 'UTF8'))
FROM payouts_runrow WHERE run_id = %s AND fault = ''
"""


class NotReady(Exception):
    """The run cannot be confirmed as it is; the text says why."""


class NotToCancel(Exception):
    """There is nothing left of this run to call back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose run it is and what it is paid in."""

    merchant: Merchant
    api: str
    actor: str
    name: str
    asset: str = "USDT"
    maker: User | None = None


def check(of: Asked, rows: Iterable[reading.Raw], *, now: datetime, told: Progress = lambda _rows: None) -> Run:
    """Take the rows in as they come, each with what it means or what is wrong with it; no money moves.

    `told` hears now and then how many were looked at. In one transaction: a file that cannot be read leaves nothing.

    Raises: reading.BadFile.
    """
    run = Run(
        merchant=of.merchant, api=of.api, asset=of.asset, name=of.name, actor=of.actor, maker=of.maker, created_at=now
    )
    totals = checking.Totals()
    case = checking.case(of.merchant, api=of.api, asset=of.asset, now=now)
    ids = _ids(now)

    def checked() -> Iterator[RunRow]:
        for raw in rows:
            yield checking.row(raw, of=case, run_id=run.id, row_id=next(ids), totals=totals)
            if totals.rows % PROGRESS_EVERY == 0:
                told(totals.rows)

    with transaction.atomic():
        run.save(force_insert=True)
        copying.insert_stream(checked())
        run.rows_total, run.rows_faulty = totals.rows, totals.faulty
        run.total_units, run.fee_units = Decimal(totals.units), Decimal(totals.fee_units)
        run.save()
    told(totals.rows)
    return run


def _ids(now: datetime) -> Iterator[UUID]:
    """Ids of version 7 that ascend with the rows: the time, a counter, and bits that nobody can guess."""
    time_ms = int(now.timestamp() * 1000)
    for number in range(reading.MOST_ROWS + 1):
        high, low = divmod(number, 1 << 12)
        bits = time_ms << 80 | 0x7 << 76 | low << 64 | 0b10 << 62 | high << 56 | secrets.randbits(56)
        yield UUID(int=bits)


def payload_hash(run: Run) -> bytes:
    """SHA-256 over the payments that the run is, in their order; 32 bytes, read from the rows."""
    with connection.cursor() as cursor:
        cursor.execute(_HASH, [run.id])
        (digest,) = cursor.fetchone()
    return bytes(digest)


def leave_out_faulty(run_id: UUID, *, merchant: Merchant) -> Run:
    """Make the run of its good rows alone.

    Raises: Run.DoesNotExist, NotReady.
    """
    with transaction.atomic():
        run = _locked(run_id, merchant)
        _must_be_checked(run)
        run.without_faulty = True
        run.save(update_fields=["without_faulty"])
    return run


def show(run: Run, *, person: User, now: datetime) -> Challenge:
    """Note what this person is being shown, before the code is asked for."""
    return otp.challenge(person, purpose=_purpose(run.id), payload_hash=payload_hash(run), now=now)


def confirm(run_id: UUID, *, merchant: Merchant, person: User, challenge_id: UUID, code: str, now: datetime) -> Run:
    """Have the run's payments made, by one code that confirms exactly the rows that were shown.

    Raises: Run.DoesNotExist, NotReady, posting.InsufficientFunds, otp.OtpRefused.
    """
    _hindrances(of(merchant, run_id), now=now)
    otp.confirm(challenge_id, person=person, code=code, now=now)

    def spend(run: Run) -> None:
        shown = payload_hash(run)
        otp.spend(challenge_id, person=person, purpose=_purpose(run_id), payload_hash=shown, now=now)
        run.maker, run.actor = person, person.get_username()

    return _confirmed(run_id, merchant, spend, now=now)


def submit(run_id: UUID, *, merchant: Merchant, now: datetime) -> Run:
    """Have the run's payments made, where the caller's key has said who asks.

    Raises: Run.DoesNotExist, NotReady, posting.InsufficientFunds.
    """
    return _confirmed(run_id, merchant, lambda _run: None, now=now)


@whole.retried
def _confirmed(run_id: UUID, merchant: Merchant, spend: Callable[[Run], None], *, now: datetime) -> Run:
    with transaction.atomic():
        run = _locked(run_id, merchant)
        _hindrances(run, now=now)
        spend(run)
        run.payload_hash = payload_hash(run)
        run.state, run.confirmed_at = State.CONFIRMED, now
        run.save()
        doorbell.ring_on_commit("make_runs")
    return run


def _hindrances(run: Run, *, now: datetime) -> None:
    """Refuse a run that is not to be confirmed.

    Raises: NotReady, posting.InsufficientFunds.
    """
    _must_be_checked(run)
    if now - run.created_at > LASTS:
        raise NotReady("it was checked more than a day ago: upload it again")
    if run.rows_good == 0:
        raise NotReady("no row of it can be paid")
    if run.rows_faulty and not run.without_faulty:
        raise NotReady(f"{run.rows_faulty} of its rows cannot be paid: correct them, or leave them out")
    short_units = int(run.total_units) - spendable_units(run.merchant, run.asset)
    if short_units > 0:
        raise posting.InsufficientFunds("account_not_overdrawn", short_units=short_units)


def _must_be_checked(run: Run) -> None:
    if run.state != State.CHECKED:
        raise NotReady(f"it is {State(run.state).label} already")


def spendable_units(merchant: Merchant, asset: str) -> int:
    """What the merchant can pay out now, the credit line included."""
    refs = [Ref(merchant.id, merchant.id, asset, purpose) for purpose in (Purpose.AVAILABLE, Purpose.CREDIT)]
    return sum(row.spendable_units or 0 for row in balances.of(refs).values())


def cancel(run_id: UUID, *, merchant: Merchant, now: datetime) -> Run:
    """Make no more of it, and call back what has not been handed to the chain: a sweep does it, part by part.

    Raises: Run.DoesNotExist, NotToCancel.
    """
    with transaction.atomic():
        run = _locked(run_id, merchant)
        if run.state not in (State.CHECKED, State.CONFIRMED, State.MADE):
            raise NotToCancel(f"it is {State(run.state).label} already")
        if run.state == State.CHECKED:
            run.state, run.ended_at = State.CANCELLED, now
        else:
            run.state = State.CANCELLING
        run.note = ""
        run.save(update_fields=["state", "note", "ended_at"])
        doorbell.ring_on_commit("make_runs")
    return run


def of(merchant: Merchant, run_id: UUID) -> Run:
    """The merchant's own run.

    Raises: Run.DoesNotExist.
    """
    return Run.objects.select_related("merchant").get(id=run_id, merchant=merchant)


def _locked(run_id: UUID, merchant: Merchant) -> Run:
    return Run.objects.select_for_update(of=("self",)).select_related("merchant").get(id=run_id, merchant=merchant)


def _purpose(run_id: UUID) -> str:
    return f"run:{run_id}"
