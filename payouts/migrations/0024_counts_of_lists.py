"""What lists tell as their total is counted as it comes and moves: requests by status, messages by endpoint."""

import django.db.models.deletion
from django.db import migrations, models

# As in 0014, a session counts in a slot of its own; a request that moves leaves one status and enters another.
COUNTING = """
CREATE FUNCTION payouts_count_requests() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO payouts_requestcount AS counted (merchant_id, status, slot, number)
    SELECT NEW.merchant_id, one.status, pg_backend_pid() % 64, one.number
    FROM (VALUES (NEW.status, 1), (OLD.status, -1)) AS one (status, number)
    WHERE one.status IS NOT NULL ORDER BY 2
    ON CONFLICT (merchant_id, status, slot) DO UPDATE SET number = counted.number + EXCLUDED.number;
    RETURN NULL;
END $$;
CREATE TRIGGER requests_counted AFTER INSERT ON payouts_withdrawal
    FOR EACH ROW WHEN (NEW.channel = 'request') EXECUTE FUNCTION payouts_count_requests();
CREATE TRIGGER requests_moved AFTER UPDATE OF status ON payouts_withdrawal
    FOR EACH ROW WHEN (NEW.channel = 'request' AND NEW.status <> OLD.status) EXECUTE FUNCTION payouts_count_requests();
INSERT INTO payouts_requestcount (merchant_id, status, slot, number)
SELECT merchant_id, status, 0, count(*) FROM payouts_withdrawal WHERE channel = 'request' GROUP BY 1, 2;

CREATE FUNCTION payouts_count_messages() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO payouts_messagecount AS counted (endpoint_id, slot, number)
    SELECT endpoint_id, pg_backend_pid() % 64, count(*) FROM made GROUP BY 1 ORDER BY 1
    ON CONFLICT (endpoint_id, slot) DO UPDATE SET number = counted.number + EXCLUDED.number;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_counted AFTER INSERT ON payouts_message REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_count_messages();
INSERT INTO payouts_messagecount (endpoint_id, slot, number)
SELECT endpoint_id, 0, count(*) FROM payouts_message GROUP BY 1;
"""
UNCOUNTING = """
DROP TRIGGER messages_counted ON payouts_message;
DROP FUNCTION payouts_count_messages();
DROP TRIGGER requests_moved ON payouts_withdrawal;
DROP TRIGGER requests_counted ON payouts_withdrawal;
DROP FUNCTION payouts_count_requests();
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0023_fees_and_credit_by_two")]

    operations = [
        migrations.CreateModel(
            name="RequestCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("status", models.CharField(max_length=15)),
                ("slot", models.PositiveSmallIntegerField()),
                ("number", models.BigIntegerField()),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="payouts.merchant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "status", "slot"), name="one_request_count_per_slot"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slot", models.PositiveSmallIntegerField()),
                ("number", models.PositiveBigIntegerField()),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="payouts.endpoint"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("endpoint", "slot"), name="one_message_count_per_slot")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="withdrawal",
            index=models.Index(
                condition=models.Q(channel="request"), fields=["merchant", "status", "-id"], name="request_by_status"
            ),
        ),
        migrations.AddIndex(
            model_name="message", index=models.Index(fields=["endpoint", "-id"], name="message_log")
        ),
        migrations.AlterField(
            model_name="message",
            name="endpoint",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="payouts.endpoint",
            ),
        ),
        migrations.RunSQL(
            "LOCK TABLE payouts_withdrawal, payouts_message IN SHARE ROW EXCLUSIVE MODE", migrations.RunSQL.noop
        ),
        migrations.RunSQL(COUNTING, UNCOUNTING),
    ]
