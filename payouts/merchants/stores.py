"""Stores and their QR codes: the account behind one, and the address that its extractions went to last."""

import secrets as randomness
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from chain import units
from ledger.accounts import Purpose, Ref
from payouts import prepared
from payouts.merchants import logins
from payouts.merchants.models import Merchant
from payouts.merchants.store_models import AddressChange, QrCode, Store

PASSWORD_BYTES = 18


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
    return _there(_QR_CODE.shared(store.id), store)


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


def found(merchant: Merchant, *, name: str) -> tuple[Store, str]:
    """Open a store with a login and a QR code of its own; the login's password is told this once."""
    password = randomness.token_urlsafe(PASSWORD_BYTES)
    with transaction.atomic():
        person = User.objects.create_user(f"store-{randomness.token_hex(6)}", password=password)
        store = make(merchant, name=name, person=person)
        assign_qr_code(store)
    return store, password


def new_password(store: Store, *, now: datetime) -> str:
    """Give a store's login another password, told this once; who is in with the old one is out."""
    password = randomness.token_urlsafe(PASSWORD_BYTES)
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=store.person_id)
        person.set_password(password)
        person.save(update_fields=["password"])
        logins.end_all(person, now=now)
    return password


def switch(store: Store, *, on: bool, now: datetime) -> None:
    """Switch a store's login off, or on again; what it did stays its own."""
    with transaction.atomic():
        User.objects.filter(pk=store.person_id).update(is_active=on)
        logins.end_all(store.person, now=now)
