"""The `tenant` API's payments: what a body asks for, and what is shown of one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from payouts.api import ids
from payouts.api.tenant import fields, wire
from payouts.merchants.models import Merchant
from payouts.payments import payments, pricing
from payouts.payments.payment_models import Status
from payouts.rates import rates
from payouts.subaccounts import subaccounts
from payouts.subaccounts.models import SubAccount
from payouts.webhooks import endpoints
from payouts.withdrawals import rules

CREATE_FIELDS = frozenset(
    {
        "amount",
        "currency",
        "price_currency",
        "callback_url",
        "order_id",
        "order_description",
        "is_fixed_rate",
        "is_fee_paid_by_user",
        "customer_email",
        "wallet_id",
        "expiry_minutes",
    }
)
EXPIRY_MINUTES, LONGEST_EXPIRY_MINUTES = 30, 7 * 24 * 60
PRICE_PLACES = 8
LARGEST_PRICE = Decimal(10**15)
SHOWN: Mapping[str, str] = {status: str(status).lower() for status in Status}
STATUSES: Mapping[str, str] = {shown: status for status, shown in SHOWN.items()}


def order(body: dict[str, Any], *, merchant: Merchant, now: datetime) -> payments.Order:
    """What a create's body asks a customer for.

    Raises: fields.Refused, codes.UnknownCode, codes.NotOffered, rates.NoRate, rates.StaleRate, rules.NoFeeRule,
    endpoints.BadUrl.
    """
    fields.only(body, CREATE_FIELDS)
    code = fields.offered_code(body)
    url = fields.optional_text(body, "callback_url", most=endpoints.MAX_URL)
    wallet = sub_account(merchant, body, optional=True)
    tariff = rules.tariff(rules.Case(merchant, wire.API, code.asset, code.network, 0))
    return payments.Order(
        merchant=merchant,
        api=wire.API,
        asset=code.asset,
        network=code.network,
        amount=_amount(body, asset=code.asset, now=now),
        valid_for=timedelta(minutes=_expiry_minutes(body)),
        fee_percent=tariff.percent,
        is_fee_paid_by_user=fields.truth(body, "is_fee_paid_by_user", default=False),
        is_fixed_rate=fields.truth(body, "is_fixed_rate", default=True),
        owner=wallet.account if wallet else None,
        callback=endpoints.callback(merchant, api=wire.API, url=url, events=wire.EVENTS, now=now) if url else None,
        order_id=fields.optional_text(body, "order_id", most=128),
        description=fields.optional_text(body, "order_description", most=500),
        customer_email=_email(body),
    )


def sub_account(merchant: Merchant, body: Mapping[str, Any], *, optional: bool = False) -> SubAccount | None:
    """The sub-account that a body's `wallet_id` names; None only where it is `optional` and left out.

    Raises: fields.Refused.
    """
    text = (fields.optional_text if optional else fields.text)(body, "wallet_id", most=100)
    if not text:
        return None
    account = ids.WALLET.parse(text)
    found = subaccounts.find(merchant, account=account) if account else None
    if found is None:
        raise fields.Refused("not_found", "Wallet not found")
    return found


def _amount(body: dict[str, Any], *, asset: str, now: datetime) -> Decimal | pricing.Price:
    amount = fields.amount(body, "amount")
    text = fields.optional_text(body, "price_currency", most=100)
    currency = fields.worth(text) if text else asset
    if currency == asset:
        return amount
    if amount >= LARGEST_PRICE or amount != amount.quantize(Decimal(1).scaleb(-PRICE_PLACES), context=rates.EXACT):
        raise fields.Refused("invalid_amount", f"amount must be less than 10^15 and have at most {PRICE_PLACES} places")
    return pricing.Price(amount, rates.quote(currency, asset, now=now))


def _expiry_minutes(body: dict[str, Any]) -> int:
    found = body.get("expiry_minutes")
    if found is None:
        return EXPIRY_MINUTES
    if not isinstance(found, Decimal) or found != found.to_integral_value() or not 1 <= found <= LONGEST_EXPIRY_MINUTES:
        raise fields.Refused("invalid_request", f"expiry_minutes must be a number from 1 to {LONGEST_EXPIRY_MINUTES}")
    return int(found)


def _email(body: dict[str, Any]) -> str:
    found = fields.optional_text(body, "customer_email", most=254)
    try:
        if found:
            validate_email(found)
    except ValidationError as error:
        raise fields.Refused("invalid_request", "customer_email must be an e-mail address") from error
    return found


def payment(seen: Mapping[str, Any]) -> dict[str, Any]:
    """A payment; `amount` is what the customer has to send."""
    asset = seen["asset"]
    is_wallets = seen["owner"] != seen["merchant_id"]
    return {
        "transaction_id": seen["id"],
        "status": SHOWN[seen["status"]],
        "address": seen["address"],
        **wire.named(asset, seen["network"]),
        "amount": wire.amount(asset, seen["due_units"]),
        "received_amount": wire.amount(asset, seen["received_units"]),
        "fee": wire.amount(asset, seen["fee_units"]),
        "is_fee_paid_by_user": seen["is_fee_paid_by_user"],
        "is_fixed_rate": seen["is_fixed_rate"],
        "price_amount": _plain(seen["price_amount"]),
        "price_currency": seen["price_currency"] or None,
        "rate": _plain(seen["rate"]),
        "rate_source": seen["rate_source"] or None,
        "rate_at": wire.moment(seen["rate_at"]) if seen["rate_at"] else None,
        "order_id": seen["order_id"] or None,
        "order_description": seen["description"] or None,
        "customer_email": seen["customer_email"] or None,
        "wallet_id": ids.WALLET.text(UUID(seen["owner"])) if is_wallets else None,
        "expires_at": wire.moment(seen["expires_at"]),
        "created_at": wire.moment(seen["created_at"]),
        "updated_at": wire.moment(seen["updated_at"]),
    }


def _plain(text: str | None) -> str | None:
    if text is None or "." not in text:
        return text
    return text.rstrip("0").rstrip(".")
