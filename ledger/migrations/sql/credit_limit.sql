-- Set how far a credit account may go below zero, and write down who did. Never below what is drawn already.
CREATE FUNCTION ledger_set_credit_limit(
    p_book uuid, p_account uuid, p_owner uuid, p_asset text, p_purpose text, p_network text,
    p_limit numeric, p_by text, p_at timestamptz
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_account ledger_account;
BEGIN
    SELECT * INTO v_account
    FROM ledger_open(p_book, ARRAY[p_account], ARRAY[p_owner], ARRAY[p_asset], ARRAY[p_purpose], ARRAY[p_network]);
    IF v_account.purpose <> 'credit' OR p_limit < 0 OR p_limit <> trunc(p_limit) OR p_by = '' THEN
        RETURN 'credit_limit_plain';
    END IF;
    IF v_account.balance < -p_limit THEN
        RETURN 'limit_not_below_drawn';
    END IF;
    INSERT INTO ledger_creditlimitchange (book, account, number, old_floor, new_floor, by, at, xid)
    SELECT p_book, p_account, count(*) + 1, v_account.floor, -p_limit, p_by, p_at, pg_current_xact_id()
    FROM ledger_creditlimitchange WHERE book = p_book AND account = p_account;
    UPDATE ledger_account SET floor = -p_limit WHERE book = p_book AND id = p_account;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_set_credit_limit FROM PUBLIC;
