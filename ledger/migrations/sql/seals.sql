-- Blocks that seal what was committed, off the write path. See ledger/seals.py; ledger/verify.py checks them alone.

-- Finds the events of a stretch of transactions. Rising keys: an insert goes to the last page and never searches.
CREATE INDEX event_by_xid ON ledger_event (xid);


-- An event as a block seals it, every column: one line of UTF-8 text, the columns in the table's order, between tabs.
-- UUIDs in lower case with dashes, numbers in decimal digits, the hash in hexadecimal, `at` in microseconds since 1970,
-- the reference as a JSON string and the data as jsonb prints itself, so that no line holds a tab or a newline more.
CREATE FUNCTION ledger_sealed_text(
    p_book uuid, p_id uuid, p_txn uuid, p_kind text, p_source uuid, p_target uuid, p_amount numeric,
    p_source_seq bigint, p_target_seq bigint, p_source_balance numeric, p_target_balance numeric,
    p_reference text, p_request_hash bytea, p_data jsonb, p_at timestamptz, p_xid xid8
) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT concat_ws(E'\t', p_book, p_id, p_txn, p_kind, p_source, p_target, p_amount, p_source_seq, p_target_seq,
                     p_source_balance, p_target_balance, to_json(p_reference), encode(p_request_hash, 'hex'), p_data,
                     (extract(epoch FROM p_at) * 1000000)::bigint, p_xid)
$$;


-- The root of the tree over leaves, given as their hashes one after another. Inner nodes begin with a byte 1, leaves
-- with a byte 0, so that neither can be taken for the other; a node without a partner moves up. Source: RFC 6962, 2.1.
CREATE FUNCTION ledger_merkle_root(p_leaves bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
AS $$
DECLARE
    v_level bytea := p_leaves;
    v_width int := length(p_leaves) / 32;
BEGIN
    WHILE v_width > 1 LOOP
        v_level := (
            SELECT string_agg(sha256('\x01'::bytea || substring(v_level FROM 64 * pair + 1 FOR 64)), '' ORDER BY pair)
            FROM generate_series(0, v_width / 2 - 1) AS pair
        ) || CASE WHEN v_width % 2 = 1 THEN substring(v_level FROM 32 * (v_width - 1) + 1) ELSE '' END;
        v_width := (v_width + 1) / 2;
    END LOOP;
    RETURN v_level;
END
$$;


CREATE FUNCTION ledger_block_hash(
    p_number bigint, p_previous bytea, p_xid_from xid8, p_xid_to xid8, p_xid_next xid8, p_events bigint,
    p_events_total bigint, p_root bytea, p_sealed_at timestamptz
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT sha256(convert_to(
        'sluice block 1|' || p_number::text || '|' || encode(p_previous, 'hex') || '|' || p_xid_from::text || '|'
        || p_xid_to::text || '|' || p_xid_next::text || '|' || p_events::text || '|' || p_events_total::text || '|'
        || encode(p_root, 'hex') || '|' || ((extract(epoch FROM p_sealed_at) * 1000000)::bigint)::text, 'UTF8'))
$$;

ALTER TABLE ledger_block ADD CONSTRAINT block_hash_from_parts CHECK (
    (hash = ledger_block_hash(number, previous, xid_from, xid_to, xid_next, events, events_total, root, sealed_at))
    IS TRUE
);


-- The only writer of blocks: seals the oldest events that no block holds, whole transactions, about p_limit events.
-- Answers the new block; no row when nothing is due or another sealer is at work.
--
-- Only transactions below the snapshot's xmin count: none of them is running any more, so nothing can appear below the
-- edge later, however long a transaction took. What it needs it computes itself: a caller cannot have a lie sealed.
CREATE FUNCTION ledger_seal(p_limit int, p_at timestamptz) RETURNS SETOF ledger_block LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off  -- from an edge to the next one by the index, also when statistics know nothing of new rows
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
    v_last ledger_block;
    v_new ledger_block;
    v_snapshot pg_snapshot;
    v_leaves bytea;
    v_last_xid xid8;
BEGIN
    IF NOT pg_try_advisory_xact_lock('ledger_block'::regclass::oid::int, 0) THEN
        RETURN;
    END IF;
    SELECT * INTO v_last FROM ledger_block ORDER BY number DESC LIMIT 1;
    v_snapshot := pg_current_snapshot();
    IF v_last.xid_to > pg_snapshot_xmax(v_snapshot) THEN
        RAISE EXCEPTION 'transactions are numbered below those that block % sealed', v_last.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'xids_rise',
                  HINT = 'A restored database: pg_resetwal --next-transaction-id and --epoch';
    END IF;

    SELECT string_agg(leaf, '' ORDER BY xid, book, id), count(*), max(xid) INTO v_leaves, v_new.events, v_last_xid
    FROM (
        SELECT xid, book, id,
               sha256('\x00'::bytea || convert_to(ledger_sealed_text(
                   book, id, txn, kind, source, target, amount, source_seq, target_seq, source_balance,
                   target_balance, reference, request_hash, data, at, xid), 'UTF8')) AS leaf
        FROM ledger_event
        WHERE xid >= coalesce(v_last.xid_to, '0') AND xid < pg_snapshot_xmin(v_snapshot)
        ORDER BY xid FETCH FIRST greatest(p_limit, 1) ROWS WITH TIES
    ) AS due;
    IF v_new.events = 0 THEN
        RETURN;
    END IF;

    v_new.number := coalesce(v_last.number, 0) + 1;
    v_new.previous := coalesce(v_last.hash, decode(repeat('00', 32), 'hex'));
    v_new.xid_from := coalesce(v_last.xid_to, '0');
    v_new.xid_to := CASE WHEN v_new.events < p_limit THEN pg_snapshot_xmin(v_snapshot)
                         ELSE (v_last_xid::text::bigint + 1)::text::xid8 END;
    v_new.xid_next := pg_snapshot_xmax(v_snapshot);
    v_new.events_total := coalesce(v_last.events_total, 0) + v_new.events;
    v_new.root := ledger_merkle_root(v_leaves);
    v_new.sealed_at := greatest(p_at, v_last.sealed_at);
    v_new.hash := ledger_block_hash(v_new.number, v_new.previous, v_new.xid_from, v_new.xid_to, v_new.xid_next,
                                    v_new.events, v_new.events_total, v_new.root, v_new.sealed_at);
    INSERT INTO ledger_block (number, previous, xid_from, xid_to, xid_next, events, events_total, root, sealed_at, hash)
    VALUES (v_new.number, v_new.previous, v_new.xid_from, v_new.xid_to, v_new.xid_next, v_new.events,
            v_new.events_total, v_new.root, v_new.sealed_at, v_new.hash)
    RETURNING * INTO v_new;
    RETURN NEXT v_new;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_seal FROM PUBLIC;


-- Write down where a block's hash was made public. Answers whether there is such a block.
CREATE FUNCTION ledger_anchored(p_block bigint, p_network text, p_txid text, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_block WHERE number = p_block) THEN
        RETURN false;
    END IF;
    INSERT INTO ledger_anchor (block, network, txid, at) VALUES (p_block, p_network, p_txid, p_at)
    ON CONFLICT (block, network, txid) DO NOTHING;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_anchored FROM PUBLIC;


CREATE TRIGGER block_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_block
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER anchor_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_anchor
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
ALTER TABLE ledger_block ENABLE ALWAYS TRIGGER block_append_only;
ALTER TABLE ledger_anchor ENABLE ALWAYS TRIGGER anchor_append_only;
