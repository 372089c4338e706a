"""`python -m tests.bench.payments NETWORK PAYMENTS`: so many approved withdrawals, from the moment that lanes open.

It prints the seconds until every one is COMPLETED: dispatched, signed, committed, sent, watched to finality, settled in
the ledger and told to the outbox by the processes of a running house. It runs in that house's environment.
"""

import os
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import django

POLL_S = 0.2
PATIENCE_S = 600.0


def main(network: str, payments: int) -> float:
    """Seconds for so many payments."""
    from eth_keys.datatypes import PrivateKey  # after Django has its settings, as all below

    from chain import addresses, pausing
    from payouts import operating
    from payouts.withdrawals.models import Approval, Status, Withdrawal
    from tests import make

    merchant = make.merchant(funds=str(2 * payments))
    make.policy(merchant, Approval.NONE)
    why = {"by": "bench", "reason": "all shall wait for one moment"}
    pausing.pause(network, now=datetime.now(UTC), **why)
    ids = []
    for _ in range(payments):
        key = PrivateKey(secrets.token_bytes(32)).public_key.to_canonical_address()
        to = addresses.from_bytes(network, key)
        ids.append(make.withdrawal(merchant, "1.000001", network=network, destination=to).id)
    mine = Withdrawal.objects.filter(id__in=ids)
    _until(lambda: mine.filter(status=Status.APPROVED).count() == payments)
    begun = time.monotonic()
    operating.resume(network, now=datetime.now(UTC), **why)
    _until(lambda: mine.filter(status=Status.COMPLETED).count() == payments)
    return time.monotonic() - begun


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done after {PATIENCE_S:.0f} s")
        time.sleep(POLL_S)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(main(sys.argv[1], int(sys.argv[2])))  # noqa: T201 - its answer
