"""What a follower writes down, without a chain: movements that came in, and how far a network is read."""

import secrets
from datetime import datetime
from typing import Any

from chain import incoming, networks
from chain.arrivals import incoming_id
from chain.models import Follower, Incoming
from payouts.payments import deposits, payment_sweeps
from payouts.payments.payment_models import Deposit, Payment
from tests import make


def came_in(network: str, to: str, units: int, **changes: Any) -> Incoming:
    """Final, unless the changes say that it is only seen."""
    at = changes.pop("block_at", make.now())
    txid = changes.pop("txid", secrets.token_hex(32))
    index = changes.pop("index", 1)
    wanted: dict[str, Any] = {
        "contract": networks.token(network, "USDT").contract,
        "asset": "USDT",
        "block_number": 7,
        "block_hash": "aa" * 32,
        "recipient": to,
        "amount_units": units,
        "state": "CONFIRMED",
    }
    row = {"network": network, "txid": txid, "index": index, "block_at": at}
    return Incoming.objects.create(id=incoming_id(network, txid, index, at=at), **row, **(wanted | changes))


def read_up_to(network: str, at: datetime) -> None:
    """Everything up to that time is final and read."""
    place = {"number": 9, "hash": "bb" * 32, "at": at, "final_number": 9, "final_at": at, "head_number": 9}
    Follower.objects.update_or_create(network=network, defaults=place | {"caught_up_at": make.now()})


def book() -> list[Deposit]:
    """What the sweep does."""
    ids = incoming.to_collect(limit=1000)
    return deposits.book_together(ids, now=make.now())


def look() -> int:
    return payment_sweeps.look(now=make.now(), limit=100)


def status(payment: Payment) -> str:
    return str(Payment.objects.get(id=payment.id).status)
