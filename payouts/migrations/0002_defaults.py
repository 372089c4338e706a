"""The rows that CONFORMANCE documents as defaults, and the history's lock."""

from django.db import migrations

USDT = 10**6

FEES = [
    # api, asset, network, flat units
    ("merchant", "USDT", "tron", 1 * USDT),
    ("merchant", "USDT", "ethereum", 1 * USDT),
]
POLICIES = [
    # priority, api, approval
    (1000, "merchant", "TWO_LEVELS"),
]

APPEND_ONLY = """
CREATE FUNCTION payouts_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE ON payouts_steptaken
    FOR EACH ROW EXECUTE FUNCTION payouts_history_is_append_only();
CREATE TRIGGER history_is_not_truncated BEFORE TRUNCATE ON payouts_steptaken
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_history_is_append_only();
"""
UNLOCKED = """
DROP TRIGGER history_is_not_truncated ON payouts_steptaken;
DROP TRIGGER history_is_append_only ON payouts_steptaken;
DROP FUNCTION payouts_history_is_append_only();
"""


def add_defaults(apps, schema_editor):
    fee, policy = apps.get_model("payouts", "FeeRule"), apps.get_model("payouts", "PolicyRule")
    for api, asset, network, flat_units in FEES:
        fee.objects.create(api=api, asset=asset, network=network, flat_units=flat_units)
    for priority, api, approval in POLICIES:
        policy.objects.create(priority=priority, api=api, approval=approval)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0001_initial")]

    operations = [
        migrations.RunPython(add_defaults, migrations.RunPython.noop),
        migrations.RunSQL(APPEND_ONLY, UNLOCKED),
    ]
