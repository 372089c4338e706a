"""The assets that balances are kept in: one balance per asset, on whichever network its money moves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset; `places` are the ledger's, the fewest that any of its networks counts in."""

    symbol: str
    title: str
    places: int
    is_stable: bool = False


# fmt: off
ASSETS: dict[str, Asset] = {row.symbol: row for row in (
    #     symbol   title                 places
    Asset("USDT",  "Tether USD",         6,  is_stable=True),
    Asset("USDC",  "USD Coin",           6,  is_stable=True),
    Asset("DAI",   "Dai",                18, is_stable=True),
    Asset("USDD",  "Decentralized USD",  18, is_stable=True),
    Asset("PYUSD", "PayPal USD",         6,  is_stable=True),
    Asset("XAUT",  "Tether Gold",        6),
    Asset("ETH",   "Ether",              18),
    Asset("BNB",   "BNB",                18),
    Asset("TRX",   "TRON",               6),
    Asset("ARB",   "Arbitrum",           18),
    Asset("OP",    "Optimism",           18),
    Asset("PEPE",  "Pepe",               18),
    Asset("SHIB",  "Shiba Inu",          18),
)}
# fmt: on
