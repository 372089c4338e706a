"""Waking a sweep early; nobody relies on being heard, since beat rings every sweep again."""

import time
from dataclasses import dataclass

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from chain.failpoints import failpoint

log = structlog.get_logger(__name__)

QUEUES = {"sign": "signer", "webhooks": "webhooks"}
EXPIRES_S = 5
PAUSE_S = 5.0


@dataclass(slots=True)
class Line:
    """This process's way to the broker; a broken one is left alone for a while."""

    silent_until_s: float = 0.0  # of the monotonic clock


line = Line()


def queue_of(sweep: str) -> str:
    """The queue on which a sweep's workers listen."""
    return QUEUES.get(sweep, "worker")


def ring(sweep: str) -> None:
    """Ask for a sweep now; without a broker the next beat does it.

    A broker that hangs costs its timeout once in a while, not once per row of a sweep or request.
    """
    if time.monotonic() < line.silent_until_s:
        return
    failpoint("ring.before_publish")
    try:
        current_app.send_task(f"payouts.tasks.{sweep}", queue=queue_of(sweep), expires=EXPIRES_S, retry=False)
    except OperationalError as error:
        line.silent_until_s = time.monotonic() + PAUSE_S
        log.warning("doorbell.unheard", sweep=sweep, error=str(error))
    failpoint("ring.after_publish")


def ring_on_commit(sweep: str) -> None:
    """Ask for a sweep once what it is to see has been committed."""
    transaction.on_commit(lambda: ring(sweep), robust=True)
