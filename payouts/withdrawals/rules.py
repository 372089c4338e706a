"""Fees, approval policy and screening: rows decide, code only reads them."""

from dataclasses import dataclass

from django.db.models import Q

from chain import addresses, units
from chain.models import HotWallet
from payouts.merchants import settings
from payouts.merchants.models import Merchant
from payouts.withdrawals.models import Approval, FeeRule, PolicyRule, Status, Withdrawal

LARGE = 10_000  # whole units of the asset from which screening says "large"


class NoFeeRule(Exception):
    """No row says what this withdrawal costs, so it is not offered."""


@dataclass(frozen=True, slots=True)
class Case:
    """What fees and policies are decided by."""

    merchant: Merchant
    api: str
    asset: str
    network: str
    amount_units: int
    channel: str = ""


def fee_units(case: Case) -> int:
    """The withdrawal's fee in the asset's ledger units; the merchant's own row first.

    Raises: NoFeeRule.
    """
    rows = FeeRule.objects.filter(
        Q(merchant=case.merchant) | Q(merchant=None),
        api=case.api,
        asset=case.asset,
        network=case.network,
    )
    flats = {row.merchant_id: int(row.flat_units) for row in rows}
    if not flats:
        raise NoFeeRule(f"{case.asset} on {case.network} has no fee for the {case.api} API")
    return flats.get(case.merchant.id, flats.get(None, 0))


def approval(case: Case) -> Approval:
    """Who must approve: the first row that matches, or two levels where none does.

    What is left to the merchant needs nobody where the merchant has said yes beforehand.
    """
    rows = PolicyRule.objects.filter(
        Q(merchant=case.merchant) | Q(merchant=None),
        Q(to_units=None) | Q(to_units__gte=case.amount_units),
        api__in=("", case.api),
        channel__in=("", case.channel),
        asset__in=("", case.asset),
        from_units__lte=case.amount_units,
    )
    row = rows.order_by("priority", "id").first()
    asked = Approval(row.approval) if row else Approval.TWO_LEVELS
    if asked == Approval.MERCHANT and settings.says_yes(case.merchant, amount_units=case.amount_units):
        return Approval.NONE
    return asked


def findings(withdrawal: Withdrawal) -> list[str]:
    """What screening has to say to the approvers, in plain words; nothing found is an empty list."""
    found = []
    earlier = Withdrawal.objects.filter(
        merchant_id=withdrawal.merchant_id,
        destination=withdrawal.destination,
        status=Status.COMPLETED,
    )
    if not earlier.exists():
        found.append("first withdrawal to this address")
    if withdrawal.amount_units >= LARGE * 10 ** units.places(withdrawal.asset):
        found.append(f"large: {units.text(withdrawal.asset, int(withdrawal.amount_units), 2)} {withdrawal.asset}")
    if (problem := address_problem(withdrawal)) is not None:
        found.append(f"this address cannot be paid ({problem}): nothing will ever be sent to it")
    return found


def address_problem(withdrawal: Withdrawal) -> str | None:
    """Why the chain would refuse the destination, or None when it may be paid."""
    try:
        payable(withdrawal.network, withdrawal.destination)
    except addresses.BadAddress as error:
        return str(error)
    return None


def payable(network: str, text: str) -> str:
    """The address in its normal form, when the chain will take an order to it.

    Raises: addresses.BadAddress.
    """
    address = addresses.normalise(network, text)
    if HotWallet.objects.filter(address=address).exists():  # transfers.order refuses it too, but then it hangs APPROVED
        raise addresses.BadAddress("this is one of our own wallets")
    return address
