-- The short way of ledger_post for what nearly every call is: one movement that is new, between two open accounts that
-- allow it. Each account is locked, checked and moved by one UPDATE, in the order of the ids; the event's own key finds
-- a repeat, after the locks. Whatever is out of the ordinary leaves everything as it was and answers `done` = false:
-- ledger_post then finds out what it is, opens accounts, answers the repeat or names the refusal.
CREATE FUNCTION ledger_post_one(
    p_book uuid, p_id uuid, p_txn uuid, p_kind text, p_source uuid, p_target uuid, p_amount numeric,
    p_reference text, p_data jsonb,
    OUT done boolean, OUT source_seq bigint, OUT target_seq bigint, OUT source_balance numeric,
    OUT target_balance numeric, OUT at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_source_asset text;
    v_target_asset text;
    v_source_purpose text;
    v_target_purpose text;
    v_first boolean := p_source < p_target;
BEGIN
    done := false;
    IF (p_amount > 0 AND p_amount < 1e77 AND p_amount = trunc(p_amount)) IS NOT TRUE THEN
        RETURN;
    END IF;
    IF v_first THEN
        UPDATE ledger_account SET balance = balance - p_amount, seq = seq + 1
        WHERE book = p_book AND id = p_source AND (floor IS NULL OR balance - p_amount >= floor)
        RETURNING seq, balance, asset, purpose INTO source_seq, source_balance, v_source_asset, v_source_purpose;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    UPDATE ledger_account SET balance = balance + p_amount, seq = seq + 1
    WHERE book = p_book AND id = p_target AND (purpose <> 'credit' OR balance + p_amount <= 0)
    RETURNING seq, balance, asset, purpose INTO target_seq, target_balance, v_target_asset, v_target_purpose;
    IF target_seq IS NOT NULL AND NOT v_first THEN
        UPDATE ledger_account SET balance = balance - p_amount, seq = seq + 1
        WHERE book = p_book AND id = p_source AND (floor IS NULL OR balance - p_amount >= floor)
        RETURNING seq, balance, asset, purpose INTO source_seq, source_balance, v_source_asset, v_source_purpose;
    END IF;
    IF source_seq IS NOT NULL AND target_seq IS NOT NULL AND p_source <> p_target
       AND v_source_asset = v_target_asset AND ledger_kind_allowed(p_kind, v_source_purpose, v_target_purpose)
    THEN
        at := clock_timestamp();
        INSERT INTO ledger_event (
            book, id, txn, kind, source, target, amount, source_seq, target_seq, source_balance, target_balance,
            reference, request_hash, data, at, xid)
        VALUES (
            p_book, p_id, p_txn, p_kind, p_source, p_target, p_amount, source_seq, target_seq, source_balance,
            target_balance, p_reference,
            ledger_request_hash(p_book, p_id, p_txn, p_kind, p_source, p_target, p_amount, p_reference, p_data),
            p_data, at, pg_current_xact_id())
        ON CONFLICT (book, id) DO NOTHING;
        IF FOUND THEN
            done := true;
            RETURN;
        END IF;
    END IF;
    -- As if nothing had been. The locks stay, nobody sees what was in between, and ledger_post comes next.
    IF source_seq IS NOT NULL THEN
        UPDATE ledger_account SET balance = balance + p_amount, seq = seq - 1 WHERE book = p_book AND id = p_source;
    END IF;
    IF target_seq IS NOT NULL THEN
        UPDATE ledger_account SET balance = balance - p_amount, seq = seq - 1 WHERE book = p_book AND id = p_target;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_post_one FROM PUBLIC;


-- The same for a caller whom others wait for: a row that somebody holds is waited for only briefly.
CREATE FUNCTION ledger_post_one_briefly(
    p_book uuid, p_id uuid, p_txn uuid, p_kind text, p_source uuid, p_target uuid, p_amount numeric,
    p_reference text, p_data jsonb,
    OUT done boolean, OUT source_seq bigint, OUT target_seq bigint, OUT source_balance numeric,
    OUT target_balance numeric, OUT at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '100ms'
AS $$
BEGIN
    SELECT * INTO done, source_seq, target_seq, source_balance, target_balance, at
    FROM ledger_post_one(p_book, p_id, p_txn, p_kind, p_source, p_target, p_amount, p_reference, p_data);
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_post_one_briefly FROM PUBLIC;
