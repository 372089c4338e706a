"""A sealer in a process of its own, as in production: four sweeps a second until standard input ends."""

import sys
import threading
from datetime import UTC, datetime

import django


def main() -> None:
    """Seal, and seal again."""
    django.setup()
    from ledger import seals

    over = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print("ready", flush=True)  # noqa: T201 - whom the bench waits for
    while not over.wait(0.25):
        seals.seal_due(now=datetime.now(tz=UTC))


if __name__ == "__main__":
    main()
