"""Hot wallets: make one, and take it into use as a lane."""

from chain import addresses, families, keys, pausing
from chain.models import HotWallet


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
        network=network,
        address=address,
        defaults={"next_seq": next_seq, "note": note, "paused": pausing.is_paused(network)},
    )
    return wallet


def create(network: str, *, light: bool = False) -> HotWallet:
    """Make a new key in the keystore and take its wallet into use; the signer process alone may.

    Raises: NotTheSigner, KeyUnusable, ChainError (the key is kept then; enrol its address later).
    """
    return enrol(network, address=keys.create(network, light=light))
