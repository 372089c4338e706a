"""Alarms: what a person should know, since when, what and where; raised once, cleared by itself, kept for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection, models
from django.db.models import Q, QuerySet

log = structlog.get_logger(__name__)

TEXT_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of trouble, in plain words; `makes_unready` only where no caller can be served well any more."""

    name: str
    subject: str  # what it is about: a row of SUBJECTS
    meaning: str
    makes_unready: bool = False


# How a subject is written.
SUBJECTS: Mapping[str, str] = {
    "lane": "network/address",
    "lane/asset": "network/address/asset",
    "asset": "network/asset",
    "network": "network",
    "intent": "the intent's id",
    "endpoint": "network/host:port",
    "payout": "the withdrawal's id",
    "ledger": "ledger",
    "outbox": "outbox",
    "screening": "screening",
    "provider": "a provider's host",
}

# What a stranger could provoke (money sent to a wallet of ours, a node's whims) never makes the service unready, and
# neither does what concerns one lane, one payment or one network: the others go on.
# fmt: off
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (
    #     name                         subject       what it means
    Kind("lane.liquidity",            "lane/asset", "a lane owes more of an asset than it holds: it takes no orders"),
    Kind("lane.gas",                  "lane",       "a lane cannot pay the fees of its open payments and one more"),
    Kind("lane.low",                  "lane/asset", "a lane holds less than its threshold: fund it"),
    Kind("withdrawals.waiting",       "asset",      "approved withdrawals wait: no lane can pay them now"),
    Kind("payment.obstacle",          "payout",     "the chain or a cap forbids an approved payment now: it waits"),
    Kind("payment.stuck",             "intent",     "a payment is open for far longer than its chain needs"),
    Kind("payment.person",            "intent",     "the chain shows something that no rule decides: a person looks"),
    Kind("payment.capped",            "intent",     "the signer's caps do not allow a payment now: it waits"),
    Kind("payment.refused",           "intent",     "the signer refuses: approval, order and bytes do not agree"),
    Kind("payment.fees",              "intent",     "fees are above the network's ceiling: a payment or bump waits"),
    Kind("sweep.waits",               "lane",       "money on a deposit address cannot be swept: refused, or no coin"),
    Kind("endpoint.aside",            "endpoint",   "a node is put aside: silent, errs, lags, differs, other chain"),
    Kind("chain.unread",              "network",    "no endpoint of a network tells its state"),
    Kind("follower.behind",           "network",    "a network is not read on: deposits there are not credited"),
    Kind("follower.parted",           "network",    "the chain left a block that was final: deposits there stop"),
    Kind("ledger.unsealed",           "ledger",     "committed events have not been sealed for too long"),
    Kind("ledger.mismatch",           "ledger",     "balances, sums or seals contradict events", makes_unready=True),
    Kind("reconciliation.difference", "asset",      "the ledger and our wallets on chain differ"),
    Kind("screening.silent",          "screening",  "the screening service does not answer: all waits for people"),
    Kind("rates.silent",              "provider",   "the provider of rates does not answer: its rates grow stale"),
    Kind("outbox.late",               "outbox",     "webhook messages have been due for too long"),
)}
# fmt: on


class UnknownKind(ValueError):
    """There is no such kind of alarm; add a row to KINDS."""


class Alarm(models.Model):
    """One trouble from its beginning to its end; open while `cleared_at` is empty."""

    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=200, blank=True, default="")
    text = models.CharField(max_length=TEXT_LENGTH)
    raised_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # the last time that it was found to be so
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One open alarm per kind and subject; the others are history."""

        app_label = "chain"
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], condition=Q(cleared_at=None), name="alarm_open_once"),
        ]
        indexes = [models.Index(fields=["-raised_at"], name="alarm_by_time")]


RAISE = """
INSERT INTO chain_alarm (kind, subject, text, raised_at, seen_at)
VALUES (%(kind)s, %(subject)s, %(text)s, %(now)s, %(now)s)
ON CONFLICT (kind, subject) WHERE cleared_at IS NULL
DO UPDATE SET text = excluded.text, seen_at = greatest(chain_alarm.seen_at, excluded.seen_at)
RETURNING xmax = 0
"""


def raise_alarm(kind: str, *, subject: str, text: str, now: datetime) -> bool:
    """Open the alarm, or note that it still stands and what it says now; tells whether it is new.

    An alarm that must survive a rollback is raised outside the transaction that fails.

    Raises: UnknownKind.
    """
    _known(kind)
    row: dict[str, str | datetime] = {"kind": kind, "subject": subject, "text": text[:TEXT_LENGTH], "now": now}
    with connection.cursor() as cursor:
        cursor.execute(RAISE, row)
        (is_new,) = cursor.fetchone()
    if is_new:
        log.error("alarm.raised", kind=kind, subject=subject, text=text[:TEXT_LENGTH])
    return bool(is_new)


def clear(kind: str, *, subject: str, now: datetime) -> bool:
    """End the alarm if it is open; tells whether it was.

    Raises: UnknownKind.
    """
    return _clear(_open(kind).filter(subject=subject), now=now) > 0


def stand(kind: str, texts: Mapping[str, str], *, now: datetime, within: str = "") -> None:
    """Make the open alarms of a kind exactly these, by subject: the others are cleared.

    `within` limits it to subjects that begin so: whoever looked at one network says nothing about another.

    Raises: UnknownKind.
    """
    for subject in sorted(texts):
        raise_alarm(kind, subject=subject, text=texts[subject], now=now)
    _clear(_open(kind).filter(subject__startswith=within).exclude(subject__in=texts), now=now)


def standing() -> QuerySet[Alarm]:
    """The open alarms, oldest first."""
    return Alarm.objects.filter(cleared_at=None).order_by("raised_at", "id")


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise UnknownKind(f"no alarm {kind!r}")


def _open(kind: str) -> QuerySet[Alarm]:
    _known(kind)
    return Alarm.objects.filter(kind=kind, cleared_at=None)


def _clear(rows: QuerySet[Alarm], *, now: datetime) -> int:
    """Whoever moves `cleared_at` from nothing clears it; a second one finds nothing."""
    found = list(rows.values_list("id", "kind", "subject"))
    cleared = 0
    for pk, kind, subject in found:
        if Alarm.objects.filter(pk=pk, cleared_at=None).update(cleared_at=now):
            log.info("alarm.cleared", kind=kind, subject=subject)
            cleared += 1
    return cleared
