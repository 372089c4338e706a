"""What the signer relies on: a withdrawal's payload stays what it was, an approval is there once, with its evidence."""

from django.db import migrations, models

GUARDS = """
CREATE FUNCTION payouts_keep_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.merchant_id, OLD.api, OLD.owner, OLD.asset, OLD.network, OLD.destination, OLD.amount_units,
        OLD.fee_units, OLD.net_units, OLD.credit_units, OLD.approval, OLD.maker_id, OLD.created_at)
       IS DISTINCT FROM
       (NEW.id, NEW.merchant_id, NEW.api, NEW.owner, NEW.asset, NEW.network, NEW.destination, NEW.amount_units,
        NEW.fee_units, NEW.net_units, NEW.credit_units, NEW.approval, NEW.maker_id, NEW.created_at) THEN
        RAISE EXCEPTION 'what a withdrawal pays never changes'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'withdrawal_payload_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withdrawal_kept BEFORE UPDATE ON payouts_withdrawal
    FOR EACH ROW EXECUTE FUNCTION payouts_keep_withdrawal();
"""
UNGUARD = """
DROP TRIGGER withdrawal_kept ON payouts_withdrawal;
DROP FUNCTION payouts_keep_withdrawal();
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0010_differences")]

    operations = [
        migrations.AddField(
            model_name="steptaken",
            name="evidence",
            field=models.BinaryField(default=b"", max_length=32),
        ),
        migrations.AddConstraint(
            model_name="steptaken",
            constraint=models.UniqueConstraint(
                condition=models.Q(("verb__in", ["approve_l1", "approve_l2", "auto_approve", "merchant_approve"])),
                fields=("withdrawal", "verb"),
                name="approved_once_each_way",
            ),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
