"""A payment that was never signed may be given up, once; a trigger holds what that means."""

from django.db import migrations, models

GUARDS = """
CREATE FUNCTION chain_give_up_unsigned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.given_up <> '' OR TG_OP = 'UPDATE' AND OLD.given_up <> NEW.given_up AND (
        OLD.given_up <> '' OR OLD.state <> 'OPEN' OR OLD.purpose <> 'payment' OR OLD.batch_id IS NOT NULL
        OR EXISTS (SELECT FROM chain_signedattempt WHERE intent_id = OLD.id)) THEN
        RAISE EXCEPTION 'only an open payment without signed bytes is given up, once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_given_up_unsigned';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER intent_given_up_unsigned BEFORE INSERT OR UPDATE OF given_up ON chain_intent
    FOR EACH ROW EXECUTE FUNCTION chain_give_up_unsigned();
"""
UNGUARD = """
DROP TRIGGER intent_given_up_unsigned ON chain_intent;
DROP FUNCTION chain_give_up_unsigned();
"""


class Migration(migrations.Migration):
    dependencies = [("chain", "0013_costs_booked")]
    operations = [
        migrations.AddField(
            model_name="intent",
            name="given_up",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.CheckConstraint(
                condition=models.Q(given_up="") | ~models.Q(state="PAID"), name="intent_given_up_pays_nobody"
            ),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
