"""Wallets of merchants' users: made with a deposit address on every network that the API offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from ledger import balances
from ledger.accounts import Purpose, Ref
from ledger.balances import Balance
from payouts import prepared
from payouts.merchants.models import Merchant
from payouts.merchants.user_models import UserWallet
from payouts.payments import addresses
from payouts.payments.models import DepositAddress


@dataclass(frozen=True, slots=True)
class Generated:
    """A wallet with its addresses by network; `is_new` unless the user had it before."""

    wallet: UserWallet
    addresses: Mapping[str, str]
    is_new: bool


def generate(
    merchant: Merchant, user_id: str, *, details: Mapping[str, object], networks: Sequence[str], now: datetime
) -> Generated:
    """The user's wallet; a repeat answers the first one as it is, whatever the details say now.

    Raises: addresses.NoExtendedKey.
    """
    with transaction.atomic():
        wallet, is_new = UserWallet.objects.get_or_create(
            merchant=merchant, user_id=user_id, defaults={**details, "created_at": now}
        )
        held = {network: addresses.provide(merchant, owner=wallet.id, network=network, now=now) for network in networks}
        return Generated(wallet, held, is_new)


_FOUND = prepared.Query(
    lambda merchant_id, user_id: UserWallet.objects.select_related("merchant").filter(
        merchant_id=merchant_id, user_id=user_id
    ),
    *(UUID, str),
)


def find(merchant: Merchant, user_id: str) -> UserWallet | None:
    """The user's wallet, or None."""
    return _FOUND.shared(merchant.id, user_id)


def held(wallet: UserWallet) -> dict[str, str]:
    """The wallet's addresses by network."""
    return {
        row.network: row.address
        for row in DepositAddress.objects.filter(merchant_id=wallet.merchant_id, owner=wallet.id).order_by("network")
        if row.address
    }


def memo(wallet: UserWallet, asset: str, purpose: Purpose) -> Ref:
    """The wallet's memorandum: what the merchant owes the user, or (MEMO_FROZEN) what the user is taking out."""
    return Ref(book=wallet.merchant_id, owner=wallet.id, asset=asset, purpose=purpose)


def owed(wallet: UserWallet, asset: str) -> tuple[Balance, Balance]:
    """What the user may take out, and what is on its way."""
    available, pending = (balances.balance(memo(wallet, asset, one)) for one in (Purpose.MEMO, Purpose.MEMO_FROZEN))
    return available, pending
