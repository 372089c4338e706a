"""What payouts in the dashboard cost and who approves them: as the merchant API's, and every other currency for nothing."""

from django.db import migrations

USDT = 10**6
CURRENCIES = {
    "ethereum": ("ETH", "USDC", "DAI", "PYUSD", "XAUT", "PEPE", "SHIB"),
    "arbitrum": ("ETH", "USDT", "USDC", "DAI", "ARB"),
    "base": ("ETH", "USDC", "DAI"),
    "optimism": ("ETH", "USDT", "USDC", "DAI", "OP"),
    "bsc": ("BNB", "USDT", "USDC", "DAI", "PEPE", "SHIB"),
    "tron": ("TRX", "USDD"),
}
FEES = [("USDT", "tron", USDT), ("USDT", "ethereum", USDT)]


def add_defaults(apps, schema_editor):
    fee, policy = apps.get_model("payouts", "FeeRule"), apps.get_model("payouts", "PolicyRule")
    free = [(asset, network, 0) for network, assets in CURRENCIES.items() for asset in assets]
    for asset, network, flat_units in FEES + free:
        fee.objects.create(api="dashboard", asset=asset, network=network, flat_units=flat_units)
    policy.objects.create(priority=1000, api="dashboard", approval="TWO_LEVELS")


class Migration(migrations.Migration):
    dependencies = [("payouts", "0019_payments_in")]

    operations = [migrations.RunPython(add_defaults, migrations.RunPython.noop)]
