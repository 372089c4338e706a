"""Look over everything that should move by itself, and raise what does not: payments, seals, messages, agreement."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import models
from django.db.models import F

from chain import alarms, gateway, networks, pausing, troubles, units
from chain.models import Follower, Intent, LaneBalance
from ledger import audit, balances, seals
from payouts import reconciliation
from payouts.webhooks.models import Message

log = structlog.get_logger(__name__)

UNSEALED_FOR = timedelta(minutes=2)
NOT_READ_ON = timedelta(minutes=5)
OUTBOX_LATE = timedelta(minutes=5)
SHOWN_PROBLEMS = 5
OFF_FOR = timedelta(minutes=2)  # a difference that is gone by then was money on its way


STOPPED_BY = "reconciliation"


class Difference(models.Model):
    """How far ledger and chain were apart when they were last compared, and why; the asset's ledger units.

    `stopped_units` is the difference for which the network was stopped: an operator who resumes it has taken that one
    into account, and it stops nothing again; another one does.
    """

    network = models.CharField(max_length=32)
    asset = models.CharField(max_length=16)
    units = models.DecimalField(max_digits=78, decimal_places=0)
    at = models.DateTimeField()
    since = models.DateTimeField(null=True)  # since when they have differed
    items = models.JSONField(default=dict)  # of which amounts it is made, by reconciliation.ITEMS
    block_number = models.BigIntegerField(default=0)
    stopped_units = models.DecimalField(max_digits=78, decimal_places=0, null=True)

    class Meta:
        app_label = "payouts"
        verbose_name = verbose_name_plural = "ledger and chains"
        constraints = [models.UniqueConstraint(fields=["network", "asset"], name="difference_once")]


def survey(*, now: datetime) -> int:
    """Raise and clear what the rows alone show; how many alarms are open then."""
    troubles.tell(now=now)
    oldest = seals.oldest_unsealed_at()
    late = {"ledger": f"not sealed since {oldest}"} if oldest and now - oldest > UNSEALED_FOR else {}
    alarms.stand("ledger.unsealed", late, now=now)
    waiting = Message.objects.filter(state=Message.State.PENDING, next_attempt_at__lte=now - OUTBOX_LATE)
    number = waiting.count()
    alarms.stand("outbox.late", {"outbox": f"{number} messages are due and not tried"} if number else {}, now=now)
    behind = Follower.objects.filter(caught_up_at__lt=now - NOT_READ_ON)
    texts = {
        row.network: f"read to block {row.number} of {row.head_number}, the last time to its end {row.caught_up_at}"
        for row in behind
        if row.network in {network.name for network in networks.configured()}
    }
    alarms.stand("follower.behind", texts, now=now)
    return alarms.standing().count()


def reconcile(*, now: datetime) -> int:
    """Compare the ledger with the wallets, each asset that either has; how many were compared.

    A network that cannot be read, or never holds still, keeps what was last known of it.
    """
    compared = 0
    for row in networks.configured():
        for asset in row.assets:
            if not _moved(row.name, asset):
                continue
            try:
                _keep(reconciliation.compare(row.name, asset), now=now)
            except gateway.ChainError as unread:
                log.warning("reconcile.unread", network=row.name, asset=asset, error=str(unread))
                continue
            compared += 1
    texts = {
        f"{one.network}/{one.asset}": f"off by {one.units} ledger units since {one.since:%Y-%m-%d %H:%M:%S}"
        for one in Difference.objects.filter(since__lte=now - OFF_FOR)
    }
    alarms.stand("reconciliation.difference", texts, now=now)
    _stop(now=now)
    return compared


def _stop(*, now: datetime) -> None:
    """Have nothing signed on a network whose wallets lack what the ledger says, until a person resumes it.

    What there is too much of stops nothing: anybody could send a wallet of ours a coin, and stop all payments with it.
    """
    short = Difference.objects.filter(since__lte=now - OFF_FOR, units__lt=0)
    for one in short.exclude(stopped_units=F("units")):
        lacking = units.text(one.asset, -int(one.units), 2)
        reason = f"{lacking} {one.asset} less on chain than in the ledger"
        pause = pausing.pause(one.network, by=STOPPED_BY, reason=reason, now=now)
        if pause.by == STOPPED_BY:  # otherwise once that one has been ended
            Difference.objects.filter(pk=one.pk).update(stopped_units=one.units)


def prove(*, now: datetime) -> int:
    """Prove the whole ledger from its events; how many problems there are."""
    problems = audit.prove().problems
    shown = "; ".join(problems[:SHOWN_PROBLEMS])
    texts = {"ledger": f"{len(problems)} problems: {shown}"} if problems else {}
    alarms.stand("ledger.mismatch", texts, now=now)
    return len(problems)


def _moved(network: str, asset: str) -> bool:
    return (
        LaneBalance.objects.filter(wallet__network=network, asset=asset, units__gt=0).exists()
        or Intent.objects.filter(network=network, asset=asset).exists()
        or balances.external_units(network, asset) != 0
    )


def _keep(found: reconciliation.Comparison, *, now: datetime) -> None:
    key: dict[str, Any] = {"network": found.network, "asset": found.asset}
    known = Difference.objects.filter(**key).first()
    goes_on = known and (known.units < 0) == (found.difference_units < 0)
    since = None if found.ok else (known.since if known and goes_on else None) or now
    said = {"items": found.items(), "block_number": found.block_number, "at": now}
    if found.ok:
        said["stopped_units"] = None
    Difference.objects.update_or_create(**key, defaults={"units": found.difference_units, "since": since} | said)
