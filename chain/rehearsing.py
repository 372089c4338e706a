"""Run payments without sending them: what the chain would refuse now is better held back than burned.

A rehearsal is no verdict and decides nothing: it only delays, and a network that cannot be asked delays nobody. It
comes before the order, because an order takes a nonce, and everything behind that nonce would wait with it.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from chain import addresses, families, networks, units
from chain.gateway import ChainError, Gateway, Obstacle, Transfer
from chain.models import HotWallet
from chain.ordering import Payment

log = structlog.get_logger(__name__)


def obstacles(payments: Sequence[Payment]) -> dict[UUID, Obstacle]:
    """Which of these payments the chain would not make from any open lane, and why. Never inside a transaction."""
    found: dict[UUID, Obstacle] = {}
    for network in sorted({payment.network for payment in payments}):
        try:
            found |= _of_network(network, [payment for payment in payments if payment.network == network])
        except ChainError as unread:
            log.warning("rehearsal.unread", network=network, reason=str(unread))
    return found


def _of_network(network: str, payments: Sequence[Payment]) -> dict[UUID, Obstacle]:
    """Lane by lane, those that the ones before would not pay. Raises: ChainError."""
    gateway = families.gateway(network)
    found: dict[UUID, Obstacle] = {}
    left = payments
    for wallet in HotWallet.objects.filter(network=network, paused=False).order_by("id"):
        transfers = [_transfer(wallet, payment) for payment in left]
        refused = []
        for payment, transfer, said in zip(left, transfers, gateway.rehearse(transfers), strict=True):
            if isinstance(said, ChainError):
                log.warning("rehearsal.unread", payout=str(payment.payout_id), reason=str(said))
            elif said is None:
                found.pop(payment.payout_id, None)
            else:
                refused.append(payment)
                if _holds(gateway, transfer):  # that a lane is short of money says nothing about the payment
                    found[payment.payout_id] = said
        left = refused
    return found


def _transfer(wallet: HotWallet, payment: Payment) -> Transfer:
    return Transfer(
        network=payment.network,
        wallet=wallet.address,
        seq=0,
        contract=networks.token(payment.network, payment.asset).contract,
        to_address=addresses.normalise(payment.network, payment.to_address),
        amount_units=units.to_token_units(payment.network, payment.asset, payment.amount_units),
    )


def _holds(gateway: Gateway, transfer: Transfer) -> bool:
    """Raises: ChainError."""
    held = gateway.account(transfer.wallet, [transfer.contract]).units[transfer.contract]
    return held >= transfer.amount_units
