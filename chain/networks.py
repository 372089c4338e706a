"""The one catalogue of networks: family, finality, coin, tokens and fee policy; to add a network, add a row.

Contracts and chain ids are the main nets'; local chains carry the same ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings

NATIVE = ""  # the contract of a network's own coin


@dataclass(frozen=True, slots=True)
class Token:
    """One asset on one network; `decimals` are what the chain counts in, which may be finer than the ledger.

    Units: the contract is NATIVE for the coin that fees are paid in.
    """

    contract: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What the protocol needs to know of a chain; nothing here is a secret or a deployment's choice.

    A block is final when it and the blocks above it are `confirmations`, and, where `final_tag` names one, when it is
    not above the block that the node itself calls so: on a rollup a block is one sequencer's promise until it is
    `safe` (its data stand on Ethereum), on BSC until two thirds of the validators have voted it `finalized`. On TRON
    the solid head decides.
    """

    name: str
    title: str
    family: str  # evm | tron
    urls_setting: str  # which setting lists its endpoints; none there: known, but pays nothing
    chain_id: int
    confirmations: int
    final_tag: str = ""
    block_ms: int
    bump_after_ms: int = 0  # EVM: not mined for so long: same nonce, higher fees
    transfer_resource: int  # EVM: the gas limit of a transfer; TRON: its energy where no estimate can be had
    coin_resource: int = 21_000  # EVM: the gas of coin to an account without code; 0 where that is not always the same
    fee_ceiling: int  # EVM: the highest max_fee_wei that we sign; TRON: the highest fee_limit_sun
    l1_fee_oracle: str = ""  # EVM: the contract that says what a transaction's data cost on layer 1
    explorer_tx_url: str
    coin: str  # the native coin's asset
    coin_decimals: int
    tokens: Mapping[str, Token]  # those with a contract
    assets: Mapping[str, Token] = field(init=False)  # the coin and the tokens

    def __post_init__(self) -> None:
        """Put the coin beside the tokens."""
        object.__setattr__(self, "assets", {self.coin: Token(NATIVE, self.coin_decimals), **self.tokens})

    @property
    def batch_contract(self) -> str:
        """The contract that pays many at once, where this deployment names one; EVM alone."""
        return str(settings.BATCH_CONTRACTS.get(self.name, ""))

    @property
    def endpoints(self) -> list[str]:
        """The nodes that this deployment gives it; none: the network is not configured."""
        return list(getattr(settings, self.urls_setting))

    @property
    def ceiling_units(self) -> int:
        """What one transfer may cost at the highest fee that we sign, in the coin's units."""
        return self.fee_ceiling * (self.transfer_resource if self.family == "evm" else 1)

    @property
    def most_behind(self) -> int:
        """By how many blocks an endpoint may lag and still be believed: a minute's, but three at least."""
        return max(60_000 // self.block_ms, 3)


GWEI = 10**9
OP_STACK_ORACLE = "0x420000000000000000000000000000000000000F"
# fmt: off
NETWORKS: dict[str, Network] = {row.name: row for row in (
    Network(
        name="ethereum", title="Ethereum (ERC20)", family="evm", urls_setting="EVM_RPC_URLS", chain_id=1,
        confirmations=12, block_ms=12_000, bump_after_ms=72_000, transfer_resource=120_000, fee_ceiling=500 * GWEI,
        explorer_tx_url="https://etherscan.io/tx/{txid}", coin="ETH", coin_decimals=18,
        tokens={
            "USDT":  Token("0xdAC17F958D2ee523a2206206994597C13D831ec7", 6),
            "USDC":  Token("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", 6),
            "DAI":   Token("0x6B175474E89094C44Da98b954EedeAC495271d0F", 18),
            "PYUSD": Token("0x6c3ea9036406852006290770BEdFcAbA0e23A0e8", 6),
            "XAUT":  Token("0x68749665FF8D2d112Fa859AA293F07A622782F38", 6),
            "PEPE":  Token("0x6982508145454Ce325dDbE47a25d4ec3d2311933", 18),
            "SHIB":  Token("0x95aD61b0a150d79219dCF64E1E6Cc01f0B64C4cE", 18),
        },
    ),
    Network(  # a gas limit there pays for the bytes on Ethereum too
        name="arbitrum", title="Arbitrum One", family="evm", urls_setting="ARBITRUM_RPC_URLS", chain_id=42161,
        confirmations=20, final_tag="safe", block_ms=250, bump_after_ms=30_000, transfer_resource=2_000_000,
        coin_resource=0, fee_ceiling=50 * GWEI, explorer_tx_url="https://arbiscan.io/tx/{txid}",
        coin="ETH", coin_decimals=18,
        tokens={
            "USDT":  Token("0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", 6),
            "USDC":  Token("0xaf88d065e77c8cC2239327C5EDb3A432268e5831", 6),
            "DAI":   Token("0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1", 18),
            "ARB":   Token("0x912CE59144191C1204E64559FE8253a0e49E6548", 18),
        },
    ),
    Network(
        name="base", title="Base", family="evm", urls_setting="BASE_RPC_URLS", chain_id=8453,
        confirmations=12, final_tag="safe", block_ms=2_000, bump_after_ms=30_000, transfer_resource=120_000,
        fee_ceiling=50 * GWEI, explorer_tx_url="https://basescan.org/tx/{txid}", coin="ETH", coin_decimals=18,
        l1_fee_oracle=OP_STACK_ORACLE,
        tokens={
            "USDC":  Token("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", 6),
            "DAI":   Token("0x50c5725949A6F0c72E6C4a641F24049A917DB0Cb", 18),
        },
    ),
    Network(
        name="optimism", title="Optimism", family="evm", urls_setting="OPTIMISM_RPC_URLS", chain_id=10,
        confirmations=12, final_tag="safe", block_ms=2_000, bump_after_ms=30_000, transfer_resource=120_000,
        fee_ceiling=50 * GWEI, explorer_tx_url="https://optimistic.etherscan.io/tx/{txid}",
        coin="ETH", coin_decimals=18, l1_fee_oracle=OP_STACK_ORACLE,
        tokens={
            "USDT":  Token("0x94b008aA00579c1307B0EF2c499aD98a8ce58e58", 6),
            "USDC":  Token("0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85", 6),
            "DAI":   Token("0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1", 18),
            "OP":    Token("0x4200000000000000000000000000000000000042", 18),
        },
    ),
    Network(  # its copies of others' tokens count in 18 places, USDT and USDC included
        name="bsc", title="BNB Smart Chain (BEP20)", family="evm", urls_setting="BSC_RPC_URLS", chain_id=56,
        confirmations=15, final_tag="finalized", block_ms=450, bump_after_ms=30_000, transfer_resource=120_000,
        fee_ceiling=50 * GWEI, explorer_tx_url="https://bscscan.com/tx/{txid}", coin="BNB", coin_decimals=18,
        tokens={
            "USDT":  Token("0x55d398326f99059fF775485246999027B3197955", 18),
            "USDC":  Token("0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d", 18),
            "DAI":   Token("0x1AF3F329e8BE154074D8769D1FFa4eE058B1DBc3", 18),
            "PEPE":  Token("0x25d887Ce7a35172C62FeBFD67a1856F20FaEbB00", 18),
            "SHIB":  Token("0x2859e4544C4bB03966803b044A93563Bd2D0DD4D", 18),
        },
    ),
    Network(
        name="tron", title="TRON (TRC20)", family="tron", urls_setting="TRON_RPC_URLS", chain_id=728126428,
        confirmations=19, block_ms=3_000, transfer_resource=130_000, fee_ceiling=100 * 10**6,
        explorer_tx_url="https://tronscan.org/#/transaction/{txid}", coin="TRX", coin_decimals=6,
        tokens={
            "USDT":  Token("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", 6),
            "USDD":  Token("TXDk8mbtRbXeYuMNS83CfKPaYYT8XWv9Hz", 18),
        },
    ),
)}
# fmt: on


class UnknownNetwork(ValueError):
    """There is no such network, or it does not carry that asset."""


def network(name: str) -> Network:
    """The network's row, whether it has endpoints here or not.

    Raises: UnknownNetwork.
    """
    try:
        return NETWORKS[name]
    except KeyError as missing:
        raise UnknownNetwork(f"no network {name!r}") from missing


def configured() -> list[Network]:
    """The networks that this deployment has endpoints of: only these pay, are swept, watched and proven."""
    return [row for row in NETWORKS.values() if row.endpoints]


def token(name: str, asset: str) -> Token:
    """The asset on that network: a contract, or NATIVE for its own coin.

    Raises: UnknownNetwork.
    """
    try:
        return network(name).assets[asset]
    except KeyError as missing:
        raise UnknownNetwork(f"no {asset!r} on {name!r}") from missing
