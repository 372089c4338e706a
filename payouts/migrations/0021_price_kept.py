"""What a withdrawal was priced in, what the platform takes of it and what its merchant calls it never change either."""

from django.db import migrations

KEEP = """
CREATE OR REPLACE FUNCTION payouts_keep_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.merchant_id, OLD.api, OLD.owner, OLD.asset, OLD.network, OLD.destination, OLD.amount_units,
        OLD.fee_units, OLD.net_units, OLD.credit_units, OLD.approval, OLD.maker_id, OLD.created_at{more_of_old})
       IS DISTINCT FROM
       (NEW.id, NEW.merchant_id, NEW.api, NEW.owner, NEW.asset, NEW.network, NEW.destination, NEW.amount_units,
        NEW.fee_units, NEW.net_units, NEW.credit_units, NEW.approval, NEW.maker_id, NEW.created_at{more_of_new}) THEN
        RAISE EXCEPTION 'what a withdrawal pays never changes'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'withdrawal_payload_fixed';
    END IF;
    RETURN NEW;
END $$;
"""
MORE = ", {0}.platform_units, {0}.price, {0}.custom_id"


class Migration(migrations.Migration):
    dependencies = [("payouts", "0020_dashboard_defaults")]

    operations = [
        migrations.RunSQL(
            KEEP.format(more_of_old=MORE.format("OLD"), more_of_new=MORE.format("NEW")),
            KEEP.format(more_of_old="", more_of_new=""),
        )
    ]
