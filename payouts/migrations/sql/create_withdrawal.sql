-- The number of a rulebook's version: it rises with every change of what web processes keep in memory of the rules.
-- At the commit and not before, so that nobody holds the one row for longer, and whoever has it waits for nobody.
INSERT INTO payouts_rulebookversion (id, number) VALUES (1, 1);
CREATE FUNCTION payouts_rulebook_changed() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE payouts_rulebookversion SET number = number + 1;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER fees_in_rulebook AFTER INSERT OR UPDATE OR DELETE ON payouts_feerule
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payouts_rulebook_changed();
CREATE CONSTRAINT TRIGGER policies_in_rulebook AFTER INSERT OR UPDATE OR DELETE ON payouts_policyrule
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payouts_rulebook_changed();
CREATE CONSTRAINT TRIGGER limits_in_rulebook AFTER INSERT OR UPDATE OR DELETE ON payouts_limitrule
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payouts_rulebook_changed();
CREATE CONSTRAINT TRIGGER settings_in_rulebook AFTER INSERT OR UPDATE OR DELETE ON payouts_withdrawalsettings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payouts_rulebook_changed();
-- A callback's endpoint is read with the withdrawal that names it, and there may be one per withdrawal.
CREATE CONSTRAINT TRIGGER new_endpoints_in_rulebook AFTER INSERT ON payouts_endpoint
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NOT NEW.is_callback) EXECUTE FUNCTION payouts_rulebook_changed();
CREATE CONSTRAINT TRIGGER endpoints_in_rulebook AFTER UPDATE OR DELETE ON payouts_endpoint
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NOT OLD.is_callback) EXECUTE FUNCTION payouts_rulebook_changed();


-- A new withdrawal by the short way: what nearly every create is goes to the disk in this one call. It answers `made`, or
-- another word, and then nothing has happened and the long way finds out why: `stale` (the rules have changed since the
-- caller read them), `busy` or `kept` (the same Idempotency-Key, now or before), `unusual` (the money is not there without
-- credit, an account is not open yet, the destination is one of our own wallets, a supervisor's flag or an address moved).
--
-- Rows come as JSON objects by column: withdrawal, step, messages, and with a p_claim the idempotency key. The movements
-- come as ledger_post_fresh takes them. Whatever a constraint refuses takes the whole call back.
CREATE FUNCTION payouts_create_withdrawal(
    p_rows jsonb, p_version bigint, p_claim bigint, p_account uuid[], p_id uuid[], p_txn uuid[], p_kind text[],
    p_source int[], p_target int[], p_amount numeric[]
) RETURNS text LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_withdrawal payouts_withdrawal;
    v_key payouts_idempotencykey;
    v_posted boolean;
BEGIN
    IF p_version IS DISTINCT FROM (SELECT number FROM payouts_rulebookversion) THEN
        RETURN 'stale';
    END IF;
    IF p_claim IS NOT NULL THEN
        v_key := jsonb_populate_record(NULL::payouts_idempotencykey, p_rows -> 'key');
        IF NOT pg_try_advisory_xact_lock(p_claim) THEN
            RETURN 'busy';
        END IF;
        PERFORM FROM payouts_idempotencykey
        WHERE merchant_id = v_key.merchant_id AND endpoint = v_key.endpoint AND key = v_key.key;
        IF FOUND THEN
            RETURN 'kept';
        END IF;
    END IF;
    v_withdrawal := jsonb_populate_record(NULL::payouts_withdrawal, p_rows -> 'withdrawal');
    PERFORM FROM chain_hotwallet WHERE address = v_withdrawal.destination;
    IF FOUND OR NOT payouts_stands(p_rows -> 'stands') THEN
        RETURN 'unusual';
    END IF;
    IF cardinality(p_id) = 1 THEN
        SELECT done INTO v_posted FROM ledger_post_one(
            v_withdrawal.merchant_id, p_id[1], p_txn[1], p_kind[1], p_account[p_source[1]], p_account[p_target[1]],
            p_amount[1], v_withdrawal.id::text, '{}');
    ELSE
        SELECT done INTO v_posted FROM ledger_post_fresh(
            array_fill(v_withdrawal.merchant_id, ARRAY[cardinality(p_account)]), p_account, p_id, p_txn, p_kind,
            p_source, p_target, p_amount, array_fill(v_withdrawal.id::text, ARRAY[cardinality(p_id)]), NULL, false);
    END IF;
    IF NOT v_posted THEN
        RETURN 'unusual';
    END IF;
    INSERT INTO payouts_withdrawal SELECT v_withdrawal.*;
    INSERT INTO payouts_steptaken SELECT new.* FROM jsonb_populate_record(
        NULL::payouts_steptaken, p_rows -> 'step' || jsonb_build_object('id', nextval('payouts_steptaken_id_seq'))) AS new;
    IF p_rows -> 'messages' <> '[]' THEN
        INSERT INTO payouts_message
        SELECT new.* FROM jsonb_populate_recordset(NULL::payouts_message, p_rows -> 'messages') AS new;
    END IF;
    IF p_claim IS NOT NULL THEN
        v_key.id := nextval('payouts_idempotencykey_id_seq');
        INSERT INTO payouts_idempotencykey SELECT v_key.*;
    END IF;
    RETURN 'made';
END
$$;


-- Whether what an extraction rests on still stands: the QR code with its address, and, held until the commit, the flag of
-- the supervisor who asks.
CREATE FUNCTION payouts_stands(p_stands jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_stands IS NULL OR p_stands = 'null' THEN
        RETURN true;
    END IF;
    PERFORM FROM payouts_qrcode WHERE id = (p_stands ->> 'qr_code')::uuid AND last_address = p_stands ->> 'address';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p_stands ->> 'supervisor' IS NOT NULL THEN
        PERFORM FROM payouts_supervisor
        WHERE id = (p_stands ->> 'supervisor')::uuid AND deleted_at IS NULL AND buy_usdt_active FOR SHARE;
        RETURN FOUND;
    END IF;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION payouts_create_withdrawal, payouts_stands FROM PUBLIC;
