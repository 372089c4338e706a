"""Nonces of signed requests: each works once; PostgreSQL remembers them, since Redis may forget."""

from datetime import datetime, timedelta

from payouts.merchants.models import ApiKey, Nonce

KEPT = timedelta(minutes=15)  # longer than any timestamp is accepted


def first_use(key: ApiKey, nonce: str, *, now: datetime) -> bool:
    """Whether this key shows this nonce for the first time; exact under concurrency."""
    Nonce.objects.filter(key=key, at__lt=now - KEPT).delete()
    made = Nonce.objects.bulk_create([Nonce(key=key, nonce=nonce, at=now)], ignore_conflicts=True)
    return Nonce.objects.filter(key=key, nonce=nonce, id=made[0].id).exists()
