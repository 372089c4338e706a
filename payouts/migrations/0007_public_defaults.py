"""The rows that CONFORMANCE §1 documents as defaults: flat fees, and whom each door asks."""

from django.db import migrations

USDT = 10**6
FEES = [
    # asset, network, flat units
    ("USDT", "tron", 2 * USDT),
    ("USDT", "ethereum", 5 * USDT // 2),
]
POLICIES = [
    # priority, channel, approval
    (1000, "create", "NONE"),
    (1000, "request", "MERCHANT"),
]


def add_defaults(apps, schema_editor):
    fee, policy = apps.get_model("payouts", "FeeRule"), apps.get_model("payouts", "PolicyRule")
    for asset, network, flat_units in FEES:
        fee.objects.create(api="public", asset=asset, network=network, flat_units=flat_units)
    for priority, channel, approval in POLICIES:
        policy.objects.create(priority=priority, api="public", channel=channel, approval=approval)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0006_user_wallets")]

    operations = [migrations.RunPython(add_defaults, migrations.RunPython.noop)]
