"""Run payments without sending them: what the chain would refuse now is better held back than burned.

A rehearsal is no verdict and decides nothing: it only delays, and a network that cannot be asked delays nobody. It
comes before the order, because an order takes a nonce, and everything behind that nonce would wait with it.
"""

from collections.abc import Iterable
from uuid import UUID

import structlog

from chain import addresses, families, networks, units
from chain.gateway import ChainError, Gateway, Obstacle, Transfer
from chain.models import HotWallet
from chain.ordering import Payment

log = structlog.get_logger(__name__)


def obstacles(payments: Iterable[Payment]) -> dict[UUID, Obstacle]:
    """Which of these payments the chain would not make from any open lane, and why. Never inside a transaction."""
    gateways: dict[str, Gateway] = {}  # one per network: what is silent once is not asked again
    found = {}
    for payment in payments:
        gateway = gateways.setdefault(payment.network, families.gateway(payment.network))
        try:
            obstacle = _obstacle(gateway, payment)
        except ChainError as unread:
            log.warning("rehearsal.unread", payout=str(payment.payout_id), reason=str(unread))
            continue
        if obstacle:
            found[payment.payout_id] = obstacle
    return found


def _obstacle(gateway: Gateway, payment: Payment) -> Obstacle | None:
    """Raises: ChainError."""
    last = None
    for wallet in HotWallet.objects.filter(network=payment.network, paused=False).order_by("id"):
        transfer = Transfer(
            network=payment.network,
            wallet=wallet.address,
            seq=0,
            contract=networks.token(payment.network, payment.asset).contract,
            to_address=addresses.normalise(payment.network, payment.to_address),
            amount_units=units.to_token_units(payment.network, payment.asset, payment.amount_units),
        )
        obstacle = gateway.rehearse(transfer)
        if obstacle is None:
            return None
        if _holds(gateway, transfer):  # that a lane is short of money says nothing about the payment
            last = obstacle
    return last


def _holds(gateway: Gateway, transfer: Transfer) -> bool:
    """Raises: ChainError."""
    held = gateway.account(transfer.wallet, [transfer.contract]).units[transfer.contract]
    return held >= transfer.amount_units
