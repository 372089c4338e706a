"""The `tenant` API's views on currencies and rates."""

from decimal import ROUND_DOWN, Decimal
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chain import units
from payouts.api import base
from payouts.api.tenant import fields, wire
from payouts.api.tenant.frame import READ, TenantView
from payouts.currencies import currencies
from payouts.currencies.currencies import Offered, Way
from payouts.rates import rates
from payouts.rates.rates import EXACT

PERCENT = Decimal(100)
RATE_PLACES = 8  # of what is no asset of ours, such as USD


class Currencies(TenantView):
    """`/currencies/`."""

    def get(self, request: Request) -> Response:
        """List the currencies that can be paid in, or (`withdrawal`) out."""
        query = request.query_params
        full, ranges, usd, out = (fields.flag(query, name) for name in ("full", "min_max", "include_usd", "withdrawal"))
        if usd and not ranges:
            raise fields.Refused("invalid_request", "include_usd requires min_max=true")
        found = currencies.offered(Way.WITHDRAWAL if out else Way.PAYMENT)
        if not (full or ranges):
            return Response({"currencies": [one.code.joined for one in found]})
        return Response({"currencies": [_shown(one, full=full, ranges=ranges, usd=usd) for one in found]})


def _shown(one: Offered, *, full: bool, ranges: bool, usd: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"currency": one.code.joined}
    if full:
        named = wire.currency(one.code)
        shown |= {
            "name": one.asset.title,
            "token": named["token"].lower(),
            "blockchain": named["blockchain"].lower(),
            "is_popular": one.is_popular,
            "is_stable": one.asset.is_stable,
        }
    bounds = {"min_amount": one.min_units, "max_amount": one.max_units} if ranges else {}
    shown |= {name: wire.amount(one.code.asset, bound) for name, bound in bounds.items()}
    if usd:
        now = base.now()
        shown |= {f"{name}_usd": rates.worth_usd(one.code.asset, bound, now=now) for name, bound in bounds.items()}
    return shown


class Rates(TenantView):
    """`/rates/`."""

    scopes = READ

    def get(self, request: Request) -> Response:
        """Convert an amount at the rate of now.

        What is left of the amount after the fee is converted; without `fee_percentage` there is no fee, and with
        `is_fee_paid_by_user=false` it is not deducted.
        """
        query = request.query_params
        source = fields.text(query, "currency_from", most=100) if "currency_from" in query else "USD"
        target = fields.text(query, "currency_to", most=100)
        amount = fields.amount(query, "amount") if "amount" in query else Decimal(1)
        percentage = _percentage(query)
        found = rates.quote(fields.worth(source), fields.worth(target), now=base.now())
        fee = _cut(found.base, EXACT.divide(EXACT.multiply(amount, percentage), PERCENT))
        left = EXACT.subtract(amount, fee) if fields.flag(query, "is_fee_paid_by_user", default=True) else amount
        answer: dict[str, Any] = {
            "currency_from": source.upper(),
            "currency_to": target.upper(),
            "amount": _number(amount),
            "estimated_amount": _number(_cut(found.quote, EXACT.multiply(left, found.rate))),
            "rate": _number(found.rate),
        }
        if fields.flag(query, "full"):
            answer |= {
                "fee_percentage": _number(percentage),
                "fee_amount": _number(fee),
                "timestamp": wire.moment(found.at),
            }
        return Response(answer)


def _percentage(query: Any) -> Decimal:
    """Raises: fields.Refused."""
    text = query.get("fee_percentage")
    if text is None:
        return Decimal(0)
    if not fields.AMOUNT.fullmatch(text) or Decimal(text) > PERCENT:
        raise fields.Refused("invalid_request", "fee_percentage must be a number from 0 to 100")
    return Decimal(text)


def _cut(name: str, amount: Decimal) -> Decimal:
    """Rounded down to the last place that this currency has."""
    places = units.PLACES.get(name, RATE_PLACES)
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_DOWN, EXACT)


def _number(amount: Decimal) -> Any:
    """With at least one place, and none that says nothing: 100.0."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return base.number(f"{whole}.{fraction.rstrip('0') or '0'}")
