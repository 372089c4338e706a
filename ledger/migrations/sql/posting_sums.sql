-- The short way once more: the caller says what becomes of each account in the end (p_units, and by how many events), and
-- the loop below must come to the same, or nothing is done. So the statement that locks and moves the accounts needs no
-- sums of its own: for a few movements, adding them up there cost more than moving them.
--
-- Everything else as before: movements that are all new, between open accounts that allow them all in their order; over as
-- many books as there are, for one movement and for thousands. The accounts come as parallel arrays in strictly rising
-- order of (book, id); source and target are positions among them (from 1). NULL for p_reference or p_data: all empty.
--
-- Answers NULL when a movement is not allowed or an account not open: all balances are as they were, the locks stay. An
-- event that is there already raises: a subtransaction to catch it would cost every call a tenth. When it is done: with
-- p_answers `at|source_seq,…|target_seq,…|source_balance,…|target_balance,…`, `at` in microseconds since 1970; '' without.
-- p_briefly, for a call that is a transaction of its own: it waits 100 ms for a row that somebody holds, because others
-- wait for it.
DROP FUNCTION ledger_post_fresh;
DROP FUNCTION ledger_post_crowd;
CREATE FUNCTION ledger_post_crowd(
    p_book uuid[], p_account uuid[], p_units numeric[], p_events int[], p_id uuid[], p_txn uuid[], p_kind text[],
    p_source int[], p_target int[], p_amount numeric[], p_reference text[], p_data jsonb[], p_answers boolean,
    p_briefly boolean
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_at timestamptz;
    v_book uuid[];
    v_account uuid[];
    v_asset text[];
    v_purpose text[];
    v_floor numeric[];
    v_held numeric[];
    v_counted bigint[];
    v_balance numeric[];
    v_seq bigint[];
    v_end_balance numeric[];
    v_end_seq bigint[];
    v_amount numeric;
    v_left numeric;
    v_more numeric;
    v_source_seq bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_id)]);
    v_target_seq bigint[] := v_source_seq;
    v_source_balance numeric[] := array_fill(NULL::numeric, ARRAY[cardinality(p_id)]);
    v_target_balance numeric[] := v_source_balance;
    v_done boolean;
    v_briefly text;
    s int;
    t int;
BEGIN
    IF p_briefly THEN
        v_briefly := set_config('lock_timeout', '100ms', true);  -- an assignment is evaluated, PERFORM is executed
    END IF;
    -- The INSERT that never is makes it an outer join, which begins with the changes and keeps their order, whatever the
    -- statistics say: two calls lock what they share in the same order.
    WITH moved AS (
        MERGE INTO ledger_account AS account
        USING unnest(p_book, p_account, p_units, p_events) AS change (book, id, units, events)
              ON account.book = change.book AND account.id = change.id
        WHEN MATCHED AND (account.floor IS NULL OR account.balance + change.units >= account.floor)
                     AND (account.purpose <> 'credit' OR account.balance + change.units <= 0)
            THEN UPDATE SET balance = account.balance + change.units, seq = account.seq + change.events
        WHEN NOT MATCHED AND change.events = 0 THEN INSERT (book, id) VALUES (change.book, change.id)
        RETURNING account.book, account.id, account.asset, account.purpose, account.floor, old.balance AS held,
                  old.seq AS counted, account.balance, account.seq
    )
    SELECT array_agg(book), array_agg(id), array_agg(asset), array_agg(purpose), array_agg(floor), array_agg(held),
           array_agg(counted), array_agg(balance), array_agg(seq)
    INTO v_book, v_account, v_asset, v_purpose, v_floor, v_held, v_counted, v_end_balance, v_end_seq FROM moved;
    v_at := clock_timestamp();
    v_balance := v_held;
    v_seq := v_counted;
    v_done := v_account IS NOT DISTINCT FROM p_account;  -- all are open and have enough in the end

    IF v_done THEN
        FOR i IN 1 .. cardinality(p_id) LOOP
            s := p_source[i];
            t := p_target[i];
            v_amount := p_amount[i];
            v_left := v_balance[s] - v_amount;
            v_more := v_balance[t] + v_amount;
            IF (s <> t AND p_book[s] = p_book[t] AND v_asset[s] = v_asset[t]
                AND ledger_kind_allowed(p_kind[i], v_purpose[s], v_purpose[t])
                AND v_amount > 0 AND v_amount < 1e77 AND v_amount = trunc(v_amount)
                AND (v_floor[s] IS NULL OR v_left >= v_floor[s]) AND (v_more <= 0 OR v_purpose[t] <> 'credit')
               ) IS NOT TRUE THEN
                v_done := false;
                EXIT;
            END IF;
            v_balance[s] := v_left;
            v_source_balance[i] := v_left;
            v_balance[t] := v_more;
            v_target_balance[i] := v_more;
            v_seq[s] := v_seq[s] + 1;
            v_source_seq[i] := v_seq[s];
            v_seq[t] := v_seq[t] + 1;
            v_target_seq[i] := v_seq[t];
        END LOOP;
    END IF;
    IF (v_done AND v_balance = v_end_balance AND v_seq = v_end_seq) IS NOT TRUE THEN
        UPDATE ledger_account AS account SET balance = held.balance, seq = held.seq
        FROM unnest(v_book, v_account, v_held, v_counted) AS held (book, id, balance, seq)
        WHERE account.book = held.book AND account.id = held.id;
        RETURN NULL;
    END IF;

    INSERT INTO ledger_event (
        book, id, txn, kind, source, target, amount, source_seq, target_seq, source_balance, target_balance,
        reference, request_hash, data, at, xid)
    SELECT p_book[new.source], new.id, new.txn, new.kind, p_account[new.source], p_account[new.target],
           new.amount, new.source_seq, new.target_seq, new.source_balance, new.target_balance,
           coalesce(new.reference, ''),
           ledger_request_hash(p_book[new.source], new.id, new.txn, new.kind, p_account[new.source],
                               p_account[new.target], new.amount, coalesce(new.reference, ''),
                               coalesce(new.data, '{}')),
           coalesce(new.data, '{}'), v_at, pg_current_xact_id()
    FROM (SELECT unnest(p_id) AS id, unnest(p_txn) AS txn, unnest(p_kind) AS kind, unnest(p_source) AS source,
                 unnest(p_target) AS target, unnest(p_amount) AS amount, unnest(p_reference) AS reference,
                 unnest(p_data) AS data, unnest(v_source_seq) AS source_seq, unnest(v_target_seq) AS target_seq,
                 unnest(v_source_balance) AS source_balance, unnest(v_target_balance) AS target_balance) AS new
    ORDER BY new.source, new.source_seq;  -- neighbours in an index in turn: half the work of any order
    IF NOT p_answers THEN
        RETURN '';
    END IF;
    RETURN concat_ws('|', (extract(epoch FROM v_at) * 1000000)::bigint,
                     array_to_string(v_source_seq, ','), array_to_string(v_target_seq, ','),
                     array_to_string(v_source_balance, ','), array_to_string(v_target_balance, ','));
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_post_crowd FROM PUBLIC;


-- The same inside anybody's transaction: whatever is out of the ordinary takes everything back, locks included (who opens
-- accounts next must hold none), and answers false.
CREATE FUNCTION ledger_post_fresh(
    p_book uuid[], p_account uuid[], p_units numeric[], p_events int[], p_id uuid[], p_txn uuid[], p_kind text[],
    p_source int[], p_target int[], p_amount numeric[], p_reference text[], p_data jsonb[]
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF ledger_post_crowd(p_book, p_account, p_units, p_events, p_id, p_txn, p_kind, p_source, p_target, p_amount,
                         p_reference, p_data, false, false) IS NULL THEN
        RAISE SQLSTATE 'SL001';
    END IF;
    RETURN true;
EXCEPTION WHEN SQLSTATE 'SL001' OR integrity_constraint_violation OR data_exception THEN
    RETURN false;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_post_fresh FROM PUBLIC;


-- One movement that nobody shares a call with goes the same way now.
DROP FUNCTION ledger_post_one_briefly;
