"""The table of networks: family, finality, tokens and fee policy; to add a network, add a row."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """One asset's contract on one network; `decimals` are the asset's ledger places (a test holds it)."""

    contract: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Network:
    """What the protocol needs to know of a chain; nothing here is a secret or a deployment's choice."""

    name: str
    family: str  # evm | tron
    urls_setting: str  # which setting lists its endpoints
    chain_id: int
    confirmations: int  # a block is final when it and the blocks above it are this many (TRON: the solid head decides)
    block_ms: int
    bump_after_ms: int  # EVM: not mined for so long: same nonce, higher fees
    transfer_resource: int  # EVM: the gas limit of a transfer; TRON: its energy where no estimate can be had
    fee_ceiling: int  # EVM: the highest max_fee_wei that we sign; TRON: the highest fee_limit_sun
    explorer_tx_url: str
    tokens: Mapping[str, Token]


# fmt: off
NETWORKS: dict[str, Network] = {row.name: row for row in (
    #        name        family  endpoints         chain id     conf  block    bump     gas/energy  fee ceiling
    Network("ethereum", "evm",  "EVM_RPC_URLS",   1,           12,   12_000,  72_000,  120_000,    500 * 10**9,
            "https://etherscan.io/tx/{txid}",
            {"USDT": Token("0xdAC17F958D2ee523a2206206994597C13D831ec7", 6)}),
    Network("tron",     "tron", "TRON_RPC_URLS",  728126428,   19,   3_000,   0,       130_000,    100 * 10**6,
            "https://tronscan.org/#/transaction/{txid}",
            {"USDT": Token("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", 6)}),
)}
# fmt: on


class UnknownNetwork(ValueError):
    """There is no such network, or it does not carry that asset."""


def network(name: str) -> Network:
    """The network's row.

    Raises: UnknownNetwork.
    """
    try:
        return NETWORKS[name]
    except KeyError as missing:
        raise UnknownNetwork(f"no network {name!r}") from missing


def token(name: str, asset: str) -> Token:
    """The asset's contract on that network.

    Raises: UnknownNetwork.
    """
    try:
        return network(name).tokens[asset]
    except KeyError as missing:
        raise UnknownNetwork(f"no {asset!r} on {name!r}") from missing
