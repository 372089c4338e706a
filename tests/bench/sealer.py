"""A sealer in a process of its own, as in production: four sweeps a second whenever it is told to, until input ends."""

# ruff: noqa: T201 - what the bench reads

import json
import queue
import statistics
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import django

SWEEP_S = 0.25


class Sealing:
    """What was sealed while it was on, when, and the processors' time that this took."""

    def __init__(self) -> None:
        self.stretches: list[tuple[int, int, datetime]] = []  # from which transaction to which, and when
        self.seconds = self.cpu_s = 0.0

    def until(self, inbox: "queue.SimpleQueue[str]") -> None:
        """Seal four times a second until the next word."""
        begun, used = time.monotonic(), _cpu_s()
        while True:
            try:
                inbox.get(timeout=SWEEP_S)
            except queue.Empty:
                self._sweep()
            else:
                self.seconds += time.monotonic() - begun
                self.cpu_s += _cpu_s() - used
                return

    def _sweep(self) -> None:
        from ledger import seals  # Django has its settings now

        before = seals.newest()
        if seals.seal_due(now=datetime.now(tz=UTC)) and (after := seals.newest()):
            self.stretches.append((before.xid_to if before else 0, after.xid_to, datetime.now(tz=UTC)))

    def told(self) -> dict[str, float]:
        """From each event's writing to its block's being there, over all; and the work as a share of one processor."""
        from django.db import connection

        lags: list[float] = [0.0, 0.0]
        with connection.cursor() as cursor:
            for first, end, at in self.stretches:
                cursor.execute(
                    "SELECT extract(epoch FROM %s - at)::float8 FROM ledger_event"
                    " WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8",
                    [at, str(first), str(end)],
                )
                lags += [lag for (lag,) in cursor.fetchall()]
        return {
            "events": len(lags) - 2,
            "p99_s": statistics.quantiles(lags, n=100)[98],
            "longest_s": max(lags),
            "cpu": self.cpu_s / max(self.seconds, SWEEP_S),
        }


def _cpu_s() -> float:
    """What this process and its session's have used so far."""
    from django.db import connection

    connection.ensure_connection()
    assert connection.connection
    session = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text(encoding="ascii")
    return time.process_time() + int(session.split()[0]) / 1e9


def main() -> None:
    """For each line: seal what is there, answer; seal until the next line, answer. At the end tell what that was."""
    django.setup()
    from ledger import seals

    inbox: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            inbox.put(line)
        inbox.put("")

    threading.Thread(target=listen, daemon=True).start()
    sealing = Sealing()
    while inbox.get():
        while seals.seal_due(now=datetime.now(tz=UTC)):
            pass
        print("on", flush=True)
        sealing.until(inbox)
        print("off", flush=True)
    print(json.dumps(sealing.told()))


if __name__ == "__main__":
    main()
