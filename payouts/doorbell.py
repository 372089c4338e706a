"""Waking a sweep early; nobody relies on being heard, since beat rings every sweep again."""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

QUEUES = {"sign": "signer", "webhooks": "webhooks"}
EXPIRES_S = 5


def queue_of(sweep: str) -> str:
    """The queue on which a sweep's workers listen."""
    return QUEUES.get(sweep, "worker")


def ring(sweep: str) -> None:
    """Ask for a sweep now; without a broker the next beat does it."""
    try:
        current_app.send_task(f"payouts.tasks.{sweep}", queue=queue_of(sweep), expires=EXPIRES_S, retry=False)
    except OperationalError as error:
        log.warning("doorbell.unheard", sweep=sweep, error=str(error))


def ring_on_commit(sweep: str) -> None:
    """Ask for a sweep once what it is to see has been committed."""
    transaction.on_commit(lambda: ring(sweep), robust=True)
