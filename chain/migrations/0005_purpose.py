"""What a transaction is for: intents that pay no payout, and the data that they carry."""

from django.db import migrations, models

KEEP = """
CREATE OR REPLACE FUNCTION chain_keep_intent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.purpose, OLD.payout_id, OLD.wallet_id, OLD.seq, OLD.network, OLD.asset, OLD.contract, OLD.to_address,
        OLD.amount_units, OLD.data)
       IS DISTINCT FROM
       (NEW.id, NEW.purpose, NEW.payout_id, NEW.wallet_id, NEW.seq, NEW.network, NEW.asset, NEW.contract, NEW.to_address,
        NEW.amount_units, NEW.data) THEN
        RAISE EXCEPTION 'an ordered payment never changes'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_payload_fixed';
    END IF;
    IF OLD.state <> 'OPEN' AND (OLD.state, OLD.txid, OLD.proof, OLD.verdict_at)
       IS DISTINCT FROM (NEW.state, NEW.txid, NEW.proof, NEW.verdict_at) THEN
        RAISE EXCEPTION 'a verdict is never taken back'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_verdict_final';
    END IF;
    IF OLD.collected_at IS NOT NULL AND OLD.collected_at IS DISTINCT FROM NEW.collected_at THEN
        RAISE EXCEPTION 'a verdict is collected once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_collected_once';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("chain", "0004_alarms")]

    operations = [
        migrations.RemoveConstraint(model_name="intent", name="intent_amount_positive"),
        migrations.AddField(
            model_name="intent",
            name="data",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="intent",
            name="purpose",
            field=models.CharField(
                choices=[("payment", "Payment"), ("anchor", "Anchor")], default="payment", max_length=12
            ),
        ),
        migrations.AlterField(
            model_name="intent",
            name="payout_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("purpose", "anchor"), ("state", "OPEN")),
                fields=("network",),
                name="intent_one_open_anchor",
            ),
        ),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount_units__gt", 0), ("data", ""), ("payout_id__isnull", False), ("purpose", "payment")
                    ),
                    models.Q(
                        ("amount_units", 0),
                        ("asset", ""),
                        ("contract", ""),
                        ("payout_id", None),
                        ("purpose", "anchor"),
                        models.Q(("data", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="intent_made_for_its_purpose",
            ),
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
    ]
