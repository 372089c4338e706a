"""What somebody wants paid, and what it comes to by the rules: its fee, its address, who must approve it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from chain import addresses, units
from payouts.merchants import settings
from payouts.merchants.models import Merchant
from payouts.merchants.user_models import UserWallet
from payouts.webhooks.models import Endpoint
from payouts.withdrawals import estimating, limits, rulebook, rules
from payouts.withdrawals.models import Approval, Withdrawal


class AmountTooSmall(Exception):
    """Nothing would be left for the recipient after the fee."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants paid, before anything is known about it.

    A merchant's user is paid out of what the merchant owes the user, and the merchant's settings say whose the fee is.
    """

    merchant: Merchant
    api: str
    asset: str
    network: str
    destination: str
    amount_units: int
    actor: str
    owner: UUID | None = None
    maker: User | None = None
    channel: str = ""
    user_wallet: UserWallet | None = None
    callback: Endpoint | None = None
    custom_id: str = ""
    price: Mapping[str, Any] | None = None


def priced(order: Order, *, sheet: rulebook.Sheet | None = None, now: datetime) -> tuple[Withdrawal, limits.Limits]:
    """The withdrawal with its fee and who must approve it, not saved yet, and the limits that it must keep.

    Raises: what `withdrawals.create` does, short of funds and of what has left lately.
    """
    sheet = sheet or rulebook.Sheet(order.merchant, order.api)
    case = rules.Case(
        order.merchant, order.api, order.asset, order.network, order.amount_units, order.channel, sheet=sheet
    )
    fee = estimating.estimate(case).fee
    fee_units = fee.units
    on_top_units = fee_units if order.user_wallet and not settings.user_pays_fee(sheet.settings) else 0
    net_units = order.amount_units + on_top_units - fee_units
    if net_units <= 0:
        raise AmountTooSmall("the amount must exceed the fee")
    units.to_token_units(order.network, order.asset, net_units)
    kept = limits.of(order.merchant, api=order.api, asset=order.asset, sheet=sheet)
    approval, address = _where_to(replace(case, destination=order.destination), kept, now=now)
    withdrawal = Withdrawal(
        merchant=order.merchant,
        api=order.api,
        channel=order.channel,
        owner=order.owner or order.merchant.id,
        user_wallet=order.user_wallet,
        asset=order.asset,
        network=order.network,
        destination=address,
        amount_units=net_units + fee_units,
        fee_units=fee_units,
        platform_units=fee.platform_units,
        net_units=net_units,
        memo_units=order.amount_units if order.user_wallet else 0,
        callback=order.callback,
        custom_id=order.custom_id,
        price=order.price,
        approval=approval,
        maker=order.maker,
        created_at=now,
    )
    return withdrawal, kept


def _where_to(case: rules.Case, kept: limits.Limits, *, now: datetime) -> tuple[Approval, str]:
    """Who must approve, and the address in its normal form.

    Where nobody must, it has to pass the full check: with nobody to stop it, such a withdrawal would wait for ever.

    Raises: addresses.BadAddress, limits.NotInAddressBook.
    """
    is_ours = case.rules.is_ours
    address = destination(case.merchant, network=case.network, text=case.destination, is_ours=is_ours)
    limits.check_destination(kept, case.merchant, network=case.network, address=address, now=now)
    case = replace(case, destination=address)
    approval = rules.approval(case, cool_down_hours=kept.cool_down_hours, now=now)
    if approval == Approval.NONE:
        rules.payable(case.network, address, is_ours=is_ours)
    return approval, address


def destination(
    merchant: Merchant, *, network: str, text: str, is_ours: Callable[[str], bool] = rulebook.is_ours
) -> str:
    """The address in its normal form; a test-mode merchant's needs only to look right (CONFORMANCE, the trap).

    Raises: addresses.BadAddress.
    """
    try:
        return rules.payable(network, text, is_ours=is_ours)
    except addresses.BadAddress:
        if merchant.is_test and addresses.looks_right(network, text):
            return text
        raise
