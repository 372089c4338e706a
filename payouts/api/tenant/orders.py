"""What the `tenant` API's withdrawal bodies ask for: a currency and an amount, in one of the two documented forms."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from chain import codes, units
from payouts.api.tenant import fields, wire
from payouts.currencies import currencies
from payouts.currencies.currencies import Way
from payouts.merchants.oauth_models import Application
from payouts.rates import rates
from payouts.webhooks import endpoints
from payouts.withdrawals import rules, withdrawals
from payouts.withdrawals.withdrawals import Order

IN_COINS = ("amount", "currency")
IN_A_CURRENCY = ("price_amount", "price_currency", "blockchain", "token")
FORMS = frozenset({*IN_COINS, *IN_A_CURRENCY})
CREATE_FIELDS = FORMS | {"address", "callback_url", "custom_id"}
MOST_OF_AN_ADDRESS = 128


@dataclass(frozen=True, slots=True)
class Asked:
    """So much of a currency, and what it was priced in where that was another."""

    code: codes.Code
    amount_units: int
    price: dict[str, str] | None = None

    def case(self, application: Application) -> rules.Case:
        """The same for fees and policies."""
        code = self.code
        return rules.Case(application.merchant, wire.API, code.asset, code.network, self.amount_units)


def asked(body: dict[str, Any], *, now: datetime) -> Asked:
    """The currency and the amount, by whichever form the body has.

    Raises: fields.Refused, codes.UnknownCode, codes.NotOffered, units.BadAmount, rates.NoRate, rates.StaleRate.
    """
    given = {name for name in FORMS if body.get(name) is not None}
    if given == {*IN_COINS}:
        code = fields.offered_code(body)
        return Asked(code, units.to_units(code.asset, fields.amount(body, "amount")))
    if given == {*IN_A_CURRENCY}:
        return _priced(body, now=now)
    forms = "amount and currency, or price_amount, price_currency, blockchain and token"
    raise fields.Refused("invalid_request", f"Give either {forms}")


def _priced(body: dict[str, Any], *, now: datetime) -> Asked:
    network, asset = (
        read(fields.text(body, name, most=100))
        for name, read in (("blockchain", fields.network), ("token", fields.asset))
    )
    code = codes.offered(codes.of(asset, network=network).code)
    amount = fields.amount(body, "price_amount")
    currency = fields.worth(fields.text(body, "price_currency", most=100))
    quote = rates.quote(currency, asset, now=now)
    price = {"amount": _plain(amount), "currency": currency} | quote.record()
    return Asked(code, rates.bought_units(asset, amount, quote.rate), price)


def _plain(amount: Decimal) -> str:
    return f"{amount:f}"


def order(body: dict[str, Any], *, application: Application, now: datetime) -> Order:
    """The order in a create's body.

    Raises: what asked() does, currencies.OutOfRange, endpoints.BadUrl.
    """
    fields.only(body, CREATE_FIELDS)
    wanted = asked(body, now=now)
    currencies.find(wanted.code, Way.WITHDRAWAL).check(wanted.amount_units)
    destination = fields.text(body, "address", most=MOST_OF_AN_ADDRESS)
    url = fields.optional_text(body, "callback_url", most=endpoints.MAX_URL)
    merchant = application.merchant
    return withdrawals.Order(
        merchant=merchant,
        api=wire.API,
        asset=wanted.code.asset,
        network=wanted.code.network,
        destination=destination,
        amount_units=wanted.amount_units,
        actor=application.client_id,
        maker=application.user,
        callback=endpoints.callback(merchant, api=wire.API, url=url, events=wire.EVENTS, now=now) if url else None,
        custom_id=fields.optional_text(body, "custom_id", most=64),
        price=wanted.price,
    )
