"""Block 0: the dev owner with all TRX, and the tokens at their main-net addresses."""

import dataclasses
from typing import Final

import coincurve

from chain.devnet import accounts, addresses, blocks, engine, signatures, tokens
from chain.devnet.store import Store

CHAIN_ID: Final = bytes.fromhex("2b6653dc")  # TIP-474
SUPPLY_SUN: Final = 99_000_000_000 * 1_000_000
OWNER_KEY: Final = "dev owner's private key"
SOLID: Final = "solid block"
FORKS: Final = "forks"


def write(store: Store, *, owner_key: bytes, now_ms: int) -> None:
    """Write the first block of a new chain."""
    owner = signatures.address_of(coincurve.PrivateKey(owner_key))
    state = engine.open_state(store.nodes, root=engine.EMPTY_ROOT, number=0, timestamp_ms=now_ms)
    accounts.activate(state, owner)
    accounts.change_balance(state, owner, by_sun=SUPPLY_SUN)
    for address, spec in tokens.GENESIS.items():
        deployed = engine.create(state, owner=owner, address=address, code=tokens.creation_code(spec))
        if deployed.status != engine.SUCCESS:
            raise RuntimeError(f"{spec.symbol}'s constructor failed: {deployed.message}")
        accounts.activate(state, address)
    state.persist()
    sealed = blocks.seal(
        number=0,
        parent=blocks.NO_HASH,
        timestamp_ms=now_ms,
        txids=(),
        witness=bytes(addresses.LENGTH),
        state_root=bytes(state.state_root),
    )
    # A chain's id is the end of its first block's: with the main net's, the node passes for it where that is checked.
    block = dataclasses.replace(sealed, id=sealed.id[: -len(CHAIN_ID)] + CHAIN_ID)
    store.append(block, (), facts=((OWNER_KEY, owner_key.hex()), (SOLID, "0"), (FORKS, "0")))
