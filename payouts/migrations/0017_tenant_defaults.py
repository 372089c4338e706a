"""CONFORMANCE's defaults for the tenant API: two approvers, 1 % and the network's part, limits, the pegs of stablecoins.

The limits and the network's parts of what is no USDT are ours: the documents show USDT alone.
"""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import migrations

PLACES = {"USDT": 6, "USDC": 6, "DAI": 18, "USDD": 18, "PYUSD": 6, "XAUT": 6, "ETH": 18, "BNB": 18, "TRX": 6,
          "ARB": 18, "OP": 18, "PEPE": 18, "SHIB": 18}  # fmt: skip
STABLE = ("USDT", "USDC", "DAI", "USDD", "PYUSD")
NETWORKS = {
    "ethereum": ("ETH", "USDT", "USDC", "DAI", "PYUSD", "XAUT", "PEPE", "SHIB"),
    "arbitrum": ("ETH", "USDT", "USDC", "DAI", "ARB"),
    "base": ("ETH", "USDC", "DAI"),
    "optimism": ("ETH", "USDT", "USDC", "DAI", "OP"),
    "bsc": ("BNB", "USDT", "USDC", "DAI", "PEPE", "SHIB"),
    "tron": ("TRX", "USDT", "USDD"),
}
STABLE_FLAT = {"ethereum": "2", "tron": "0.5"}  # elsewhere
ELSEWHERE = "0.2"
# Of everything else, in whole coins: the network's part, the least and the most of a payment, and of a withdrawal.
OTHERS = {
    "ETH":  ("0.0005", "0.003",  "100",         "0.001", "1000"),
    "BNB":  ("0.0005", "0.01",   "500",         "0.005", "5000"),
    "TRX":  ("1",      "30",     "1000000",     "5",     "10000000"),
    "XAUT": ("0.001",  "0.004",  "50",          "0.003", "500"),
    "ARB":  ("0.1",    "10",     "500000",      "1",     "5000000"),
    "OP":   ("0.1",    "10",     "200000",      "1",     "2000000"),
    "PEPE": ("100000", "1000000", "20000000000", "200000", "100000000000"),
    "SHIB": ("100000", "1000000", "20000000000", "200000", "100000000000"),
}  # fmt: skip
STABLE_RANGES = ("10", "100000", "1", "1000000")
STABLE_LEAST = {"ethereum": "5"}
POPULAR = {("USDT", "tron"), ("USDT", "ethereum"), ("USDC", "ethereum"), ("ETH", "ethereum"), ("TRX", "tron")}


def add_defaults(apps, schema_editor):
    fee, limit, rate, policy = (apps.get_model("payouts", name) for name in ("FeeRule", "CurrencyLimit", "Rate", "PolicyRule"))
    policy.objects.create(priority=1000, api="tenant", approval="TWO_LEVELS")
    for network, assets in NETWORKS.items():
        for asset in assets:
            flat, *ranges = _terms(asset, network)
            low, high, out_low, out_high = (_units(asset, amount) for amount in ranges)
            fee.objects.create(api="tenant", asset=asset, network=network, flat_units=_units(asset, flat), percent=Decimal(1))
            limit.objects.create(
                asset=asset, network=network, payment_min_units=low, payment_max_units=high,
                withdrawal_min_units=out_low, withdrawal_max_units=out_high, is_popular=(asset, network) in POPULAR,
            )  # fmt: skip
    for asset in STABLE:
        rate.objects.create(base=asset, quote="USD", rate=Decimal(1), at=datetime(2026, 1, 1, tzinfo=UTC))


def _terms(asset, network):
    if asset in STABLE:
        low, high, out_low, out_high = STABLE_RANGES
        return STABLE_FLAT.get(network, ELSEWHERE), low, high, STABLE_LEAST.get(network, out_low), out_high
    return OTHERS[asset]


def _units(asset, amount):
    return int(Decimal(amount).scaleb(PLACES[asset]))


class Migration(migrations.Migration):
    dependencies = [("payouts", "0016_tenant_rooms")]

    operations = [migrations.RunPython(add_defaults, migrations.RunPython.noop)]
