"""Hot wallets as lanes: enrol one, and what they can pay."""

from django.db.models import Sum

from chain import addresses, families, keys, networks, units
from chain.models import HotWallet, Intent, IntentState


def enrol(network: str, *, address: str, note: str = "") -> HotWallet:
    """Take a wallet into use; its sequence starts where the chain says. A repeat changes nothing.

    The wallet must be used by nothing else from now on: its nonces belong to the orders.

    Raises: BadAddress, ChainError.
    """
    address = addresses.normalise(network, address)
    known = HotWallet.objects.filter(network=network, address=address).first()
    if known:
        return known
    next_seq = families.gateway(network).next_nonce(address)
    wallet, _ = HotWallet.objects.get_or_create(
        network=network, address=address, defaults={"next_seq": next_seq, "note": note}
    )
    return wallet


def create(network: str, *, light: bool = False) -> HotWallet:
    """Make a new key in the keystore and take its wallet into use; the signer process alone may.

    Raises: NotTheSigner, KeyUnusable, ChainError (the key is kept then; enrol its address later).
    """
    return enrol(network, address=keys.create(network, light=light))


def spendable_units(network: str, asset: str) -> int:
    """What the open lanes hold now, minus what is ordered from them and not decided. Never inside a transaction.

    Of a network's own coin every lane keeps back what two transfers may cost at most: fees are paid from the same.

    Units: the asset's ledger units; negative when more is ordered than is there.
    Raises: UnknownNetwork, ChainError.
    """
    lanes = list(HotWallet.objects.filter(network=network, paused=False))
    texts = [lane.address for lane in lanes]
    contract = networks.token(network, asset).contract
    held = families.gateway(network).balance_units(contract, texts)
    if contract == networks.NATIVE:
        held -= networks.network(network).gas_reserve * len(lanes)
    ordered = Intent.objects.filter(wallet__in=lanes, asset=asset, state=IntentState.OPEN)
    left = held - int(ordered.aggregate(total=Sum("amount_units"))["total"] or 0)
    return units.to_ledger_units(network, asset, left)
