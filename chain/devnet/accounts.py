"""What the node keeps per account besides its contract storage: TRX, activation, stake, used resources.

All of it lives in the same state trie as the contracts, so that a block's state root covers everything: TRX is the
account's balance there, activation is a nonce of one, the rest are storage slots of an address nobody can own.
"""

from typing import Final

from eth_hash.auto import keccak
from eth_typing import Address

from chain.devnet.engine import State

REGISTER: Final = Address(keccak(b"sluice devnet: resources")[-20:])
DAY_MS: Final = 86_400_000
USED_BITS: Final = 64

FREE_BANDWIDTH: Final = "free bandwidth"
BANDWIDTH: Final = "bandwidth"
ENERGY: Final = "energy"


def exists(state: State, address: bytes) -> bool:
    """Tell whether the account was activated."""
    return state.get_nonce(Address(address)) > 0 or state.get_balance(Address(address)) > 0


def activate(state: State, address: bytes) -> None:
    """Create the account."""
    state.set_nonce(Address(address), 1)


def balance_sun(state: State, address: bytes) -> int:
    """Tell the account's TRX.

    Units: sun.
    """
    return state.get_balance(Address(address))


def change_balance(state: State, address: bytes, *, by_sun: int) -> None:
    """Give or take TRX; the caller has checked that there is enough.

    Units: sun.
    """
    state.delta_balance(Address(address), by_sun)


def is_contract(state: State, address: bytes) -> bool:
    """Tell whether code lives at this address."""
    return bool(state.get_code(Address(address)))


def staked_sun(state: State, address: bytes, *, resource: str) -> int:
    """Tell what the account has staked for a resource.

    Units: sun.
    """
    return state.get_storage(REGISTER, _slot(address, "staked for " + resource))


def stake(state: State, address: bytes, *, resource: str, amount_sun: int) -> None:
    """Move TRX of the account into its stake.

    Units: sun.
    """
    slot = _slot(address, "staked for " + resource)
    change_balance(state, address, by_sun=-amount_sun)
    state.set_storage(REGISTER, slot, state.get_storage(REGISTER, slot) + amount_sun)


def used_today(state: State, address: bytes, *, resource: str, now_ms: int) -> int:
    """Tell how much of a resource was used on this UTC day."""
    day, used = divmod(state.get_storage(REGISTER, _slot(address, resource)), 1 << USED_BITS)
    return used if day == now_ms // DAY_MS else 0


def use(state: State, address: bytes, *, resource: str, amount: int, now_ms: int) -> None:
    """Book the use of a resource."""
    used = used_today(state, address, resource=resource, now_ms=now_ms) + amount
    state.set_storage(REGISTER, _slot(address, resource), (now_ms // DAY_MS << USED_BITS) + used)


def _slot(address: bytes, purpose: str) -> int:
    return int.from_bytes(keccak(purpose.encode() + address))
