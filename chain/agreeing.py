"""What may be signed, after three sources have said the same: the approval, the order, the table of networks."""

from chain import addresses, anchoring, batching, giving_up, keys, networks, sweeping, units
from chain.gateway import Transfer
from chain.models import HotWallet, Intent, Purpose
from chain.ordering import Payment

Ordered = Payment | anchoring.Anchor | batching.Batch | batching.Allowance | sweeping.Sweep | sweeping.TopUp
Expected = Ordered | giving_up.Filler


class PayloadDiffers(Exception):
    """The approved payment, the ordered one and the bytes do not agree; nothing is signed, a person must look."""


def agreed(intent: Intent, expected: Expected) -> Transfer:
    """What is to be signed, after three sources have said the same: the approval, the order, the table of networks.

    Raises: PayloadDiffers.
    """
    if bool(intent.given_up) != (expected == giving_up.Filler(intent.id)):
        raise PayloadDiffers("what is given up is never paid, and nothing else gets its number for nothing")
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
    approved = ordered if isinstance(expected, giving_up.Filler) else _approved(expected, intent)
    if approved != ordered or intent.wallet.network != intent.network or _of_other_kind(intent):
        raise PayloadDiffers(f"approved {approved}, ordered {ordered}")
    return intent.transfer()


def _approved(expected: Ordered, intent: Intent) -> tuple[object, ...]:
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
            case sweeping.Sweep():
                return _swept(expected, intent)
            case sweeping.TopUp():
                return _topped_up(expected, intent)
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


def _swept(sweep: sweeping.Sweep, intent: Intent) -> tuple[object, ...]:
    """What a sweep's intent must say: any amount, but from an address of this signer's deriving to a key of its own.

    Raises: PayloadDiffers, ValueError.
    """
    network, wallet = sweep.network, intent.wallet
    if not keys.derives(network, address=wallet.address, number=wallet.number):
        raise PayloadDiffers(f"{wallet.address} is no deposit address of ours on {network}")
    if not keys.holds(network, intent.to_address):
        raise PayloadDiffers(f"{intent.to_address} is no hot wallet of ours on {network}")
    contract = networks.token(network, sweep.asset).contract
    return (Purpose.SWEEP, None, network, sweep.asset, intent.to_address, intent.amount_units, contract, "")


def _topped_up(top_up: sweeping.TopUp, intent: Intent) -> tuple[object, ...]:
    """What a top-up's intent must say: coin for an address of this signer's deriving; the caps limit how much.

    Raises: PayloadDiffers, ValueError.
    """
    network, coin = top_up.network, networks.network(top_up.network).coin
    lane = HotWallet.deposits.filter(network=network, address=intent.to_address).first()
    if lane is None or not keys.derives(network, address=lane.address, number=lane.number):
        raise PayloadDiffers(f"{intent.to_address} is no deposit address of ours on {network}")
    return (Purpose.TOP_UP, None, network, coin, lane.address, top_up.amount_units, networks.NATIVE, "")


def _of_other_kind(intent: Intent) -> bool:
    """Whether a deposit address is to do a hot wallet's work, or the other way round."""
    return (intent.wallet.number is None) == (intent.purpose == Purpose.SWEEP)


def attended(expected: Expected) -> bool:
    """Whether persons have said yes to all of it."""
    match expected:
        case Payment():
            return expected.attended
        case batching.Batch():
            return all(payment.attended for payment in expected.payments)
    return False
