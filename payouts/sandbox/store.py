"""The sandbox's store: its person, a supervisor who may extract, and a QR code that has no address yet."""

import secrets as randomness
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from payouts.merchants import stores, supervisors
from payouts.merchants.models import Merchant
from payouts.merchants.store_models import QrCode

LOGIN_PATH = "/api/v1/auth/login"


def part(merchant: Merchant, *, bare: bool, now: datetime) -> dict[str, Any]:
    """What the `extraction` API needs, made now; `bare` leaves out the QR code, and with it the account."""
    password = randomness.token_urlsafe(18)
    person = User.objects.create_user(f"store-{randomness.token_hex(4)}", password=password)
    store = stores.make(merchant, name=f"Store of {merchant.name}", person=person)
    supervisor = supervisors.create(store, name="Supervisor", email="supervisor@store.example", now=now)
    supervisors.set_flags(supervisor, supervisors.Flags(buy_usdt_active=True))
    return {
        "store": {"username": person.get_username(), "password": password},
        "supervisor": {
            "username": supervisor.person.get_username(),
            "password": supervisors.first_password(supervisor.id),
        },
        "account_id": None if bare else str(stores.assign_qr_code(store).account),
        "login_path": LOGIN_PATH,
    }


def accounts(merchant: Merchant) -> list[UUID]:
    """The accounts behind the merchant's QR codes."""
    return list(QrCode.objects.filter(store__merchant=merchant).order_by("id").values_list("account", flat=True))
