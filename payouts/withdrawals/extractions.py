"""A store's extraction: who may ask, which address, which account; the rest is a withdrawal like any other.

The questions come in the order in which the API answers them (CONFORMANCE §0): flag, QR code, address, amount, funds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from chain import units
from payouts.merchants import stores, supervisors
from payouts.merchants.store_models import QrCode, Store, Supervisor
from payouts.withdrawals import rulebook, short, withdrawals
from payouts.withdrawals.models import Withdrawal

API = "extraction"
ASSET = "USDT"


class NoAddress(Exception):
    """None was given and the QR code holds none."""


class NotTheStoredAddress(Exception):
    """A supervisor's extraction goes to the QR code's address and to no other."""


class NoRate(Exception):
    """The account is not kept in USDT and nobody says what a USDT costs in its currency."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a store's person asks for; `supervisor` is who acts for the store, `address` None where none was given."""

    store: Store
    person: User
    supervisor: Supervisor | None
    address: str | None
    amount: Decimal


def create(wanted: Wanted, *, now: datetime) -> Withdrawal:
    """Take the amount out of the QR code's account, what it lacks out of its credit line, and remember the address.

    Units: `wanted.amount` in USDT.
    Raises: supervisors.NotAllowed, stores.NoQrCode, NoAddress, NotTheStoredAddress, addresses.BadAddress,
    units.BadAmount, NoRate, posting.InsufficientFunds, and what `withdrawals.create` raises.
    """
    with transaction.atomic():
        if wanted.supervisor is not None:
            supervisors.hold_buyer(wanted.supervisor)
        qr_code = stores.hold_qr_code(wanted.store)
        order = _order(wanted, qr_code)
        withdrawal = withdrawals.create(order, now=now)
        stores.keep_address(qr_code, order.destination, by=wanted.person, withdrawal_id=withdrawal.id, now=now)
        return withdrawal


def wish(wanted: Wanted) -> short.Wish | None:
    """The same for the short way, which keeps no address: None unless it is the one that the QR code holds.

    Raises: what `create` does.
    """
    qr_code = stores.qr_code(wanted.store)
    order = _order(wanted, qr_code, is_ours=lambda _: False)  # the short way looks itself
    if order.destination != qr_code.last_address:
        return None
    supervisor = None if wanted.supervisor is None else str(wanted.supervisor.id)
    return short.Wish(
        order, stands={"qr_code": str(qr_code.id), "address": order.destination, "supervisor": supervisor}
    )


def _order(wanted: Wanted, qr_code: QrCode, *, is_ours: Callable[[str], bool] = rulebook.is_ours) -> withdrawals.Order:
    network, destination = _where_to(wanted, qr_code, is_ours=is_ours)
    amount_units = units.to_units(ASSET, wanted.amount)
    if qr_code.currency != ASSET:
        raise NoRate(qr_code.currency)
    return withdrawals.Order(
        merchant=wanted.store.merchant,
        api=API,
        asset=ASSET,
        network=network,
        destination=destination,
        amount_units=amount_units,
        actor=wanted.person.get_username(),
        owner=qr_code.account,
        maker=wanted.person,
    )


def _where_to(wanted: Wanted, qr_code: QrCode, *, is_ours: Callable[[str], bool]) -> tuple[str, str]:
    """The network and the address, in its normal form; a supervisor's is always the stored one."""
    if not qr_code.last_address and (wanted.address is None or wanted.supervisor is not None):
        raise NoAddress("the QR code holds no address yet")
    text = qr_code.last_address if wanted.address is None else wanted.address
    network = "ethereum" if text.startswith("0x") else "tron"
    destination = withdrawals.destination(wanted.store.merchant, network=network, text=text, is_ours=is_ours)
    if wanted.supervisor is not None and destination != qr_code.last_address:
        raise NotTheStoredAddress("a supervisor's extraction goes to the QR code's address")
    return network, destination
