-- The only writer of events and balances. One call, one book, all or nothing.
--
-- The accounts come as parallel arrays in strictly rising order of their ids; the movements as parallel arrays in which
-- source and target are positions in the accounts' arrays (from 1). Movements apply in their order.
--
-- Answers one row per movement. When the call is refused, the only row names the broken rule in `refusal` and nothing
-- moved (accounts that were absent are open then, with zeros): a caller's transaction stays usable without a savepoint,
-- which would be two more round trips. Rules that only a race or a fault in this function can reach are constraints of
-- the tables and raise.
CREATE FUNCTION ledger_post(
    p_book uuid,
    p_account uuid[], p_owner uuid[], p_asset text[], p_purpose text[], p_network text[],
    p_id uuid[], p_txn uuid[], p_kind text[], p_source int[], p_target int[], p_amount numeric[],
    p_reference text[], p_data jsonb[]
) RETURNS TABLE (
    refusal text, refused_account uuid, short numeric,
    source_seq bigint, target_seq bigint, source_balance numeric, target_balance numeric, at timestamptz, repeated boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan  -- every statement finds its rows by key: planning again gains nothing
SET enable_seqscan = off  -- and a plan made while the tables were small must still be right when they are large
AS $$
#variable_conflict use_column
DECLARE
    v_count int := cardinality(p_id);
    v_account uuid[];
    v_asset text[];
    v_purpose text[];
    v_floor numeric[];
    v_balance numeric[];
    v_seq bigint[];
    v_at timestamptz;
    v_same boolean;
    s int;
    t int;
    v_source_seq bigint[];
    v_target_seq bigint[];
    v_source_balance numeric[];
    v_target_balance numeric[];
BEGIN
    SELECT array_agg(opened.id), array_agg(opened.asset), array_agg(opened.purpose), array_agg(opened.floor),
           array_agg(opened.balance), array_agg(opened.seq)
    INTO v_account, v_asset, v_purpose, v_floor, v_balance, v_seq
    FROM ledger_open(p_book, p_account, p_owner, p_asset, p_purpose, p_network) AS opened;
    IF v_account IS DISTINCT FROM p_account THEN
        RAISE EXCEPTION 'accounts do not come in the order of their ids'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_in_order';
    END IF;

    -- Idempotency, after the locks: of two equal calls at once the second waits above and finds the first one's events.
    IF EXISTS (SELECT FROM ledger_event WHERE book = p_book AND id = ANY (p_id)) THEN
        SELECT count(*) = v_count AND bool_and(event.request_hash = ledger_request_hash(
                   p_book, asked.id, asked.txn, asked.kind, p_account[asked.source], p_account[asked.target],
                   asked.amount, asked.reference, asked.data))
        INTO v_same
        FROM unnest(p_id, p_txn, p_kind, p_source, p_target, p_amount, p_reference, p_data)
             AS asked (id, txn, kind, source, target, amount, reference, data)
        JOIN ledger_event AS event ON event.book = p_book AND event.id = asked.id;
        IF v_same THEN
            RETURN QUERY
                SELECT NULL::text, NULL::uuid, NULL::numeric, event.source_seq, event.target_seq, event.source_balance,
                       event.target_balance, event.at, true
                FROM unnest(p_id) WITH ORDINALITY AS asked (id, position)
                JOIN ledger_event AS event ON event.book = p_book AND event.id = asked.id
                ORDER BY asked.position;
        ELSE
            refusal := 'event_once';
            RETURN NEXT;
        END IF;
        RETURN;
    END IF;

    v_at := clock_timestamp();
    FOR i IN 1 .. v_count LOOP
        s := p_source[i];
        t := p_target[i];
        refusal := CASE
            WHEN v_account[s] IS NULL OR v_account[t] IS NULL OR s = t THEN 'event_two_accounts'
            WHEN v_asset[s] <> v_asset[t] THEN 'event_one_asset'
            WHEN NOT ledger_kind_allowed(p_kind[i], v_purpose[s], v_purpose[t]) THEN 'event_kind_between_purposes'
            WHEN (p_amount[i] > 0 AND p_amount[i] < 1e77 AND p_amount[i] = trunc(p_amount[i])) IS NOT TRUE
                THEN 'event_amount_in_range'
        END;
        IF refusal IS NOT NULL THEN
            refused_account := v_account[s];
            RETURN NEXT;
            RETURN;
        END IF;
        v_balance[s] := v_balance[s] - p_amount[i];
        v_balance[t] := v_balance[t] + p_amount[i];
        IF v_balance[s] < v_floor[s] THEN
            refusal := 'account_not_overdrawn';
            refused_account := v_account[s];
            short := v_floor[s] - v_balance[s];
            RETURN NEXT;
            RETURN;
        END IF;
        IF v_purpose[t] = 'credit' AND v_balance[t] > 0 THEN
            refusal := 'credit_not_overpaid';
            refused_account := v_account[t];
            RETURN NEXT;
            RETURN;
        END IF;
        v_seq[s] := v_seq[s] + 1;
        v_seq[t] := v_seq[t] + 1;
        v_source_seq[i] := v_seq[s];
        v_target_seq[i] := v_seq[t];
        v_source_balance[i] := v_balance[s];
        v_target_balance[i] := v_balance[t];
    END LOOP;

    UPDATE ledger_account AS account SET balance = new.balance, seq = new.seq
    FROM unnest(p_account, v_balance, v_seq) AS new (id, balance, seq)
    WHERE account.book = p_book AND account.id = new.id;

    INSERT INTO ledger_event (
        book, id, txn, kind, source, target, amount, source_seq, target_seq, source_balance, target_balance, reference,
        request_hash, data, at, xid)
    SELECT p_book, new.id, new.txn, new.kind, p_account[new.source], p_account[new.target], new.amount, new.source_seq,
           new.target_seq, new.source_balance, new.target_balance, new.reference,
           ledger_request_hash(p_book, new.id, new.txn, new.kind, p_account[new.source], p_account[new.target],
                               new.amount, new.reference, new.data),
           new.data, v_at, pg_current_xact_id()
    FROM unnest(p_id, p_txn, p_kind, p_source, p_target, p_amount, p_reference, p_data,
                v_source_seq, v_target_seq, v_source_balance, v_target_balance)
         AS new (id, txn, kind, source, target, amount, reference, data,
                 source_seq, target_seq, source_balance, target_balance);

    RETURN QUERY
        SELECT NULL::text, NULL::uuid, NULL::numeric, new.source_seq, new.target_seq, new.source_balance,
               new.target_balance, v_at, false
        FROM unnest(v_source_seq, v_target_seq, v_source_balance, v_target_balance)
             AS new (source_seq, target_seq, source_balance, target_balance);
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_post FROM PUBLIC;
