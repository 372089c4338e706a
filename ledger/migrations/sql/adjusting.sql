-- An adjustment is proposed by one person and decided by another; both are written down and stay.
CREATE TRIGGER adjustment_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER adjustment_decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_adjustmentdecision
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
ALTER TABLE ledger_adjustment ENABLE ALWAYS TRIGGER adjustment_append_only;
ALTER TABLE ledger_adjustmentdecision ENABLE ALWAYS TRIGGER adjustment_decision_append_only;

-- Answers the rule that refuses it, NULL when it is written down; the same again is the same.
CREATE FUNCTION ledger_propose_adjustment(
    p_book uuid, p_id uuid, p_source uuid, p_target uuid, p_amount numeric, p_reason text, p_reference text, p_by text,
    p_at timestamptz
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_source ledger_account;
    v_target ledger_account;
BEGIN
    SELECT * INTO v_source FROM ledger_account WHERE book = p_book AND id = p_source;
    SELECT * INTO v_target FROM ledger_account WHERE book = p_book AND id = p_target;
    IF v_source.id IS NULL OR v_target.id IS NULL OR p_source = p_target THEN
        RETURN 'event_two_accounts';
    ELSIF v_source.asset <> v_target.asset THEN
        RETURN 'event_one_asset';
    ELSIF NOT ledger_kind_allowed('ADJUST', v_source.purpose, v_target.purpose) THEN
        RETURN 'event_kind_between_purposes';
    ELSIF (p_amount > 0 AND p_amount < 1e77 AND p_amount = trunc(p_amount)) IS NOT TRUE THEN
        RETURN 'event_amount_in_range';
    ELSIF (btrim(p_reason) <> '' AND btrim(p_by) <> '') IS NOT TRUE THEN
        RETURN 'adjust_by_two_persons';
    END IF;
    INSERT INTO ledger_adjustment (book, id, source, target, amount, reason, reference, by, at, xid)
    VALUES (p_book, p_id, p_source, p_target, p_amount, p_reason, p_reference, p_by, p_at, pg_current_xact_id())
    ON CONFLICT (book, id) DO NOTHING;
    IF NOT EXISTS (
        SELECT FROM ledger_adjustment AS kept WHERE book = p_book AND id = p_id
        AND (kept.source, kept.target, kept.amount, kept.reason, kept.reference, kept.by)
            = (p_source, p_target, p_amount, p_reason, p_reference, p_by)
    ) THEN
        RETURN 'event_once';
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_propose_adjustment FROM PUBLIC;

-- Answers the rule that refuses it, NULL when the decision stands. The caller posts in the same transaction.
CREATE FUNCTION ledger_decide_adjustment(p_book uuid, p_id uuid, p_verdict text, p_by text, p_at timestamptz)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_proposed_by text;
BEGIN
    SELECT by INTO v_proposed_by FROM ledger_adjustment WHERE book = p_book AND id = p_id;
    IF NOT FOUND THEN
        RETURN 'adjustment_proposed';
    ELSIF (btrim(p_by) <> '') IS NOT TRUE
          OR p_verdict <> 'DECLINED' AND lower(btrim(p_by)) = lower(btrim(v_proposed_by)) THEN
        RETURN 'adjust_by_two_persons';
    END IF;
    INSERT INTO ledger_adjustmentdecision (book, adjustment, verdict, proposed_by, by, at, xid)
    VALUES (p_book, p_id, p_verdict, v_proposed_by, p_by, p_at, pg_current_xact_id())
    ON CONFLICT (book, adjustment) DO NOTHING;
    IF NOT EXISTS (
        SELECT FROM ledger_adjustmentdecision AS kept
        WHERE book = p_book AND adjustment = p_id AND (kept.verdict, kept.by) = (p_verdict, p_by)
    ) THEN
        RETURN 'adjustment_decided_once';
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_decide_adjustment FROM PUBLIC;

CREATE VIEW ledger_adjustment_line WITH (security_invoker = true) AS
SELECT proposed.book || '.' || proposed.id AS key, proposed.book, proposed.id, proposed.source, proposed.target,
       proposed.amount, proposed.reason, proposed.reference, proposed.by, proposed.at, decided.verdict,
       decided.by AS decided_by, decided.at AS decided_at
FROM ledger_adjustment AS proposed
LEFT JOIN ledger_adjustmentdecision AS decided ON decided.book = proposed.book AND decided.adjustment = proposed.id;
