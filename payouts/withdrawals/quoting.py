"""What a payout would be before anybody has confirmed it: checked like the real one, nothing frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from chain import networks
from chain.assets import ASSETS
from ledger import balances, posting
from ledger.accounts import Purpose
from payouts.merchants.models import Merchant
from payouts.withdrawals import limits, postings, rules, withdrawals
from payouts.withdrawals.models import FeeRule, Withdrawal
from payouts.withdrawals.withdrawals import Order

DASHBOARD = "dashboard"  # what stands in a withdrawal's `api` where a person made it there


@dataclass(frozen=True, slots=True)
class Quote:
    """A withdrawal that is not there yet, and what it would leave.

    Units: the asset's ledger units.
    """

    withdrawal: Withdrawal
    balance_after_units: int
    drawn_units: int

    @property
    def said(self) -> list[Any]:
        """What a code confirms: asset, network, address, what the recipient gets, fee, total, what is drawn on credit.

        The balance is shown and not bound: it moves with every other payment.
        """
        made = self.withdrawal
        amounts = (made.net_units, made.fee_units, made.amount_units, self.drawn_units)
        return [made.asset, made.network, made.destination, *map(int, amounts)]


def of(order: Order, *, now: datetime) -> Quote:
    """The quote for an order; a create right after it would be taken.

    Raises: what withdrawals.create() does.
    """
    withdrawal, kept = withdrawals.priced(order, now=now)
    with transaction.atomic():
        limits.check_amount(kept, withdrawal, now=now)
    refs = [postings.account(withdrawal, purpose) for purpose in (Purpose.AVAILABLE, Purpose.CREDIT)]
    found = balances.of(refs)
    available, credit = (found[ref] for ref in refs)
    after_units = available.balance_units - int(withdrawal.amount_units)
    drawn_units = max(0, -after_units)
    if drawn_units > (credit.spendable_units or 0):
        raise posting.InsufficientFunds("account_not_overdrawn", ref=refs[0], short_units=drawn_units)
    return Quote(withdrawal, max(0, after_units), drawn_units)


def total_units(merchant: Merchant, *, asset: str, network: str, net_units: int) -> int:
    """What leaves the balance so that the recipient gets this much.

    Units: the asset's ledger units.
    Raises: rules.NoFeeRule.
    """
    return rules.tariff(rules.Case(merchant, DASHBOARD, asset, network, net_units)).requested_units(net_units)


def ways(merchant: Merchant) -> Sequence[tuple[str, str]]:
    """The assets and networks in which a person may pay here now, by asset: those with a fee and with endpoints."""
    rows = FeeRule.objects.filter(Q(merchant=None) | Q(merchant=merchant), api=DASHBOARD)
    priced = set(rows.values_list("asset", "network"))
    return [(asset, row.name) for asset in ASSETS for row in networks.configured() if (asset, row.name) in priced]
