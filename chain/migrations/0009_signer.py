"""What the signer relies on: a wallet stays the account that it is, signed bytes say whether a person had said yes."""

from django.db import migrations, models

GUARDS = """
CREATE FUNCTION chain_keep_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.network, OLD.address) IS DISTINCT FROM (NEW.id, NEW.network, NEW.address) THEN
        RAISE EXCEPTION 'a wallet stays the account that it is'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'hot_wallet_fixed';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION chain_keep_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.intent_id, OLD.number, OLD.txid, OLD.raw, OLD.fees, OLD.ref_number, OLD.ref_hash, OLD.expiration_ms,
        OLD.signed_at, OLD.attended)
       IS DISTINCT FROM
       (NEW.id, NEW.intent_id, NEW.number, NEW.txid, NEW.raw, NEW.fees, NEW.ref_number, NEW.ref_hash, NEW.expiration_ms,
        NEW.signed_at, NEW.attended) THEN
        RAISE EXCEPTION 'signed bytes never change'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'attempt_bytes_fixed';
    END IF;
    IF OLD.state NOT IN ('LIVE', 'SUPERSEDED') AND OLD.state <> NEW.state THEN
        RAISE EXCEPTION 'what is known of an attempt is never forgotten'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'attempt_state_final';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER wallet_kept BEFORE UPDATE ON chain_hotwallet FOR EACH ROW EXECUTE FUNCTION chain_keep_wallet();
CREATE TRIGGER wallet_not_deleted BEFORE DELETE ON chain_hotwallet
    FOR EACH ROW EXECUTE FUNCTION chain_refuse_change();
"""
UNGUARD = """
DROP TRIGGER wallet_not_deleted ON chain_hotwallet;
DROP TRIGGER wallet_kept ON chain_hotwallet;
DROP FUNCTION chain_keep_wallet();
"""


class Migration(migrations.Migration):
    dependencies = [("chain", "0008_costs")]

    operations = [
        migrations.AddField(
            model_name="signedattempt",
            name="attended",
            field=models.BooleanField(default=True),
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
