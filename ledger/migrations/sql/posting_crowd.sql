-- The short way for what nearly every call is: movements that are all new, between open accounts that allow them all in
-- their order. Over as many books as there are, for one movement and for thousands: three statements, whatever their number.
--
-- The accounts come as parallel arrays in strictly rising order of (book, id); source and target are positions among them
-- (from 1). NULL for p_reference or p_data: all empty. One statement locks and moves all accounts, in that order, and
-- answers what they held; a loop over arrays decides every movement on the balances that the ones before it leave, so
-- every balance in between meets its floor; one statement writes all events, whose own key finds a repeat after the locks.
--
-- A movement that is not allowed, or an account that is not open: all balances as they were, the locks stay, `done` is
-- false. An event that is there already raises: a subtransaction to catch it would cost every call a tenth. p_briefly, for
-- a call that is a transaction of its own: it waits 100 ms for a row that somebody holds, because others wait for it.
CREATE FUNCTION ledger_post_crowd(
    p_book uuid[], p_account uuid[], p_id uuid[], p_txn uuid[], p_kind text[], p_source int[], p_target int[],
    p_amount numeric[], p_reference text[], p_data jsonb[], p_answers boolean, p_briefly boolean,
    OUT done boolean, OUT at timestamptz, OUT source_seq bigint[], OUT target_seq bigint[],
    OUT source_balance numeric[], OUT target_balance numeric[]
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_book uuid[];
    v_account uuid[];
    v_asset text[];
    v_purpose text[];
    v_floor numeric[];
    v_held numeric[];
    v_counted bigint[];
    v_balance numeric[];
    v_seq bigint[];
    v_amount numeric;
    v_left numeric;
    v_more numeric;
    v_source_seq bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_id)]);
    v_target_seq bigint[] := v_source_seq;
    v_source_balance numeric[] := array_fill(NULL::numeric, ARRAY[cardinality(p_id)]);
    v_target_balance numeric[] := v_source_balance;
    s int;
    t int;
BEGIN
    IF p_briefly THEN
        PERFORM set_config('lock_timeout', '100ms', true);
    END IF;
    -- The INSERT that never is makes it an outer join, which begins with the changes and keeps their order, whatever the
    -- statistics say: two calls lock what they share in the same order.
    WITH moved AS (
        MERGE INTO ledger_account AS account
        USING (
            SELECT p_book[place] AS book, p_account[place] AS id, sum(units) AS units, count(*) AS events
            FROM (SELECT unnest(p_source) AS place, -unnest(p_amount) AS units
                  UNION ALL SELECT unnest(p_target), unnest(p_amount)) AS leg
            GROUP BY place ORDER BY place
        ) AS change ON account.book = change.book AND account.id = change.id
        WHEN MATCHED AND (account.floor IS NULL OR account.balance + change.units >= account.floor)
                     AND (account.purpose <> 'credit' OR account.balance + change.units <= 0)
            THEN UPDATE SET balance = account.balance + change.units, seq = account.seq + change.events
        WHEN NOT MATCHED AND change.events = 0 THEN INSERT (book, id) VALUES (change.book, change.id)
        RETURNING account.book, account.id, account.asset, account.purpose, account.floor, old.balance, old.seq
    )
    SELECT array_agg(book), array_agg(id), array_agg(asset), array_agg(purpose), array_agg(floor), array_agg(balance),
           array_agg(seq)
    INTO v_book, v_account, v_asset, v_purpose, v_floor, v_held, v_counted FROM moved;
    at := clock_timestamp();
    v_balance := v_held;
    v_seq := v_counted;
    done := v_account IS NOT DISTINCT FROM p_account;  -- all are open and have enough in the end

    IF done THEN
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
                done := false;
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
    IF NOT done THEN
        UPDATE ledger_account AS account SET balance = held.balance, seq = held.seq
        FROM unnest(v_book, v_account, v_held, v_counted) AS held (book, id, balance, seq)
        WHERE account.book = held.book AND account.id = held.id;
        RETURN;
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
           coalesce(new.data, '{}'), at, pg_current_xact_id()
    FROM (SELECT unnest(p_id) AS id, unnest(p_txn) AS txn, unnest(p_kind) AS kind, unnest(p_source) AS source,
                 unnest(p_target) AS target, unnest(p_amount) AS amount, unnest(p_reference) AS reference,
                 unnest(p_data) AS data, unnest(v_source_seq) AS source_seq, unnest(v_target_seq) AS target_seq,
                 unnest(v_source_balance) AS source_balance, unnest(v_target_balance) AS target_balance) AS new
    ORDER BY new.source, new.source_seq;  -- neighbours in an index in turn: half the work of any order
    IF p_answers THEN
        source_seq := v_source_seq;
        target_seq := v_target_seq;
        source_balance := v_source_balance;
        target_balance := v_target_balance;
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_post_crowd FROM PUBLIC;


-- The same inside anybody's transaction: whatever is out of the ordinary takes everything back, locks included (who opens
-- accounts next must hold none), and answers `done` = false.
CREATE OR REPLACE FUNCTION ledger_post_fresh(
    p_book uuid[], p_account uuid[], p_id uuid[], p_txn uuid[], p_kind text[], p_source int[], p_target int[],
    p_amount numeric[], p_reference text[], p_data jsonb[], p_answers boolean,
    OUT done boolean, OUT at timestamptz, OUT source_seq bigint[], OUT target_seq bigint[],
    OUT source_balance numeric[], OUT target_balance numeric[]
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_answer record;
BEGIN
    v_answer := ledger_post_crowd(p_book, p_account, p_id, p_txn, p_kind, p_source, p_target, p_amount, p_reference,
                                  p_data, p_answers, false);
    IF NOT v_answer.done THEN
        RAISE SQLSTATE 'SL001';
    END IF;
    done := true;
    at := v_answer.at;
    source_seq := v_answer.source_seq;
    target_seq := v_answer.target_seq;
    source_balance := v_answer.source_balance;
    target_balance := v_answer.target_balance;
EXCEPTION WHEN SQLSTATE 'SL001' OR integrity_constraint_violation OR data_exception THEN
    done := false;
END
$$;

DROP FUNCTION ledger_post_fresh_briefly;
