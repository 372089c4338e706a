"""Thousands of a merchant's withdrawals in one transaction: each made, or called back, as a single one would be."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from ledger import posting
from ledger.accounts import Purpose
from payouts.merchants.models import Merchant
from payouts.withdrawals import advance, limits, orders, postings, rules, steps, whole
from payouts.withdrawals.advance import By
from payouts.withdrawals.models import Approval, Withdrawal
from payouts.withdrawals.tariffs import Fee


@dataclass(frozen=True, slots=True)
class Together:
    """What many payments have in common."""

    merchant: Merchant
    api: str
    channel: str
    asset: str
    actor: str
    maker: User | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One of them: its withdrawal's id, where to, in the address's normal form, and how much, fee included."""

    id: UUID
    network: str
    destination: str
    amount_units: int
    reference: str = ""


def create_all(of: Together, lines: Sequence[Line], *, now: datetime) -> list[Withdrawal]:
    """Make the withdrawals in their order, as far as the balance and the credit line reach: those that were made.

    Inside the caller's transaction. The caller has normalised the addresses; what a row costs may have changed since.

    Units: the asset's ledger units.
    Raises: orders.AmountTooSmall, rules.NoFeeRule, limits.NotInAddressBook, limits.PaymentLimitExceeded,
    limits.WindowLimitExceeded; addresses.BadAddress where nobody would be asked and the address cannot be paid.
    """
    if not lines:
        return []
    kept = limits.of(of.merchant, api=of.api, asset=of.asset)
    rows = _priced(of, lines, kept, now=now)
    made = _affordable(rows)
    limits.check_amounts(kept, made, now=now)
    return advance.take_all([(row, By(of.actor, of.maker)) for row in made], "create", now=now)


def _priced(of: Together, lines: Sequence[Line], kept: limits.Limits, *, now: datetime) -> list[Withdrawal]:
    base = rules.Case(of.merchant, of.api, of.asset, "", 0, of.channel)
    tariffs = {name: rules.tariff(replace(base, network=name)) for name in {line.network for line in lines}}
    places = {(line.network, line.destination) for line in lines}
    limits.check_destinations(kept, of.merchant, places, now=now)
    policy = rules.Policy.read(base, places, cool_down_hours=kept.cool_down_hours, now=now)
    rows = []
    for line in lines:
        approval = policy.approval(line.network, line.destination, line.amount_units)
        if approval == Approval.NONE:
            policy.payable(line.network, line.destination)
        fee = tariffs[line.network].fee(line.amount_units)
        if line.amount_units <= fee.units:
            raise orders.AmountTooSmall("the amount must exceed the fee")
        rows.append(_withdrawal(of, line, fee, approval, now=now))
    return rows


def _withdrawal(of: Together, line: Line, fee: Fee, approval: Approval, *, now: datetime) -> Withdrawal:
    return Withdrawal(
        id=line.id,
        merchant=of.merchant,
        api=of.api,
        channel=of.channel,
        owner=of.merchant.id,
        asset=of.asset,
        network=line.network,
        destination=line.destination,
        amount_units=line.amount_units,
        fee_units=fee.units,
        platform_units=fee.platform_units,
        net_units=line.amount_units - fee.units,
        credit_units=0,
        custom_id=line.reference,
        approval=approval,
        maker=of.maker,
        created_at=now,
    )


def _affordable(rows: Sequence[Withdrawal]) -> list[Withdrawal]:
    """The first of them that balance and credit line cover, each with what it draws; the accounts stay locked."""
    available, credit = (postings.account(rows[0], one) for one in (Purpose.AVAILABLE, Purpose.CREDIT))
    balances = posting.lock(postings.frozen_by(rows[0]))
    left_units, line_units = balances[available].balance_units, balances[credit].spendable_units or 0
    made = []
    for row in rows:
        short_units = max(0, int(row.amount_units) - left_units)
        if short_units > line_units:
            break
        row.credit_units = short_units
        left_units += short_units - int(row.amount_units)
        line_units -= short_units
        made.append(row)
    return made


@whole.retried
def cancel_all(withdrawal_ids: Collection[UUID], *, by: By, now: datetime) -> list[Withdrawal]:
    """Call back those of them that have not been handed to the chain, in one transaction."""
    with transaction.atomic():
        rows = [row for row in advance.locked_all(withdrawal_ids) if steps.allowed("cancel", row.status)]
        return advance.take_all([(row, by) for row in rows], "cancel", now=now) if rows else []
