"""CONFORMANCE's default for the invoice API: no fee, in every currency that it can pay."""

from django.db import migrations

CURRENCIES = {
    "ethereum": ("ETH", "USDT", "USDC", "DAI", "PYUSD", "XAUT", "PEPE", "SHIB"),
    "arbitrum": ("ETH", "USDT", "USDC", "DAI", "ARB"),
    "base": ("ETH", "USDC", "DAI"),
    "optimism": ("ETH", "USDT", "USDC", "DAI", "OP"),
    "bsc": ("BNB", "USDT", "USDC", "DAI", "PEPE", "SHIB"),
    "tron": ("TRX", "USDT", "USDD"),
}


def add_defaults(apps, schema_editor):
    fee = apps.get_model("payouts", "FeeRule")
    for network, assets in CURRENCIES.items():
        for asset in assets:
            fee.objects.create(api="invoice", asset=asset, network=network, flat_units=0)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0007_public_defaults")]

    operations = [migrations.RunPython(add_defaults, migrations.RunPython.noop)]
