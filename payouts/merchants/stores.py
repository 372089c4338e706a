"""Stores and their QR codes: the account behind one, and the address that its extractions went to last."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from chain import units
from ledger.accounts import Purpose, Ref
from payouts import prepared
from payouts.merchants.models import Merchant
from payouts.merchants.store_models import AddressChange, QrCode, Store


class NoQrCode(Exception):
    """The store has no QR code, so there is no account to draw on."""


def make(merchant: Merchant, *, name: str, person: User) -> Store:
    """A store of the merchant's, whose person logs in for it."""
    return Store.objects.create(merchant=merchant, name=name, person=person)


def assign_qr_code(store: Store, *, currency: str = "USDT") -> QrCode:
    """Give the store its QR code with a new account.

    Raises: units.BadAmount for a currency that the ledger does not keep.
    """
    units.places(currency)
    return QrCode.objects.create(store=store, currency=currency)


_QR_CODE = prepared.Query(lambda store_id: QrCode.objects.filter(store_id=store_id), UUID)


def qr_code(store: Store) -> QrCode:
    """The store's QR code, as it is now.

    Raises: NoQrCode.
    """
    return _there(_QR_CODE.first(store.id), store)


def hold_qr_code(store: Store) -> QrCode:
    """The store's QR code, its row locked until the transaction ends.

    Raises: NoQrCode.
    """
    return _there(QrCode.objects.select_for_update(of=("self",)).filter(store=store).first(), store)


def _there(found: QrCode | None, store: Store) -> QrCode:
    if found is None:
        raise NoQrCode(store.name)
    return found


def keep_address(qr_code: QrCode, address: str, *, by: User, withdrawal_id: UUID, now: datetime) -> None:
    """Make this the address used last; who changed it, with which extraction and from what, is written down."""
    if address == qr_code.last_address:
        return
    with transaction.atomic():
        AddressChange.objects.create(
            qr_code=qr_code, before=qr_code.last_address, after=address, person=by, withdrawal=withdrawal_id, at=now
        )
        qr_code.last_address = address
        qr_code.save(update_fields=["last_address"])


def account(store: Store, owner: UUID, currency: str, purpose: Purpose) -> Ref:
    """The ledger's account of this purpose, for a QR code or a supervisor of the store."""
    return Ref(book=store.merchant_id, owner=owner, asset=currency, purpose=purpose)
