"""Costs come into the platform's book, each once; otherwise their rows stay as they are."""

from django.db import migrations, models

GUARDS = """
CREATE FUNCTION chain_keep_cost() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.booked_at IS NULL
       AND (OLD.id, OLD.intent_id, OLD.network, OLD.coin, OLD.txid, OLD.block_number, OLD.fee_units, OLD.detail, OLD.at)
         = (NEW.id, NEW.intent_id, NEW.network, NEW.coin, NEW.txid, NEW.block_number, NEW.fee_units, NEW.detail, NEW.at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a cost stays what it was and is booked once'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'chain_append_only';
END $$;
DROP TRIGGER cost_appended ON chain_cost;
CREATE TRIGGER cost_appended BEFORE UPDATE OR DELETE ON chain_cost FOR EACH ROW EXECUTE FUNCTION chain_keep_cost();
"""
UNGUARD = """
DROP TRIGGER cost_appended ON chain_cost;
CREATE TRIGGER cost_appended BEFORE UPDATE OR DELETE ON chain_cost FOR EACH ROW EXECUTE FUNCTION chain_refuse_change();
DROP FUNCTION chain_keep_cost();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chain', '0012_deposit_lanes'),
    ]

    operations = [
        migrations.AddField(
            model_name='cost',
            name='booked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='cost',
            index=models.Index(condition=models.Q(('booked_at', None)), fields=['id'], name='cost_to_book'),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
