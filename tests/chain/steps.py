"""A payment's way, step by step, as the sweeps go it."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from chain import lanes, networks, transfers
from chain.models import HotWallet, Intent, LaneBalance, SignedAttempt
from tests.chain import labs


def payment(network: str, *, to: str = "", units: int = 1_000_000, asset: str = "USDT") -> transfers.Payment:
    return transfers.Payment(
        payout_id=UUID(str(uuid7())),
        network=network,
        asset=asset,
        to_address=to or labs.recipient(network),
        amount_units=units,
    )


def rich(wallet: HotWallet, *, units: int = 10**30, coin_units: int = 10**30, fee_units: int = 1) -> HotWallet:
    """What a reading of the wallet's balances would leave behind."""
    held = {token.contract: units for token in networks.network(wallet.network).assets.values()} | {"": coin_units}
    for contract, held_units in held.items():
        LaneBalance.objects.update_or_create(
            wallet=wallet,
            contract=contract,
            defaults={
                "asset": lanes.asset(wallet.network, contract),
                "units": held_units,
                "fee_units": 0 if contract else fee_units,
                "block_number": 0,
                "read_at": timezone.now(),
            },
        )
    return wallet


def order(wanted: transfers.Payment) -> Intent:
    with transaction.atomic():
        return transfers.order(wanted, now=timezone.now())


def sign(intent: Intent, wanted: transfers.Payment, *, now: datetime | None = None) -> SignedAttempt | None:
    return transfers.sign(intent.id, expected=wanted, now=now or timezone.now())


def signed(wanted: transfers.Payment) -> tuple[Intent, SignedAttempt]:
    intent = order(wanted)
    attempt = sign(intent, wanted)
    assert attempt is not None, Intent.objects.get(pk=intent.pk).last_error
    return intent, attempt


def send(*, after_s: int = 0) -> int:
    return transfers.send_due(now=timezone.now() + timedelta(seconds=after_s), limit=100)


def watch(intent: Intent, *, after_s: int = 0) -> Intent:
    """Look at all that is due then, and read the intent again."""
    transfers.watch_due(now=timezone.now() + timedelta(seconds=after_s), limit=100)
    return Intent.objects.get(pk=intent.pk)


def collect(intent: Intent) -> None:
    with transaction.atomic():
        transfers.collect(intent.id, now=timezone.now())
