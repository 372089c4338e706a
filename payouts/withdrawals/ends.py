"""Waiting for a withdrawal's end: PostgreSQL tells, nobody asks it again and again.

The end is told by NOTIFY in the very transaction that brings it, so what is heard is committed, and Redis has no part
in it. One thread of a process listens for all who wait there, for as long as somebody does and a little longer.
"""

import threading
import time
from collections import defaultdict
from uuid import UUID

import psycopg
import structlog
from django.conf import settings
from django.db import connection

from payouts.withdrawals import steps
from payouts.withdrawals.models import Withdrawal

log = structlog.get_logger(__name__)
CHANNEL = "withdrawal_ended"
LINGER_S = 30.0  # a listener that nobody needs any more goes after this
RECONNECT_S = 0.5


def announce(withdrawal: Withdrawal) -> None:
    """Tell those who wait, once this transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(withdrawal.id)])


def has_come(withdrawal_id: UUID) -> bool:
    """Whether the withdrawal has come to its end."""
    return Withdrawal.objects.filter(id=withdrawal_id, status__in=steps.FINAL).exists()


class Listener:
    """This process's ear: who waits for which withdrawal, and the thread that hears for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[UUID, list[threading.Event]] = defaultdict(list)
        self._thread: threading.Thread | None = None

    def wait(self, withdrawal_id: UUID, *, seconds: float) -> bool:
        """Return once the withdrawal has ended or the time is over; False when this process has no place to wait.

        Only so many wait at a time, so that the other threads of a web worker stay free for other work. Whoever waits
        holds no transaction and no connection to the database. The caller reads afterwards what is so.

        Raises: RuntimeError inside a transaction, whose end it could never see.
        """
        if connection.in_atomic_block:
            raise RuntimeError("a transaction sees no end that another one brings")
        news = threading.Event()
        with self._lock:
            if sum(map(len, self._waiting.values())) >= settings.WITHDRAWAL_WAITERS:
                return False
            self._waiting[withdrawal_id].append(news)
            self._listen()
        try:
            self._wait(withdrawal_id, news, until=time.monotonic() + seconds)
        finally:
            with self._lock:
                self._waiting[withdrawal_id].remove(news)
                if not self._waiting[withdrawal_id]:
                    del self._waiting[withdrawal_id]
        return True

    def _wait(self, withdrawal_id: UUID, news: threading.Event, *, until: float) -> None:
        """Look, then wait for news, which comes also whenever the listening (again) begins: nothing is missed."""
        while (left_s := until - time.monotonic()) > 0:
            news.clear()
            if has_come(withdrawal_id):
                return
            connection.close()
            news.wait(left_s)

    def _listen(self) -> None:
        """Have a thread listen, with the lock held."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._hear, name="withdrawal ends", daemon=True)
            self._thread.start()

    def _hear(self) -> None:
        while self._is_needed():
            try:
                with psycopg.connect(**connection.get_connection_params(), autocommit=True) as line:
                    line.execute(f"LISTEN {CHANNEL}")
                    self._wake_all()
                    while self._is_needed():
                        for told in line.notifies(timeout=LINGER_S):
                            self._wake(told.payload)
            except psycopg.OperationalError as error:
                log.warning("withdrawal_ends.unheard", error=str(error))
                time.sleep(RECONNECT_S)  # PostgreSQL is away; nothing here could say when it is back

    def _is_needed(self) -> bool:
        """Whether anybody waits; if not, the next one who does starts another thread."""
        with self._lock:
            if not self._waiting:
                self._thread = None
            return bool(self._waiting)

    def _wake(self, payload: str) -> None:
        with self._lock:
            for news in self._waiting.get(UUID(payload), ()):
                news.set()

    def _wake_all(self) -> None:
        with self._lock:
            for several in self._waiting.values():
                for news in several:
                    news.set()


listener = Listener()
