"""Answering a repeated create with the first answer, in the create's own transaction."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chain.failpoints import committing
from payouts import prepared
from payouts.merchants.models import Merchant
from payouts.withdrawals import whole
from payouts.withdrawals.models import IdempotencyKey

MAX_KEY = 255
Answer = tuple[int, dict[str, Any]]


class KeyReused(Exception):
    """The key was used before, with another request."""


class StillInFlight(Exception):
    """The first request with this key has not ended yet."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One client's key on one endpoint, and the request that came with it."""

    merchant: Merchant
    endpoint: str
    key: str
    request: Any

    def request_hash(self) -> bytes:
        """SHA-256 of the parsed request; 32 bytes."""
        canonical = json.dumps(self.request, sort_keys=True, default=str, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).digest()

    def lock_number(self) -> int:
        """A 64-bit number for the advisory lock."""
        text = f"{self.merchant.id}/{self.endpoint}/{self.key}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


@whole.retried
def once(scope: Scope | None, make: Callable[[], Answer], *, now: datetime) -> Answer:
    """Run `make` in one transaction; with a key, only the first time.

    Raises: KeyReused, StillInFlight, and whatever `make` raises (nothing is kept of that).
    """
    with committing("answer"):
        if scope is None:
            return make()
        first = _first_answer(scope)
        if first is not None:
            return first
        answer = make()
        prepared.insert(row(scope, answer, now=now))
        return answer


def row(scope: Scope, answer: Answer, *, now: datetime) -> IdempotencyKey:
    """What is kept of an answer, not saved yet."""
    status_code, body = answer
    return IdempotencyKey(
        merchant=scope.merchant,
        endpoint=scope.endpoint,
        key=scope.key,
        request_hash=scope.request_hash(),
        status_code=status_code,
        body=body,
        created_at=now,
    )


def keep(scope: Scope | None, answer: Answer) -> None:
    """Put what was answered in the place of what the create's transaction could know of it."""
    if scope is not None:
        status_code, body = answer
        rows = IdempotencyKey.objects.filter(merchant=scope.merchant, endpoint=scope.endpoint, key=scope.key)
        rows.update(status_code=status_code, body=body)


_KEPT = prepared.Query(
    lambda merchant_id, endpoint, key: IdempotencyKey.objects.filter(
        merchant_id=merchant_id, endpoint=endpoint, key=key
    ),
    UUID,
    str,
    str,
)


def _first_answer(scope: Scope) -> Answer | None:
    ((locked,),) = prepared.call("SELECT pg_try_advisory_xact_lock(%s::bigint)", [scope.lock_number()])
    if not locked:
        raise StillInFlight(scope.key)
    row = _KEPT.first(scope.merchant.id, scope.endpoint, scope.key)
    if row is None:
        return None
    if bytes(row.request_hash) != scope.request_hash():
        raise KeyReused(scope.key)
    return row.status_code, row.body
