"""Nonces of signed requests: each works once; PostgreSQL remembers them, since Redis may forget."""

from datetime import datetime, timedelta

from django.db import transaction

from payouts.merchants.models import ApiKey, Nonce

KEPT = timedelta(minutes=15)  # longer than any timestamp is accepted
PRUNED_AT_ONCE = 100


def first_use(key: ApiKey, nonce: str, *, now: datetime) -> bool:
    """Whether this key shows this nonce for the first time; exact under concurrency."""
    _prune(key, now=now)
    made = Nonce.objects.bulk_create([Nonce(key=key, nonce=nonce, at=now)], ignore_conflicts=True)
    return Nonce.objects.filter(key=key, nonce=nonce, id=made[0].id).exists()


def _prune(key: ApiKey, *, now: datetime) -> None:
    """Forget what no timestamp lets in any more; what another call is pruning just now is left to it."""
    with transaction.atomic():
        old = Nonce.objects.filter(key=key, at__lt=now - KEPT).select_for_update(skip_locked=True)
        ids = list(old.values_list("id", flat=True)[:PRUNED_AT_ONCE])
        if ids:
            Nonce.objects.filter(id__in=ids).delete()
