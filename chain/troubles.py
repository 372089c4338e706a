"""Alarms about single payments: open for too long, refused by the signer, or nothing that a rule decides."""

from datetime import datetime, timedelta

from chain import alarms, inspection, networks
from chain.models import Intent, IntentState
from chain.signing import REFUSED

LEAST = timedelta(minutes=10)
TAGGED_LEAST = timedelta(minutes=45)  # where a block is final only once another chain or a vote has said so
DEPTHS = 4  # so many times its chain's own way to finality is too long
FADES_AFTER = timedelta(minutes=5)  # the watcher would have raised it again
KEPT_FOR = timedelta(days=1)  # what a decided payment's alarm tells is still to be read
TOLD = 100  # the oldest are told one by one; a chain that stands still has an alarm of its own


def tell(*, now: datetime) -> None:
    """Make the open alarms about payments what is so now."""
    opened = Intent.objects.filter(state=IntentState.OPEN).select_related("wallet").order_by("created_at", "id")
    slow: dict[str, str] = {}
    for name in networks.NETWORKS:
        for intent in opened.filter(network=name, created_at__lte=now - patience(name))[: TOLD - len(slow)]:
            since = f"{intent.created_at:%Y-%m-%d %H:%M:%S}"
            slow[str(intent.id)] = f"open on {name} since {since}, waits for: {inspection.waits_for(intent)}"
    alarms.stand("payment.stuck", slow, now=now)
    refused = opened.filter(last_error__startswith=REFUSED)[:TOLD]
    alarms.stand("payment.refused", {str(one.id): one.last_error for one in refused}, now=now)
    _fade(now=now)


def patience(name: str) -> timedelta:
    """How long a payment may be open on that network before somebody should know."""
    row = networks.network(name)
    least = TAGGED_LEAST if row.final_tag else LEAST
    return max(least, timedelta(milliseconds=DEPTHS * row.confirmations * row.block_ms))


def _fade(*, now: datetime) -> None:
    for alarm in alarms.standing().filter(kind="payment.person", seen_at__lte=now - FADES_AFTER):
        is_open = Intent.objects.filter(id=alarm.subject, state=IntentState.OPEN).exists()
        if is_open or alarm.seen_at <= now - KEPT_FOR:
            alarms.clear(alarm.kind, subject=alarm.subject, now=now)
