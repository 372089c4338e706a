"""What CONFORMANCE documents as the `extraction` API's defaults, and the lock of the addresses' history."""

from django.db import migrations

FREE_OF_CHARGE = [("extraction", "USDT", network, 0) for network in ("tron", "ethereum")]
TWO_LEVELS = (1000, "extraction", "TWO_LEVELS")

APPEND_ONLY = """
CREATE TRIGGER addresses_are_append_only BEFORE UPDATE OR DELETE ON payouts_addresschange
    FOR EACH ROW EXECUTE FUNCTION payouts_history_is_append_only();
CREATE TRIGGER addresses_are_not_truncated BEFORE TRUNCATE ON payouts_addresschange
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_history_is_append_only();
"""
UNLOCKED = """
DROP TRIGGER addresses_are_not_truncated ON payouts_addresschange;
DROP TRIGGER addresses_are_append_only ON payouts_addresschange;
"""


def add_defaults(apps, schema_editor):
    fee, policy = apps.get_model("payouts", "FeeRule"), apps.get_model("payouts", "PolicyRule")
    for api, asset, network, flat_units in FREE_OF_CHARGE:
        fee.objects.create(api=api, asset=asset, network=network, flat_units=flat_units)
    priority, api, approval = TWO_LEVELS
    policy.objects.create(priority=priority, api=api, approval=approval)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0004_stores")]

    operations = [
        migrations.RunPython(add_defaults, migrations.RunPython.noop),
        migrations.RunSQL(APPEND_ONLY, UNLOCKED),
    ]
