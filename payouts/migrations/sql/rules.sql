-- Proposals and decisions are written once and stay.
CREATE TRIGGER rule_proposals_are_append_only BEFORE UPDATE OR DELETE ON payouts_ruleproposal
    FOR EACH ROW EXECUTE FUNCTION payouts_history_is_append_only();
CREATE TRIGGER rule_proposals_are_not_truncated BEFORE TRUNCATE ON payouts_ruleproposal
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_history_is_append_only();
CREATE TRIGGER rule_decisions_are_append_only BEFORE UPDATE OR DELETE ON payouts_ruledecision
    FOR EACH ROW EXECUTE FUNCTION payouts_history_is_append_only();
CREATE TRIGGER rule_decisions_are_not_truncated BEFORE TRUNCATE ON payouts_ruledecision
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_history_is_append_only();

-- The one way to a rule, for the application's role: its own rights reach no further than reading rules and proposing.
-- Two people and one decision are constraints of the decisions' table; the row must still be what the proposal says.
CREATE FUNCTION payouts_decide_rule(p_proposal uuid, p_verdict text, p_by bigint, p_at timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_change payouts_ruleproposal;
    v_table text;
    v_columns text;
    v_row bigint;
    v_after jsonb;
    v_same boolean;
BEGIN
    SELECT * INTO STRICT v_change FROM payouts_ruleproposal WHERE id = p_proposal;
    v_table := CASE v_change.kind
        WHEN 'policy' THEN 'payouts_policyrule'
        WHEN 'limit' THEN 'payouts_limitrule'
        WHEN 'address' THEN 'payouts_bookedaddress'
    END;
    v_row := v_change."row";
    IF v_row IS NULL AND p_verdict = 'CONFIRMED' THEN
        v_row := nextval(pg_get_serial_sequence(v_table, 'id'));
    END IF;
    INSERT INTO payouts_ruledecision (proposal_id, verdict, "row", proposed_by_id, by_id, at)
    VALUES (p_proposal, p_verdict, v_row, v_change.by_id, p_by, p_at);
    IF p_verdict <> 'CONFIRMED' THEN
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
REVOKE EXECUTE ON FUNCTION payouts_decide_rule FROM PUBLIC;
