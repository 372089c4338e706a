"""Rates: rows, inverses, ways through USD; a stale one refuses; a provider is asked by a sweep, not by a request."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import alarms, units
from payouts import tasks
from payouts.rates import providers, rates
from payouts.rates.models import Rate
from payouts.withdrawals.tariffs import Tariff
from tests import fakes, make

NOW = make.now()


def says(base: str, quote: str, rate: str, **more: Any) -> Rate:
    return Rate.objects.create(base=base, quote=quote, rate=Decimal(rate), **({"at": NOW} | more))


@pytest.mark.django_db
def test_a_pairs_own_row_goes_before_the_inverse_of_the_other() -> None:
    assert rates.quote("USDT", "USD", now=NOW).rate == 1
    assert rates.quote("USD", "USDT", now=NOW).rate == 1
    says("USD", "USDT", "0.999")
    found = rates.quote("USD", "USDT", now=NOW)
    assert (found.rate, found.source, found.at) == (Decimal("0.999"), "table", NOW)
    assert rates.quote("USDT", "USD", now=NOW).rate == 1
    assert rates.quote("USDT", "USDT", now=NOW).rate == 1


@pytest.mark.django_db
def test_without_a_row_the_way_leads_through_usd_and_the_older_moment_counts() -> None:
    earlier = NOW - timedelta(hours=1)
    says("ETH", "USD", "2500", source="a", at=earlier)
    says("EUR", "USD", "1.25", source="b")
    found = rates.quote("ETH", "EUR", now=NOW)
    assert (found.rate, found.source, found.at) == (Decimal(2000), "a, b", earlier)
    assert rates.quote("EUR", "ETH", now=NOW).rate == Decimal("0.0005")
    with pytest.raises(rates.NoRate):
        rates.quote("PEPE", "EUR", now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("pair", [("ETH", "USD"), ("USD", "ETH"), ("ETH", "USDT"), ("USDT", "ETH")])
def test_a_stale_rate_refuses_on_every_way_it_is_needed(pair: tuple[str, str]) -> None:
    says("ETH", "USD", "2500", good_for_s=60)
    assert rates.quote(*pair, now=NOW + timedelta(seconds=60)).rate
    with pytest.raises(rates.StaleRate):
        rates.quote(*pair, now=NOW + timedelta(seconds=61))
    assert rates.worth_usd("ETH", 10**18, now=NOW) == "2500.00"
    assert rates.worth_usd("ETH", 10**18, now=NOW + timedelta(seconds=61)) is None


@pytest.mark.django_db
def test_what_an_amount_buys_is_rounded_down_to_the_assets_last_place() -> None:
    assert rates.bought_units("USDT", Decimal(50), Decimal("0.999")) == make.usdt("49.95")
    assert rates.bought_units("USDT", Decimal("0.01"), Decimal("0.33333333")) == 3333
    assert rates.bought_units("DAI", Decimal("9" * 14), Decimal("0." + "9" * 20)) == 99999999999999 * 10**18 - 10**12
    with pytest.raises(units.BadAmount):
        rates.bought_units("USDT", Decimal("0.000001"), Decimal("0.5"))


@given(
    percent=st.decimals("0", "99.9999", places=4),
    flat=st.integers(0, 10**12),
    net=st.integers(1, 10**30),
)
def test_the_amount_to_ask_for_leaves_just_what_is_wanted_and_no_smaller_one_does(
    percent: Decimal, flat: int, net: int
) -> None:
    tariff = Tariff(percent, flat)
    asked = tariff.requested_units(net)
    assert asked - tariff.fee(asked).units == net
    assert asked - 1 - tariff.fee(asked - 1).units < net


def test_the_documents_fee_of_a_hundred() -> None:
    tariff = Tariff(Decimal(1), make.usdt("0.5"))
    fee = tariff.fee(make.usdt("100"))
    assert (fee.platform_units, fee.network_units, fee.units) == tuple(map(make.usdt, ("1", "0.5", "1.5")))
    assert tariff.requested_units(make.usdt("98.5")) == make.usdt("100")
    assert Tariff(Decimal("0.0001"), 0).fee(1).units == 1, "rounded up"


@pytest.fixture
def service(settings: Any) -> Iterator[fakes.Receiver]:
    with fakes.receiver() as receiver:
        settings.RATES_URL = receiver.url("/rates")
        settings.RATES_TOKEN = "token"
        settings.RATES_GOOD_FOR_S = 60
        yield receiver


def answers(service: fakes.Receiver, body: Any, status: int = 200) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    service.answers["/rates"] = lambda handler: handler.reply(status, raw)


def said(base: str = "ETH", rate: Any = "2500.5", at: datetime | str = NOW) -> dict[str, Any]:
    return {"base": base, "rate": rate, "at": at if isinstance(at, str) else at.isoformat()}


@pytest.mark.django_db
def test_the_sweep_writes_down_what_the_provider_says_of_what_no_person_has_set(service: fakes.Receiver) -> None:
    at = make.now().replace(microsecond=0)
    answers(service, {"rates": [said(at=at), said("USDT", "0.5", at), said("GOLD", "1", at)]})
    assert tasks.rates() == 1
    (call,) = service.at("/rates")
    assert call.headers["Authorization"] == "Bearer token"
    found = rates.quote("ETH", "USD", now=at)
    assert (found.rate, found.at) == (Decimal("2500.5"), at)
    assert service.url("").endswith(found.source)
    assert rates.quote("USDT", "USD", now=at).rate == 1, "people's rows stay"
    with pytest.raises(rates.StaleRate):
        rates.quote("ETH", "USD", now=at + timedelta(seconds=61))
    answers(service, {"rates": [said(rate="1", at=at - timedelta(seconds=1))]})
    tasks.rates()
    assert rates.quote("ETH", "USD", now=at).rate == Decimal("2500.5"), "an older word changes nothing"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"[" * 100_000,
        {},
        {"rates": [{"base": "ETH"}]},
        *({"rates": [said(rate=rate)]} for rate in (2500.5, "0", "-1", "NaN", "Infinity", "1e400", "1e-21", "x", None)),
        {"rates": [said(at="2026-01-01T00:00:00")]},
        {"rates": [said(at="yesterday")]},
    ],
)
def test_an_answer_that_cannot_be_read_changes_nothing_and_raises_an_alarm(service: fakes.Receiver, body: Any) -> None:
    answers(service, body)
    before = list(Rate.objects.values_list())
    assert tasks.rates() == 0
    assert list(Rate.objects.values_list()) == before
    assert "rates.silent" in alarms.standing().values_list("kind", flat=True)
    answers(service, {"rates": [said(at=make.now())]})
    tasks.rates()
    assert "rates.silent" not in alarms.standing().values_list("kind", flat=True)


@pytest.mark.django_db
def test_a_rate_of_the_future_is_none_and_without_a_provider_nobody_is_asked(
    service: fakes.Receiver, settings: Any
) -> None:
    answers(service, {"rates": [said(at=make.now() + timedelta(hours=1))]})
    assert tasks.rates() == 0
    assert not Rate.objects.filter(base="ETH").exists()
    settings.RATES_URL = ""
    assert providers.configured() is None
    assert tasks.rates() == 0
