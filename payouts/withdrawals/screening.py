"""Asking the operator's screening service about a withdrawal; what it does not plainly pass, people look at.

SCREENING_URL takes a POST of {"id", "merchant_id", "api", "asset", "network", "destination", "amount"} and answers 200
{"verdict": "pass" | "flag" | "refuse", "reason": text}. Anything else, an error or silence is a flag: it fails closed.
Nobody asks inside a transaction. The URL is the operator's own, so that it may lead anywhere.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import httpx
from django.conf import settings

from chain import alarms, units
from payouts.withdrawals.models import Withdrawal

AT_ONCE = 16
LONGEST_REASON = 500


class Answer(StrEnum):
    """What the service may say."""

    PASS = "pass"  # noqa: S105 - a verdict
    FLAG = "flag"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer with its reason; `is_silent` where the service gave none that can be read."""

    answer: Answer
    reason: str = ""
    is_silent: bool = False


def unasked() -> Verdict:
    """What holds for a withdrawal that nobody asked about: a pass only where there is nobody to ask."""
    return Verdict(Answer.FLAG, "screening was not asked", is_silent=True) if settings.SCREENING_URL else PASSED


PASSED = Verdict(Answer.PASS)


def verdicts(ids: Sequence[UUID], *, now: datetime) -> Mapping[UUID, Verdict]:
    """Ask about all of them, several at a time; an alarm stands for as long as the service does not answer."""
    if not settings.SCREENING_URL or not ids:
        return {}
    rows = list(Withdrawal.objects.filter(id__in=ids))
    with _client() as client, ThreadPoolExecutor(min(AT_ONCE, max(1, len(rows)))) as pool:
        said = dict(zip([row.id for row in rows], pool.map(lambda row: _ask(client, row), rows), strict=True))
    silent = [verdict.reason for verdict in said.values() if verdict.is_silent]
    alarms.stand(
        "screening.silent", {"screening": f"{len(silent)} of {len(said)}: {silent[0]}"} if silent else {}, now=now
    )
    return said


def ask(withdrawal_id: UUID) -> Verdict:
    """Ask about one.

    Raises: Withdrawal.DoesNotExist.
    """
    if not settings.SCREENING_URL:
        return PASSED
    with _client() as client:
        return _ask(client, Withdrawal.objects.get(id=withdrawal_id))


def _client() -> httpx.Client:
    token = settings.SCREENING_TOKEN
    return httpx.Client(
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=settings.SCREENING_TIMEOUT_S,
        trust_env=False,
        follow_redirects=False,
    )


def _ask(client: httpx.Client, row: Withdrawal) -> Verdict:
    question = {
        "id": str(row.id),
        "merchant_id": str(row.merchant_id),
        "api": row.api,
        "asset": row.asset,
        "network": row.network,
        "destination": row.destination,
        "amount": units.text(row.asset, int(row.amount_units), 0),
    }
    try:
        reply = client.post(settings.SCREENING_URL, json=question)
        if reply.status_code != httpx.codes.OK:
            return _silent(f"HTTP {reply.status_code}")
        said = reply.json()
        return Verdict(Answer(said["verdict"]), str(said.get("reason") or "")[:LONGEST_REASON].replace("\x00", ""))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _silent(type(error).__name__)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _silent("an answer that cannot be read")


def _silent(why: str) -> Verdict:
    return Verdict(Answer.FLAG, f"screening gave no answer ({why})", is_silent=True)
