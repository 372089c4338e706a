"""Currency codes: which asset on which network each of the documented forty means.

Source: seed 3 (the forty, verbatim and in its order), seed 4 (the same without the underscore).
"""

from dataclasses import dataclass

from chain import networks


class UnknownCode(ValueError):
    """Nobody documents such a code."""


class NotOffered(ValueError):
    """The code is documented, but its network is none of ours, or has no endpoints in this deployment."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code; codes of one asset on several networks share one balance."""

    code: str
    asset: str
    network: str

    @property
    def joined(self) -> str:
        """The code as seed 4 writes it."""
        return self.code.replace("_", "")

    @property
    def is_offered(self) -> bool:
        """Whether it can be paid here now."""
        row = networks.NETWORKS.get(self.network)
        return row is not None and bool(row.endpoints)


# fmt: off
CODES: dict[str, Code] = {row.code: row for row in (
    Code("BTC",         "BTC",   "bitcoin"),
    Code("LTC",         "LTC",   "litecoin"),
    Code("TRX",         "TRX",   "tron"),
    Code("SOL",         "SOL",   "solana"),
    Code("TON",         "TON",   "ton"),
    Code("BNB",         "BNB",   "bsc"),
    Code("ETH",         "ETH",   "ethereum"),
    Code("ETH_ARB",     "ETH",   "arbitrum"),
    Code("ETH_BASE",    "ETH",   "base"),
    Code("ETH_OPT",     "ETH",   "optimism"),
    Code("USDT_ARB",    "USDT",  "arbitrum"),
    Code("USDT_BSC",    "USDT",  "bsc"),
    Code("USDT_ERC20",  "USDT",  "ethereum"),
    Code("USDT_OPT",    "USDT",  "optimism"),
    Code("USDT_SOL",    "USDT",  "solana"),
    Code("USDT_TON",    "USDT",  "ton"),
    Code("USDT_TRC20",  "USDT",  "tron"),
    Code("USDC_ARB",    "USDC",  "arbitrum"),
    Code("USDC_BASE",   "USDC",  "base"),
    Code("USDC_BSC",    "USDC",  "bsc"),
    Code("USDC_ERC20",  "USDC",  "ethereum"),
    Code("USDC_OPT",    "USDC",  "optimism"),
    Code("USDC_SOL",    "USDC",  "solana"),
    Code("DAI_ARB",     "DAI",   "arbitrum"),
    Code("DAI_BASE",    "DAI",   "base"),
    Code("DAI_BSC",     "DAI",   "bsc"),
    Code("DAI_ERC20",   "DAI",   "ethereum"),
    Code("DAI_OPT",     "DAI",   "optimism"),
    Code("USDD_TRC20",  "USDD",  "tron"),
    Code("PYUSD_ERC20", "PYUSD", "ethereum"),
    Code("PYUSD_SOL",   "PYUSD", "solana"),
    Code("XAUT_ERC20",  "XAUT",  "ethereum"),
    Code("XAUT_TON",    "XAUT",  "ton"),
    Code("ARB_ARB",     "ARB",   "arbitrum"),
    Code("OP_OPT",      "OP",    "optimism"),
    Code("PEPE_BSC",    "PEPE",  "bsc"),
    Code("PEPE_ERC20",  "PEPE",  "ethereum"),
    Code("SHIB_BSC",    "SHIB",  "bsc"),
    Code("SHIB_ERC20",  "SHIB",  "ethereum"),
    Code("TRUMP_SOL",   "TRUMP", "solana"),
)}
BLOCKCHAINS: dict[str, str] = {  # seed 4's names of the networks
    "ethereum": "ETH",
    "arbitrum": "ARB",
    "base":     "BASE",
    "optimism": "OPT",
    "bsc":      "BSC",
    "tron":     "TRX",
    "bitcoin":  "BTC",
    "litecoin": "LTC",
    "solana":   "SOL",
    "ton":      "TON",
}
# fmt: on
_JOINED = {row.joined: row for row in CODES.values()}


def find(text: str) -> Code:
    """What a code means, exactly as written in seed 3 or 4.

    Raises: UnknownCode.
    """
    row = CODES.get(text) or _JOINED.get(text)
    if row is None:
        raise UnknownCode(f"no currency {text!r}")
    return row


def offered(text: str) -> Code:
    """What a code means, when it can be paid here.

    Raises: UnknownCode, NotOffered.
    """
    row = find(text)
    if not row.is_offered:
        raise NotOffered(f"{row.code} is not offered: {row.network} is not configured here")
    return row


def of(asset: str, *, network: str) -> Code:
    """The code of an asset on a network.

    Raises: UnknownCode when no documented code means it.
    """
    row = next((row for row in CODES.values() if (row.asset, row.network) == (asset, network)), None)
    if row is None:
        raise UnknownCode(f"no code means {asset} on {network}")
    return row


def all_offered() -> list[Code]:
    """The codes that can be paid here, in the documents' order."""
    return [row for row in CODES.values() if row.is_offered]
