-- Events by month of their id (a version-7 UUID begins with its milliseconds); ids that are not of our time go into the
-- default partition. The key (book, id) holds over all partitions, because the id is what they are made by.
--
-- An account's sequence is unique within each partition by constraint; over all of them by the row lock under which
-- ledger_post alone counts it up, and audit.prove() counts it again.
DROP VIEW ledger_event_line;
ALTER TABLE ledger_event RENAME TO ledger_event_whole;
ALTER INDEX ledger_event_pkey RENAME TO ledger_event_whole_pkey;

CREATE TABLE ledger_event (LIKE ledger_event_whole INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
ALTER TABLE ledger_event ADD CONSTRAINT ledger_event_pkey PRIMARY KEY (book, id);
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER event_append_only;


-- The lowest id that can be made at a moment.
CREATE FUNCTION ledger_first_id(p_at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT rpad(lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;


-- A partition with everything that guards the whole: a statement that names it directly meets its own trigger.
CREATE FUNCTION ledger_make_partition(p_name text, p_bounds text) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE ledger_event INCLUDING ALL,
                    CONSTRAINT %I UNIQUE (book, source, source_seq), CONSTRAINT %I UNIQUE (book, target, target_seq))',
                   p_name, p_name || '_source_seq_once', p_name || '_target_seq_once');
    EXECUTE format('CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I
                    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', p_name);
    EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER event_append_only', p_name);
    EXECUTE format('ALTER TABLE public.ledger_event ATTACH PARTITION public.%I %s', p_name, p_bounds);
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_make_partition FROM PUBLIC;


-- The application's door to partitions: the month of a moment and the two after it, those that are not there yet, by
-- name. It can make nothing else, and nothing far from today. A month whose events have begun to lie in the default
-- partition stays there: right, only slower.
CREATE FUNCTION ledger_make_ahead(p_now timestamptz) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '2s'  -- the default partition is locked for a moment: better later than everybody waiting
AS $$
DECLARE
    v_month timestamptz;
    v_name text;
BEGIN
    IF abs(extract(epoch FROM p_now - clock_timestamp())) > 400 * 86400 IS NOT FALSE THEN
        RAISE EXCEPTION 'no partitions are made for %, it is too far from today', p_now USING ERRCODE = 'check_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ledger_make_ahead'));
    FOR v_month IN
        SELECT generate_series(date_trunc('month', p_now), date_trunc('month', p_now) + interval '2 months', '1 month')
    LOOP
        v_name := to_char(v_month, '"ledger_event_"YYYYMM');
        CONTINUE WHEN to_regclass('public.' || v_name) IS NOT NULL OR EXISTS (
            SELECT FROM ledger_event_default
            WHERE id >= ledger_first_id(v_month) AND id < ledger_first_id(v_month + interval '1 month'));
        PERFORM ledger_make_partition(v_name, format('FOR VALUES FROM (%L) TO (%L)', ledger_first_id(v_month),
                                                     ledger_first_id(v_month + interval '1 month')));
        RETURN NEXT v_name;
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_make_ahead FROM PUBLIC;


SELECT ledger_make_partition('ledger_event_default', 'DEFAULT');
SELECT ledger_make_ahead(clock_timestamp());
SELECT ledger_make_ahead(month) FROM (
    SELECT DISTINCT date_trunc('month', at) AS month FROM ledger_event_whole WHERE at > now() - interval '1 year'
) AS held;
INSERT INTO ledger_event SELECT * FROM ledger_event_whole;
DROP TABLE ledger_event_whole;
CREATE INDEX event_by_xid ON ledger_event (xid);  -- as seals.sql has it


-- An account's events by a range of its sequence, from the newest partition back (or from the oldest on) until all of
-- the range is found: sequences have no gaps, so it is known when to stop.
CREATE FUNCTION ledger_entries(p_book uuid, p_account uuid, p_first bigint, p_last bigint, p_newest_first boolean)
RETURNS SETOF ledger_event LANGUAGE plpgsql STABLE
SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    v_missing bigint := p_last - p_first + 1;
    v_found bigint;
    v_from uuid;
    v_to uuid;
BEGIN
    FOR v_from, v_to IN
        SELECT ledger_first_id(month), ledger_first_id(month + interval '1 month')
        FROM (SELECT to_timestamp(right(inhrelid::regclass::text, 6), 'YYYYMM') AS month FROM pg_inherits
              WHERE inhparent = 'ledger_event'::regclass AND inhrelid <> 'ledger_event_default'::regclass) AS made
        ORDER BY month > now(), CASE WHEN p_newest_first THEN now() - month ELSE month - now() END
    LOOP
        EXIT WHEN v_missing <= 0;
        RETURN QUERY
            SELECT * FROM ledger_event
            WHERE book = p_book AND source = p_account AND source_seq BETWEEN p_first AND p_last
              AND id >= v_from AND id < v_to
            UNION ALL
            SELECT * FROM ledger_event
            WHERE book = p_book AND target = p_account AND target_seq BETWEEN p_first AND p_last
              AND id >= v_from AND id < v_to;
        GET DIAGNOSTICS v_found = ROW_COUNT;
        v_missing := v_missing - v_found;
    END LOOP;
    IF v_missing > 0 THEN
        RETURN QUERY
            SELECT * FROM ledger_event_default
            WHERE book = p_book AND source = p_account AND source_seq BETWEEN p_first AND p_last
            UNION ALL
            SELECT * FROM ledger_event_default
            WHERE book = p_book AND target = p_account AND target_seq BETWEEN p_first AND p_last;
    END IF;
END
$$;


CREATE VIEW ledger_event_line WITH (security_invoker = true) AS
SELECT event.book || '.' || event.id AS key, event.book, event.id, event.txn, event.kind, source.asset, event.amount,
       event.source, source.purpose AS source_purpose, event.source_seq, event.source_balance,
       event.target, target.purpose AS target_purpose, event.target_seq, event.target_balance,
       event.reference, event.data, event.at, event.xid
FROM ledger_event AS event
LEFT JOIN ledger_account AS source ON source.book = event.book AND source.id = event.source
LEFT JOIN ledger_account AS target ON target.book = event.book AND target.id = event.target;
