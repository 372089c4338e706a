"""What may be signed, after three sources have said the same: the approval, the order, the table of networks."""

from chain import addresses, anchoring, batching, networks, units
from chain.gateway import Transfer
from chain.models import Intent, Purpose
from chain.ordering import Payment

Expected = Payment | anchoring.Anchor | batching.Batch | batching.Allowance


class PayloadDiffers(Exception):
    """The approved payment, the ordered one and the bytes do not agree; nothing is signed, a person must look."""


def agreed(intent: Intent, expected: Expected) -> Transfer:
    """What is to be signed, after three sources have said the same: the approval, the order, the table of networks.

    Raises: PayloadDiffers.
    """
    ordered = (
        intent.purpose,
        intent.payout_id,
        intent.network,
        intent.asset,
        intent.to_address,
        intent.amount_units,
        intent.contract,
        intent.data,
    )
    approved = _approved(expected, intent)
    if approved != ordered or intent.wallet.network != intent.network:
        raise PayloadDiffers(f"approved {approved}, ordered {ordered}")
    return intent.transfer()


def _approved(expected: Expected, intent: Intent) -> tuple[object, ...]:
    """What the intent must say. Raises: PayloadDiffers."""
    try:
        match expected:
            case Payment():
                return _paid(expected)
            case anchoring.Anchor():
                return _anchored(expected, wallet=intent.wallet.address)
            case batching.Batch():
                network, asset, to_address, data = batching.payload(expected, of=intent.id)
                return (Purpose.BATCH, None, network, asset, to_address, 0, "", data)
            case batching.Allowance():
                to_address, data = batching.payload_of_allowance(expected)
                return (Purpose.ALLOWANCE, None, expected.network, expected.asset, to_address, 0, "", data)
    except (ValueError, batching.NoBatch) as wrong:
        raise PayloadDiffers(f"what was approved cannot be paid: {wrong}") from wrong


def _paid(payment: Payment) -> tuple[object, ...]:
    """What a payment's intent must say. Raises: ValueError."""
    to_address = addresses.normalise(payment.network, payment.to_address)
    contract = networks.token(payment.network, payment.asset).contract
    token_units = units.to_token_units(payment.network, payment.asset, payment.amount_units)
    what = (payment.payout_id, payment.network, payment.asset, to_address, token_units, contract)
    return (Purpose.PAYMENT, *what, "")


def _anchored(anchor: anchoring.Anchor, *, wallet: str) -> tuple[object, ...]:
    """What an anchor's intent must say."""
    return (Purpose.ANCHOR, None, anchor.network, "", wallet, 0, "", anchoring.data_of(anchor))


def attended(expected: Expected) -> bool:
    """Whether persons have said yes to all of it."""
    match expected:
        case Payment():
            return expected.attended
        case batching.Batch():
            return all(payment.attended for payment in expected.payments)
    return False
