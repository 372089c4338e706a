"""The verbs of payments in: asked for, seen, paid in part, paid, paid too much, too late or never."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from chain import codes
from payouts.currencies import currencies
from payouts.merchants.models import Merchant
from payouts.payments import addresses, payment_snapshots, payment_steps, pricing
from payouts.payments.payment_models import OPEN, Payment, PaymentStep, Status
from payouts.rates.rates import Quote
from payouts.webhooks import outbox
from payouts.webhooks.models import Endpoint

log = structlog.get_logger(__name__)

CHANGED = ["status", "received_units", "fee_taken_units", "updated_at"]


class NotRepriced(Exception):
    """The rate of this payment is fixed, or somebody has begun to pay it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a merchant asks a customer to pay.

    `amount` is in whole coins of the asset, or a price in another currency with the rate that holds; `owner` is who in
    the merchant's book is paid (a sub-account), the merchant itself where nobody is named.
    """

    merchant: Merchant
    api: str
    asset: str
    network: str
    amount: Decimal | pricing.Price
    valid_for: timedelta
    fee_percent: Decimal = Decimal(0)
    is_fee_paid_by_user: bool = False
    is_fixed_rate: bool = True
    owner: UUID | None = None
    callback: Endpoint | None = None
    order_id: str = ""
    description: str = ""
    customer_email: str = ""


class Taking:
    """Steps that locked (or new) payments take in one transaction, written down together at its end."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now
        self._payments: dict[UUID, Payment] = {}
        self._steps: list[PaymentStep] = []
        self._tellings: list[outbox.Telling] = []

    def take(self, payment: Payment, verb: str, **data: Any) -> None:
        """One step.

        Raises: payment_steps.StepRefused.
        """
        before = payment.status
        payment.status = payment_steps.taken(verb, before)
        payment.updated_at = self._now
        after = {"payment": payment, "verb": verb, "from_status": before, "to_status": payment.status}
        self._steps.append(PaymentStep(**after, data=data, at=self._now))
        self._payments[payment.id] = payment
        if before:
            self._tellings.append(_telling(payment))
        log.info("payment.step", payment_id=str(payment.id), verb=verb, status=payment.status)

    def write(self) -> None:
        """Write it all down, messages included."""
        new = [one for one in self._payments.values() if one._state.adding]  # noqa: SLF001 - documented by Django
        known = [one for one in self._payments.values() if not one._state.adding]  # noqa: SLF001 - documented by Django
        Payment.objects.bulk_update(known, CHANGED, batch_size=1000)
        Payment.objects.bulk_create(new)
        PaymentStep.objects.bulk_create(self._steps)
        outbox.add_all(self._tellings, now=self._now)


def create(order: Order, *, now: datetime) -> Payment:
    """Ask for a payment at a fresh address of its own.

    Raises: codes.UnknownCode, codes.NotOffered, units.BadAmount, currencies.OutOfRange, addresses.NoExtendedKey.
    """
    offered = currencies.find(codes.of(order.asset, network=order.network), currencies.Way.PAYMENT)
    due = pricing.due(
        order.asset, order.amount, fee_percent=order.fee_percent, is_fee_paid_by_user=order.is_fee_paid_by_user
    )
    offered.check(due.amount_units)
    payment = Payment(
        merchant=order.merchant,
        api=order.api,
        owner=order.owner or order.merchant.id,
        asset=order.asset,
        network=order.network,
        is_fixed_rate=order.is_fixed_rate,
        fee_percent=order.fee_percent,
        order_id=order.order_id,
        description=order.description,
        customer_email=order.customer_email,
        callback=order.callback,
        expires_at=now + order.valid_for,
        created_at=now,
    )
    _price(payment, due, order.amount)
    with transaction.atomic():
        payment.address = addresses.provide(order.merchant, owner=payment.id, network=order.network, now=now)
        taking = Taking(now=now)
        taking.take(payment, "create")
        taking.write()
    return payment


def reprice(payment_id: UUID, *, rate: Quote, now: datetime) -> Payment:
    """Ask for what the price is worth now; only before anything was seen, and where the rate is not fixed.

    Raises: NotRepriced, units.BadAmount, Payment.DoesNotExist.
    """
    with transaction.atomic():
        payment = locked([payment_id])[payment_id]
        if payment.is_fixed_rate or payment.price_amount is None or payment.status != Status.WAITING:
            raise NotRepriced(f"{payment.id} is {payment.status}")
        if rate.base != payment.price_currency:
            raise NotRepriced(f"{payment.id} is priced in {payment.price_currency}")
        price = pricing.Price(payment.price_amount, rate)
        by_user = payment.is_fee_paid_by_user
        due = pricing.due(payment.asset, price, fee_percent=payment.fee_percent, is_fee_paid_by_user=by_user)
        _price(payment, due, price)
        payment.updated_at = now
        payment.save()
    return payment


def _price(payment: Payment, due: pricing.Due, amount: Decimal | pricing.Price) -> None:
    payment.amount_units, payment.fee_units = due.amount_units, due.fee_units
    payment.due_units, payment.is_fee_paid_by_user = due.total_units, due.is_fee_paid_by_user
    if isinstance(amount, pricing.Price):
        payment.price_amount, payment.price_currency = amount.amount, amount.rate.base
        payment.rate, payment.rate_source, payment.rate_at = amount.rate.rate, amount.rate.source, amount.rate.at


def receive(taking: Taking, payment: Payment, *, amount_units: int, at: datetime, **data: Any) -> int:
    """Count a final transfer, in a block of that time, to a locked payment; what the platform takes of it.

    Units: the asset's ledger units.
    """
    total_units = payment.received_units + amount_units
    fee_units = pricing.fee_share_units(total_units, fee_units=payment.fee_units, due_units=payment.due_units)
    taken_units = fee_units - payment.fee_taken_units
    payment.received_units, payment.fee_taken_units = total_units, fee_units
    taking.take(payment, _verb(payment, at=at), amount_units=str(amount_units), **data)
    return taken_units


def _verb(payment: Payment, *, at: datetime) -> str:
    """What a transfer that has just been counted means for its payment."""
    if payment.status in (Status.FINISHED, Status.OVERPAID):
        return "overpay"
    if at > payment.expires_at or payment.status not in OPEN:
        return "late"
    if payment.received_units < payment.due_units:
        return "part"
    return "finish" if payment.received_units == payment.due_units else "overpay"


def locked(ids: Iterable[UUID]) -> dict[UUID, Payment]:
    """The payments, their rows locked in the order of their ids until the transaction ends.

    Raises: Payment.DoesNotExist.
    """
    wanted = set(ids)
    rows = Payment.objects.select_for_update(of=("self",)).select_related("merchant")
    found = {row.id: row for row in rows.filter(id__in=wanted).order_by("id")}
    if len(found) != len(wanted):
        raise Payment.DoesNotExist(f"{len(wanted) - len(found)} of {len(wanted)} are not there")
    return found


def _telling(payment: Payment) -> outbox.Telling:
    return outbox.Telling(
        merchant_id=payment.merchant_id,
        api=payment.api,
        event=payment_steps.EVENT,
        subject_id=payment.id,
        data=payment_snapshots.of(payment),
        endpoint_id=payment.callback_id,
    )
