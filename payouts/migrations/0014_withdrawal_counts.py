"""How many withdrawals each merchant has made, counted by the database as they are inserted: lists tell their total."""

import django.db.models.deletion
from django.db import migrations, models

# A session counts in a slot of its own, so that creates of one merchant do not wait for each other here.
COUNTING = """
CREATE FUNCTION payouts_count_withdrawals() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO payouts_withdrawalcount AS counted (merchant_id, api, channel, slot, number)
    SELECT merchant_id, api, channel, pg_backend_pid() % 64, count(*) FROM made GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (merchant_id, api, channel, slot) DO UPDATE SET number = counted.number + EXCLUDED.number;
    RETURN NULL;
END $$;
CREATE TRIGGER withdrawals_counted AFTER INSERT ON payouts_withdrawal REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_count_withdrawals();
INSERT INTO payouts_withdrawalcount (merchant_id, api, channel, slot, number)
SELECT merchant_id, api, channel, 0, count(*) FROM payouts_withdrawal GROUP BY 1, 2, 3;
"""
UNCOUNTING = """
DROP TRIGGER withdrawals_counted ON payouts_withdrawal;
DROP FUNCTION payouts_count_withdrawals();
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0013_rules_of_two")]

    operations = [
        migrations.CreateModel(
            name="WithdrawalCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("api", models.CharField(max_length=16)),
                ("channel", models.CharField(blank=True, max_length=16)),
                ("slot", models.PositiveSmallIntegerField()),
                ("number", models.PositiveBigIntegerField()),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="payouts.merchant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("merchant", "api", "channel", "slot"), name="one_count_per_slot")
                ],
            },
        ),
        migrations.RunSQL("LOCK TABLE payouts_withdrawal IN SHARE ROW EXCLUSIVE MODE", migrations.RunSQL.noop),
        migrations.RunSQL(COUNTING, UNCOUNTING),
    ]
