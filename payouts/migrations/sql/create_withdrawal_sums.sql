-- As before, but the ledger is told what each account's movements come to.
CREATE OR REPLACE FUNCTION payouts_create_withdrawal(
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
        SELECT ledger_post_fresh(
            array_fill(v_withdrawal.merchant_id, ARRAY[cardinality(p_account)]), p_account, change.units, change.events,
            p_id, p_txn, p_kind, p_source, p_target, p_amount,
            array_fill(v_withdrawal.id::text, ARRAY[cardinality(p_id)]), NULL)
        INTO v_posted FROM (
            SELECT array_agg(units ORDER BY place) AS units, array_agg(events ORDER BY place) AS events FROM (
                SELECT place, sum(units) AS units, count(*)::int AS events
                FROM (SELECT unnest(p_source) AS place, -unnest(p_amount) AS units
                      UNION ALL SELECT unnest(p_target), unnest(p_amount)) AS leg
                GROUP BY place) AS each
        ) AS change;
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
