"""What every sweep is made of: work, a tick that says it was done, rows done together or singly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError

from payouts import doorbell, ticks

log = structlog.get_logger(__name__)
BATCH = 100
NOBODYS_TURN = (OperationalError, InterfaceError, SoftTimeLimitExceeded)  # the database or the time is away for all
Row = TypeVar("Row")


def sweep(name: str, work: Callable[[datetime], int]) -> int:
    """Work and tell so; a whole batch means that more is waiting, which need not wait for beat."""
    done = work(datetime.now(UTC))
    ticks.tick(name, now=datetime.now(UTC))
    if done >= BATCH:
        doorbell.ring(name)
    return done


@dataclass(frozen=True, slots=True)
class Alike(Generic[Row]):
    """Which rows of a sweep can be done together, and how."""

    by: Callable[[Row], object]
    do: Callable[[list[Row], datetime], Sequence[Row]]  # answers who is left

    def left(self, name: str, rows: Sequence[Row], *, now: datetime) -> list[Row]:
        """Do the groups; who is in one that could not be done has a turn of his own, which shows whose fault it is."""
        groups: dict[object, list[Row]] = {}
        for row in rows:
            groups.setdefault(self.by(row), []).append(row)
        left: list[Row] = []
        for group in groups.values():
            try:
                left += self.do(group, now) if len(group) > 1 else group
            except NOBODYS_TURN:
                raise
            except Exception as fault:  # noqa: BLE001 - singly it is raised again, by its row
                log.info("sweep.singly", sweep=name, rows=len(group), fault=type(fault).__name__, text=str(fault))
                left += group
        return left


def each(
    name: str,
    rows: Sequence[Row],
    do: Callable[[Row, datetime], object],
    refusals: tuple[type[Exception], ...],
    *,
    alike: Alike[Row] | None = None,
) -> int:
    """Do one thing per row; a row that is refused is told about and does not keep the others, nor does a faulty one.

    Raises: ExceptionGroup of the faults, after the other rows had their turn: the sweep's tick stays away.
    """

    def work(now: datetime) -> int:
        left = alike.left(name, rows, now=now) if alike else rows
        done, faults = len(rows) - len(left), []
        for row in left:
            try:
                do(row, now)
            except NOBODYS_TURN:
                raise
            except refusals as refusal:
                log.warning(
                    "sweep.refused", sweep=name, row=str(row)[:200], refusal=type(refusal).__name__, text=str(refusal)
                )
            except Exception as fault:  # noqa: BLE001 - raised below
                faults.append(fault)
            else:
                done += 1
        if faults:
            raise ExceptionGroup(f"{name}: {len(faults)} rows failed", faults)
        return done

    return sweep(name, work)
