"""Triggers that hold what a constraint cannot: signed bytes never change, a verdict is never taken back."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION chain_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: rows are only appended', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'chain_append_only';
END $$;

CREATE FUNCTION chain_keep_intent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.payout_id, OLD.wallet_id, OLD.seq, OLD.network, OLD.asset, OLD.contract, OLD.to_address, OLD.amount_units)
       IS DISTINCT FROM
       (NEW.id, NEW.payout_id, NEW.wallet_id, NEW.seq, NEW.network, NEW.asset, NEW.contract, NEW.to_address, NEW.amount_units) THEN
        RAISE EXCEPTION 'an ordered payment never changes'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_payload_fixed';
    END IF;
    IF OLD.state <> 'OPEN' AND (OLD.state, OLD.txid, OLD.proof, OLD.verdict_at) IS DISTINCT FROM (NEW.state, NEW.txid, NEW.proof, NEW.verdict_at) THEN
        RAISE EXCEPTION 'a verdict is never taken back'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_verdict_final';
    END IF;
    IF OLD.collected_at IS NOT NULL AND OLD.collected_at IS DISTINCT FROM NEW.collected_at THEN
        RAISE EXCEPTION 'a verdict is collected once'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'intent_collected_once';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION chain_keep_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.intent_id, OLD.number, OLD.txid, OLD.raw, OLD.fees, OLD.ref_number, OLD.ref_hash, OLD.expiration_ms, OLD.signed_at)
       IS DISTINCT FROM
       (NEW.id, NEW.intent_id, NEW.number, NEW.txid, NEW.raw, NEW.fees, NEW.ref_number, NEW.ref_hash, NEW.expiration_ms, NEW.signed_at) THEN
        RAISE EXCEPTION 'signed bytes never change'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'attempt_bytes_fixed';
    END IF;
    IF OLD.state NOT IN ('LIVE', 'SUPERSEDED') AND OLD.state <> NEW.state THEN
        RAISE EXCEPTION 'what is known of an attempt is never forgotten'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'attempt_state_final';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER intent_kept BEFORE UPDATE ON chain_intent FOR EACH ROW EXECUTE FUNCTION chain_keep_intent();
CREATE TRIGGER intent_not_deleted BEFORE DELETE ON chain_intent FOR EACH ROW EXECUTE FUNCTION chain_refuse_change();
CREATE TRIGGER attempt_kept BEFORE UPDATE ON chain_signedattempt FOR EACH ROW EXECUTE FUNCTION chain_keep_attempt();
CREATE TRIGGER attempt_not_deleted BEFORE DELETE ON chain_signedattempt FOR EACH ROW EXECUTE FUNCTION chain_refuse_change();
CREATE TRIGGER broadcast_appended BEFORE UPDATE OR DELETE ON chain_broadcastattempt FOR EACH ROW EXECUTE FUNCTION chain_refuse_change();
"""

UNGUARD = """
DROP TRIGGER broadcast_appended ON chain_broadcastattempt;
DROP TRIGGER attempt_not_deleted ON chain_signedattempt;
DROP TRIGGER attempt_kept ON chain_signedattempt;
DROP TRIGGER intent_not_deleted ON chain_intent;
DROP TRIGGER intent_kept ON chain_intent;
DROP FUNCTION chain_keep_attempt();
DROP FUNCTION chain_keep_intent();
DROP FUNCTION chain_refuse_change();
"""


class Migration(migrations.Migration):
    """The second lock behind the constraints."""

    dependencies = [("chain", "0001_initial")]
    operations = [migrations.RunSQL(GUARDS, UNGUARD)]
