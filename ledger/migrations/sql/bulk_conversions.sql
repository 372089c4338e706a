-- As bulk.sql says it, and conversions too: the two movements of one stand next to each other in the call, and are posted
-- or refused together. The trigger convert_in_pairs holds that afterwards; here a half is found before anything is written,
-- so that the others can go on without it.
CREATE OR REPLACE FUNCTION ledger_post_many(
    p_book uuid[], p_account uuid[], p_owner uuid[], p_asset text[], p_purpose text[], p_network text[],
    p_id uuid[], p_txn uuid[], p_kind text[], p_source int[], p_target int[], p_amount numeric[],
    p_reference text[], p_data jsonb[], p_earlier int[], p_skip_bad boolean, p_answers boolean
) RETURNS TABLE (
    refusal text, refused_account uuid, short numeric,
    source_seq bigint, target_seq bigint, source_balance numeric, target_balance numeric, at timestamptz,
    repeated boolean, place int
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off  -- by key into tables of any size; nothing here is worth hashing a table for
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_count int := cardinality(p_id);
    v_known boolean := false;  -- whether events that exist already have been looked up
    v_opened_book uuid[];
    v_opened uuid[];
    v_asset text[];
    v_purpose text[];
    v_floor numeric[];
    v_opened_balance numeric[];
    v_opened_seq bigint[];
    v_balance numeric[];
    v_seq bigint[];
    v_at timestamptz;
    v_same boolean[];
    v_refusal text[];
    v_short numeric[];
    v_repeats int[];  -- 0: new; -1: a repeat of an earlier call's; n: a repeat of this call's nth
    v_source_seq bigint[];
    v_target_seq bigint[];
    v_source_balance numeric[];
    v_target_balance numeric[];
    v_rule text;
    v_pair int;  -- where the other half of the conversion stands that the movement before has begun, 0 for none
    v_amount numeric;
    v_left numeric;
    v_more numeric;
    e int;
    s int;
    t int;
BEGIN
    -- Open all that is absent before any lock is waited for, as ledger_open does, see there.
    IF EXISTS (
        SELECT FROM unnest(p_book, p_account) AS wanted (book, id)
        WHERE NOT EXISTS (SELECT FROM ledger_account AS present
                          WHERE present.book = wanted.book AND present.id = wanted.id)
    ) THEN
        INSERT INTO ledger_account (book, id, owner, asset, purpose, network, balance, floor, seq)
        SELECT part.book, part.id, part.owner, part.asset, part.purpose, part.network, 0,
               CASE WHEN part.purpose NOT IN ('fees', 'external', 'conversion', 'memo_contra') THEN 0 END, 0
        FROM unnest(p_book, p_account, p_owner, p_asset, p_purpose, p_network)
             AS part (book, id, owner, asset, purpose, network)
        WHERE NOT EXISTS (SELECT FROM ledger_account AS present
                          WHERE present.book = part.book AND present.id = part.id)
        ORDER BY part.book, part.id
        ON CONFLICT (book, id) DO NOTHING;
    END IF;
    SELECT array_agg(book), array_agg(id), array_agg(asset), array_agg(purpose), array_agg(floor), array_agg(balance),
           array_agg(seq)
    INTO v_opened_book, v_opened, v_asset, v_purpose, v_floor, v_opened_balance, v_opened_seq
    FROM (
        SELECT account.* FROM unnest(p_book, p_account) AS wanted (book, id)
        JOIN ledger_account AS account ON account.book = wanted.book AND account.id = wanted.id
        ORDER BY account.book, account.id FOR UPDATE OF account
    ) AS opened;
    IF v_opened IS DISTINCT FROM p_account OR v_opened_book IS DISTINCT FROM p_book THEN
        RAISE EXCEPTION 'accounts do not come in the order of their ids'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_in_order';
    END IF;
    v_at := clock_timestamp();

    -- Once in the hope that all is new; if the events' key says no, again with the events that are there.
    LOOP
        v_balance := v_opened_balance;
        v_seq := v_opened_seq;
        v_refusal := array_fill(NULL::text, ARRAY[v_count]);
        v_short := array_fill(NULL::numeric, ARRAY[v_count]);
        v_repeats := array_fill(0, ARRAY[v_count]);
        v_source_seq := array_fill(NULL::bigint, ARRAY[v_count]);
        v_target_seq := v_source_seq;
        v_source_balance := v_short;
        v_target_balance := v_short;

        v_pair := 0;
        FOR i IN 1 .. v_count LOOP
            s := p_source[i];
            t := p_target[i];
            v_amount := p_amount[i];
            v_rule := NULL;
            IF v_known OR p_earlier IS NOT NULL THEN
                e := CASE WHEN p_earlier IS NULL THEN 0 ELSE p_earlier[i] END;
                WHILE e > 0 AND v_source_seq[e] IS NULL AND v_repeats[e] = 0 LOOP
                    e := p_earlier[e];  -- that one was refused and wrote nothing
                END LOOP;
                IF v_known AND v_same[i] IS NOT NULL THEN
                    v_repeats[i] := -1;
                    v_rule := CASE WHEN NOT v_same[i] THEN 'event_once' END;
                ELSIF e > 0 THEN
                    v_repeats[i] := CASE WHEN v_repeats[e] > 0 THEN v_repeats[e] ELSE e END;
                    v_rule := CASE WHEN (p_txn[i], p_kind[i], s, t, v_amount, p_reference[i], p_data[i]::text)
                                   IS DISTINCT FROM
                                   (p_txn[e], p_kind[e], p_source[e], p_target[e], p_amount[e], p_reference[e],
                                    p_data[e]::text)
                                   THEN 'event_once' END;
                END IF;
            END IF;
            IF v_repeats[i] = 0 THEN
                v_rule := CASE
                    WHEN v_opened[s] IS NULL OR v_opened[t] IS NULL OR s = t THEN 'event_two_accounts'
                    WHEN p_book[s] <> p_book[t] THEN 'one_book'
                    WHEN v_asset[s] <> v_asset[t] THEN 'event_one_asset'
                    WHEN NOT ledger_kind_allowed(p_kind[i], v_purpose[s], v_purpose[t]) THEN 'event_kind_between_purposes'
                    WHEN (v_amount > 0 AND v_amount < 1e77 AND v_amount = trunc(v_amount)) IS NOT TRUE
                        THEN 'event_amount_in_range'
                    WHEN p_kind[i] = 'CONVERT' AND v_pair <> i THEN CASE
                        WHEN (p_data[i] ->> 'rate' ~ '^[0-9]{1,40}([.][0-9]{1,40})?$') IS NOT TRUE THEN 'convert_by_rate'
                        WHEN (p_kind[i + 1] = 'CONVERT' AND p_txn[i] = p_txn[i + 1]
                              AND p_book[s] = p_book[p_source[i + 1]] AND v_asset[s] <> v_asset[p_source[i + 1]]
                              AND v_purpose[s] = v_purpose[p_target[i + 1]] AND v_purpose[t] = v_purpose[p_source[i + 1]]
                              AND p_data[i] ->> 'pair' = p_id[i + 1]::text
                              AND p_data[i + 1] ->> 'pair' = p_id[i]::text
                              AND p_data[i] ->> 'rate' = p_data[i + 1] ->> 'rate') IS NOT TRUE THEN 'convert_in_pairs' END
                    WHEN p_kind[i] = 'ADJUST' AND (
                            p_data[i] ->> 'reason' <> '' AND p_data[i] ->> 'by' <> ''
                            AND p_data[i] ->> 'approved_by' <> '' AND p_data[i] ->> 'by' <> p_data[i] ->> 'approved_by'
                         ) IS NOT TRUE THEN 'adjust_by_two_persons'
                END;
                IF v_rule IS NULL THEN
                    v_left := v_balance[s] - v_amount;
                    v_more := v_balance[t] + v_amount;
                    IF v_left < v_floor[s] THEN
                        v_rule := 'account_not_overdrawn';
                        v_short[i] := v_floor[s] - v_left;
                    ELSIF v_more > 0 AND v_purpose[t] = 'credit' THEN
                        v_rule := 'credit_not_overpaid';
                    ELSE
                        v_balance[s] := v_left;
                        v_source_balance[i] := v_left;
                        v_balance[t] := v_more;
                        v_target_balance[i] := v_more;
                        v_seq[s] := v_seq[s] + 1;
                        v_source_seq[i] := v_seq[s];
                        v_seq[t] := v_seq[t] + 1;
                        v_target_seq[i] := v_seq[t];
                    END IF;
                END IF;
            END IF;
            IF v_rule IS NOT NULL THEN
                v_refusal[i] := v_rule;
                IF NOT p_skip_bad THEN
                    refusal := v_rule;
                    refused_account := v_opened[CASE WHEN v_rule = 'credit_not_overpaid' THEN t ELSE s END];
                    short := v_short[i];
                    place := i;
                    EXIT;
                END IF;
            END IF;
            IF v_pair = i AND v_source_seq[i] IS NULL THEN  -- half a conversion: the one before as if it had not been
                e := i - 1;
                s := p_source[e];
                t := p_target[e];
                v_balance[s] := v_balance[s] + p_amount[e];
                v_balance[t] := v_balance[t] - p_amount[e];
                v_seq[s] := v_seq[s] - 1;
                v_seq[t] := v_seq[t] - 1;
                v_source_seq[e] := NULL;
                v_target_seq[e] := NULL;
                v_refusal[e] := 'convert_in_pairs';
                IF NOT p_skip_bad THEN
                    refusal := 'convert_in_pairs';
                    refused_account := v_opened[s];
                    place := e;
                    EXIT;
                END IF;
            END IF;
            v_pair := CASE WHEN p_kind[i] = 'CONVERT' AND v_pair <> i AND v_source_seq[i] IS NOT NULL
                           THEN i + 1 ELSE 0 END;
        END LOOP;
        -- A refusal might have been a repeat: nobody is refused before the events that are there have been looked at.
        EXIT WHEN refusal IS NOT NULL AND v_known;
        IF refusal IS NULL AND (v_known OR num_nulls(VARIADIC v_refusal) = v_count) THEN
            BEGIN
                UPDATE ledger_account AS account SET balance = new.balance, seq = new.seq
                FROM unnest(p_book, p_account, v_balance, v_seq) AS new (book, id, balance, seq)
                WHERE account.book = new.book AND account.id = new.id AND account.seq <> new.seq;
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
                FROM unnest(p_id, p_txn, p_kind, p_source, p_target, p_amount, p_reference, p_data,
                            v_source_seq, v_target_seq, v_source_balance, v_target_balance)
                     AS new (id, txn, kind, source, target, amount, reference, data,
                             source_seq, target_seq, source_balance, target_balance)
                WHERE new.source_seq IS NOT NULL
                ORDER BY new.source, new.source_seq;  -- neighbours in an index in turn: half the work of any order
                EXIT;
            EXCEPTION WHEN unique_violation THEN
                IF v_known THEN
                    RAISE;  -- a race of two calls for one id in different accounts
                END IF;
            END;
        END IF;
        v_known := true;
        refusal := NULL;
        SELECT array_agg(event.request_hash = ledger_request_hash(
                   event.book, asked.id, asked.txn, asked.kind, p_account[asked.source], p_account[asked.target],
                   asked.amount, coalesce(asked.reference, ''), coalesce(asked.data, '{}')) ORDER BY asked.place)
        INTO v_same
        FROM unnest(p_id, p_txn, p_kind, p_source, p_target, p_amount, p_reference, p_data)
             WITH ORDINALITY AS asked (id, txn, kind, source, target, amount, reference, data, place)
        LEFT JOIN ledger_event AS event ON event.book = p_book[asked.source] AND event.id = asked.id;
    END LOOP;

    IF refusal IS NOT NULL THEN
        RETURN NEXT;
        RETURN;
    END IF;
    IF p_answers OR v_known OR p_earlier IS NOT NULL THEN
        RETURN QUERY
            SELECT made.refusal,
                   CASE WHEN made.refusal IS NOT NULL THEN
                       v_opened[CASE WHEN made.refusal = 'credit_not_overpaid' THEN made.target ELSE made.source END] END,
                   made.short, coalesce(event.source_seq, v_source_seq[made.answer]),
                   coalesce(event.target_seq, v_target_seq[made.answer]),
                   coalesce(event.source_balance, v_source_balance[made.answer]),
                   coalesce(event.target_balance, v_target_balance[made.answer]), coalesce(event.at, v_at),
                   made.repeats <> 0, made.place::int
            FROM (
                SELECT asked.*, CASE WHEN repeats > 0 THEN repeats ELSE place END AS answer
                FROM unnest(p_id, p_source, p_target, v_refusal, v_short, v_repeats)
                     WITH ORDINALITY AS asked (id, source, target, refusal, short, repeats, place)
            ) AS made
            LEFT JOIN ledger_event AS event
                 ON made.repeats = -1 AND made.refusal IS NULL
                 AND event.book = p_book[made.source] AND event.id = made.id
            WHERE p_answers OR made.refusal IS NOT NULL OR made.repeats <> 0
            ORDER BY made.place;
    END IF;
END
$$;
