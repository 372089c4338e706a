"""Waking a sweep early; nobody relies on being heard, since beat rings every sweep again."""

import threading
import time

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from chain.failpoints import failpoint

log = structlog.get_logger(__name__)

QUEUES = {"sign": "signer", "webhooks": "webhooks"}
EXPIRES_S = 5
PAUSE_S = 5.0


class Line:
    """This process's way to the broker; a broken one is left alone for a while.

    A sweep is rung at once, and after that once in a while for all who ring it meanwhile: a sweep works for everybody.
    """

    def __init__(self, *, apart_s: float | None = None) -> None:
        self.silent_until_s = 0.0  # of the monotonic clock
        self.apart_s = settings.RINGS_APART_S if apart_s is None else apart_s
        self._lock = threading.Lock()
        self._quiet_until_s: dict[str, float] = {}
        self._later: set[str] = set()

    def takes(self, sweep: str) -> bool:
        """Whether to ring now; otherwise it is rung later, by a thread of this process."""
        if not self.apart_s:
            return True
        now_s = time.monotonic()
        with self._lock:
            wait_s = self._quiet_until_s.get(sweep, 0.0) - now_s
            if wait_s <= 0:
                self._quiet_until_s[sweep] = now_s + self.apart_s
                return True
            if sweep not in self._later:
                self._later.add(sweep)
                later = threading.Timer(wait_s, self._ring_later, [sweep])
                later.daemon = True
                later.start()
            return False

    def _ring_later(self, sweep: str) -> None:
        with self._lock:
            self._later.discard(sweep)
            self._quiet_until_s[sweep] = time.monotonic() + self.apart_s
        publish(sweep)


line = Line()


def queue_of(sweep: str) -> str:
    """The queue on which a sweep's workers listen."""
    return QUEUES.get(sweep, "worker")


def ring(sweep: str) -> None:
    """Ask for a sweep now; without a broker the next beat does it.

    A broker that hangs costs its timeout once in a while, not once per row of a sweep or request.
    """
    if time.monotonic() >= line.silent_until_s and line.takes(sweep):
        publish(sweep)


def publish(sweep: str) -> None:
    """Put the ring on the broker."""
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
