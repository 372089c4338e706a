"""A sealer in a process of its own, as in production: four sweeps a second until standard input ends."""

# ruff: noqa: T201 - what the bench reads

import json
import statistics
import sys
import threading
from datetime import UTC, datetime

import django


def main() -> None:
    """Seal what is there; then seal again and again, and print how long the events had waited when they were sealed."""
    django.setup()
    from ledger import seals

    over = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    while seals.seal_due(now=datetime.now(tz=UTC)):
        pass
    first = seals.newest()
    print("ready", flush=True)
    threading.Thread(target=wait_for_the_end, daemon=True).start()
    done: list[tuple[int, datetime]] = []  # up to which transaction, and when
    while not over.wait(0.25):
        if seals.seal_due(now=datetime.now(tz=UTC)) and (newest := seals.newest()):
            done.append((newest.xid_to, datetime.now(tz=UTC)))
    print(json.dumps(_lags(first.xid_to if first else 0, done)))


def _lags(edge: int, done: list[tuple[int, datetime]]) -> dict[str, float]:
    """From each event's writing to its block's being there, over all that were sealed."""
    from django.db import connection

    lags: list[float] = []
    with connection.cursor() as cursor:
        for xid_to, at in done:
            cursor.execute(
                "SELECT extract(epoch FROM %s - at)::float8 FROM ledger_event"
                " WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8",
                [at, str(edge), str(xid_to)],
            )
            lags += [lag for (lag,) in cursor.fetchall()]
            edge = xid_to
    if len(lags) < 2:
        return {"events": len(lags), "p99_s": 0, "longest_s": 0}
    return {"events": len(lags), "p99_s": statistics.quantiles(lags, n=100)[98], "longest_s": max(lags)}


if __name__ == "__main__":
    main()
