"""Rates from outside: whoever can be asked for some pairs, and the sweep that writes down what is answered.

A request never asks a provider itself: it reads the rows, which are stale when the sweep could not renew them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from chain import alarms
from chain.assets import ASSETS
from payouts.rates.models import TABLE, Rate

QUOTE = "USD"
AHEAD = timedelta(seconds=60)  # a clock may be off by so much; a rate of the future is none


class ProviderFailed(Exception):
    """There was no answer, or none that can be read."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider says of one asset."""

    rate: Decimal
    at: datetime


class Provider(Protocol):
    """Somebody who knows what assets are worth."""

    @property
    def name(self) -> str:
        """As the rows name it."""

    def said(self, bases: Collection[str], *, quote: str) -> Mapping[str, Said]:
        """The rates of those bases that it knows.

        Raises: ProviderFailed.
        """


@dataclass(frozen=True, slots=True)
class HttpProvider:
    """A service that answers GET {url}?base=ETH,TRX&quote=USD.

    The answer is {"rates": [{"base": "ETH", "rate": "2500.5", "at": ISO 8601 with a zone}, …]}.
    """

    url: str
    token: str
    timeout_s: float

    @property
    def name(self) -> str:
        """Its host, as the rows name it."""
        return urlsplit(self.url).netloc[:100]

    def said(self, bases: Collection[str], *, quote: str) -> Mapping[str, Said]:
        """Ask.

        Raises: ProviderFailed.
        """
        try:
            with httpx.Client(timeout=self.timeout_s, trust_env=False, follow_redirects=False) as client:
                reply = client.get(
                    self.url,
                    params={"base": ",".join(sorted(bases)), "quote": quote},
                    headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
                )
            if reply.status_code != httpx.codes.OK:
                raise ProviderFailed(f"HTTP {reply.status_code}")
            return {row["base"]: _read(row) for row in reply.json()["rates"] if row["base"] in bases}
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderFailed(type(error).__name__) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidOperation) as error:
            raise ProviderFailed("an answer that cannot be read") from error


def configured() -> Provider | None:
    """The provider that this deployment names, or None."""
    if not settings.RATES_URL:
        return None
    return HttpProvider(settings.RATES_URL, settings.RATES_TOKEN, settings.RATES_TIMEOUT_S)


def renew(*, now: datetime) -> int:
    """Write down what the provider says of every asset that no person's row speaks of; how many were renewed.

    An alarm stands for as long as it does not answer. Never inside a transaction.
    """
    provider = configured()
    if provider is None:
        return 0
    set_by_people = Rate.objects.filter(source=TABLE, quote=QUOTE).values_list("base", flat=True)
    wanted = {*ASSETS} - {*set_by_people}
    try:
        said = provider.said(wanted, quote=QUOTE)
    except ProviderFailed as failure:
        alarms.stand("rates.silent", {provider.name: str(failure)}, now=now)
        return 0
    alarms.stand("rates.silent", {}, now=now)
    return sum(_write(provider.name, base, one, now=now) for base, one in said.items())


def _write(source: str, base: str, said: Said, *, now: datetime) -> bool:
    """One row, unless a person has set it meanwhile, or it is newer already."""
    if said.at > now + AHEAD:
        return False
    values = {"rate": said.rate, "source": source, "at": said.at, "good_for_s": settings.RATES_GOOD_FOR_S}
    row, is_new = Rate.objects.get_or_create(base=base, quote=QUOTE, defaults=values)
    if is_new:
        return True
    return bool(Rate.objects.filter(pk=row.pk, at__lte=said.at).exclude(source=TABLE).update(**values))


def _read(row: Any) -> Said:
    """Raises: ValueError, KeyError, TypeError, InvalidOperation."""
    if not isinstance(row["rate"], str):  # a JSON number has been a float on its way
        raise TypeError("a rate is a text")
    rate, at = Decimal(row["rate"]), datetime.fromisoformat(row["at"])
    exponent = rate.as_tuple().exponent
    if not (rate.is_finite() and isinstance(exponent, int) and 0 < rate < Decimal(10**18) and exponent >= -20):  # noqa: PLR2004 - the column's
        raise ValueError("no rate of ours")
    if at.tzinfo is None:
        raise ValueError("a moment without a zone")
    return Said(rate, at)
