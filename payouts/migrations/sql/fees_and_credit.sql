-- The one way to a rule, for the application's role: its own rights reach no further than reading rules and proposing.
-- Two people and one decision are constraints of the decisions' table; the row must still be what the proposal says.
CREATE OR REPLACE FUNCTION payouts_decide_rule(p_proposal uuid, p_verdict text, p_by bigint, p_at timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_change payouts_ruleproposal;
    v_table text;
    v_columns text;
    v_row bigint;
    v_after jsonb;
    v_same boolean;
    v_was numeric;
    v_refusal text;
    v_people text;
BEGIN
    SELECT * INTO STRICT v_change FROM payouts_ruleproposal WHERE id = p_proposal;
    v_table := CASE v_change.kind
        WHEN 'policy' THEN 'payouts_policyrule'
        WHEN 'limit' THEN 'payouts_limitrule'
        WHEN 'address' THEN 'payouts_bookedaddress'
        WHEN 'fee' THEN 'payouts_feerule'
    END;
    v_row := v_change."row";
    IF v_row IS NULL AND p_verdict = 'CONFIRMED' THEN
        v_row := nextval(pg_get_serial_sequence(v_table, 'id'));  -- none for what is no row
    END IF;
    INSERT INTO payouts_ruledecision (proposal_id, verdict, "row", proposed_by_id, by_id, at)
    VALUES (p_proposal, p_verdict, v_row, v_change.by_id, p_by, p_at);
    IF p_verdict <> 'CONFIRMED' THEN
        RETURN;
    END IF;
    IF v_change.kind = 'credit' THEN  -- which the ledger keeps, with the names of both
        SELECT -floor INTO v_was FROM ledger_account
        WHERE book = (v_change.after->>'merchant_id')::uuid AND id = (v_change.after->>'account')::uuid FOR UPDATE;
        IF coalesce(v_was, 0) <> (v_change.after->>'was_units')::numeric THEN
            RAISE EXCEPTION 'the credit line is not what it was when its change was proposed'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'rule_as_proposed';
        END IF;
        SELECT string_agg(username, ', confirmed by ' ORDER BY id = p_by) INTO v_people
        FROM auth_user WHERE id IN (v_change.by_id, p_by);
        v_refusal := ledger_set_credit_limit(
            (v_change.after->>'merchant_id')::uuid, (v_change.after->>'account')::uuid, (v_change.after->>'owner')::uuid,
            v_change.after->>'asset', 'credit', '', (v_change.after->>'limit_units')::numeric, v_people, p_at
        );
        IF v_refusal IS NOT NULL THEN
            RAISE EXCEPTION 'the ledger refuses this credit line: %', v_refusal
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = v_refusal;
        END IF;
        RETURN;
    END IF;
    v_after := v_change.after || jsonb_build_object('id', v_row);
    IF v_change.kind = 'address' THEN  -- a cool-down begins when the second person agrees
        v_after := v_after || jsonb_build_object('added_by_id', v_change.by_id, 'added_at', p_at);
    END IF;
    IF v_change."row" IS NULL THEN
        EXECUTE format('INSERT INTO %1$I SELECT (jsonb_populate_record(NULL::%1$I, $1)).*', v_table) USING v_after;
        RETURN;
    END IF;
    EXECUTE format(
        'SELECT kept = jsonb_populate_record(kept, $1) FROM %1$I AS kept WHERE id = $2 FOR UPDATE', v_table
    ) INTO v_same USING v_change.before, v_row;
    IF v_same IS NOT TRUE THEN
        RAISE EXCEPTION 'the row is not what it was when its change was proposed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'rule_as_proposed';
    END IF;
    IF v_change.after IS NULL THEN
        EXECUTE format('DELETE FROM %I WHERE id = $1', v_table) USING v_row;
        RETURN;
    END IF;
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO v_columns FROM pg_attribute
    WHERE attrelid = v_table::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id';
    EXECUTE format(
        'UPDATE %1$I AS kept SET (%2$s) = (SELECT %2$s FROM jsonb_populate_record(kept, $1)) WHERE id = $2',
        v_table, v_columns
    ) USING v_after, v_row;
END
$$;
