"""Many calls at once, for every API alike: exactly so many pass a limit, one Idempotency-Key makes one withdrawal."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import limits
import pytest
from django.db import connections
from rest_framework.exceptions import Throttled

from payouts.api import throttling
from payouts.api.extraction import views as extraction
from payouts.api.invoice import views as invoice
from payouts.api.merchant import views as merchant
from payouts.api.public import frame as public
from payouts.api.tenant import frame as tenant
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.api import sides
from tests.api.test_every_route import TABLE, knock

CALLS, THREADS = 1000, 50
LIMITS = {
    "merchant": merchant.LIMIT,
    "extraction, a person": extraction.PER_PERSON,
    "extraction, an address": extraction.PER_IP,
    "public, financial": public.FINANCIAL,
    "public, standard": public.STANDARD,
    "public, wallets": public.GENERATE,
    "tenant, a minute": tenant.LIMITS[0],
    "invoice, reads": invoice.READS,  # the other one's twelve seconds are shorter than a thousand calls may take
}
CREATES = {
    "merchant": "/v1/withdrawals",
    "extraction": "/api/v1/extraction/to-usdt",
    "public": "/api/v1/public/user/withdrawal/create",
    "invoice": "/v2/invoice/api/out/create",
    "tenant": "/withdrawal/",
}


@pytest.mark.parametrize("which", LIMITS)
def test_of_a_thousand_calls_at_once_exactly_as_many_pass_as_the_limit_says(which: str, redis_clean: str) -> None:
    limit, start = LIMITS[which], threading.Barrier(THREADS)
    outcomes: list[str] = []

    def call(_: int) -> None:
        start.wait(30)
        for _ in range(CALLS // THREADS):
            try:
                limit.hit("somebody", which, money=True)
            except Throttled:
                outcomes.append("refused")
            else:
                outcomes.append("passed")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(call, range(THREADS)))
    most = limit.item.amount
    assert Counter(outcomes) == {"passed": most, "refused": CALLS - most}


@pytest.mark.parametrize("api", CREATES)
def test_of_a_hundred_creates_at_once_with_one_key_one_is_made(
    api: str, committed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling.RateLimit, "item", property(lambda _: limits.parse("1000000/minute")), raising=False)
    mine, threads = sides.side(make.merchant()), 20
    before, start = Withdrawal.objects.count(), threading.Barrier(threads)
    statuses: list[int] = []
    headers: dict[str, Any] = {**mine.headers[TABLE["POST", CREATES[api]][0] or ""], "Idempotency-Key": "order-4711"}

    def create(_: int) -> None:
        start.wait(30)
        knocks = (
            knock("POST", CREATES[api], ids=dict(mine.known[api]), headers=headers) for _ in range(100 // threads)
        )
        statuses.extend(answer.status_code for answer in knocks)
        connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(create, range(threads)))
    assert set(statuses) <= {TABLE["POST", CREATES[api]][2], 409}
    assert Withdrawal.objects.count() == before + 1
