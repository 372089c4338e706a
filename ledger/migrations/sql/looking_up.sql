-- What people look for: the newest events, a reference, a transaction, a kind. A range of 32 pages keeps its first and
-- last moment and Bloom filters of what it holds (sized for some 1,000 rows, one false range in 500).
--
-- BRIN and not a B-tree, because events are only ever appended: an insert looks one page up and writes nothing, a range is
-- summarised once, when it is full. A search reads the summaries (some 5 bytes per event) and the ranges that match;
-- people search seldom and money moves always. It answers whole references, not beginnings.
CREATE INDEX event_look_up ON ledger_event USING brin (
    at,
    reference text_bloom_ops (n_distinct_per_range = 1024, false_positive_rate = 0.002),
    txn uuid_bloom_ops (n_distinct_per_range = 1024, false_positive_rate = 0.002),
    kind text_bloom_ops (n_distinct_per_range = 16, false_positive_rate = 0.002)
) WITH (pages_per_range = 32, autosummarize = on);

-- The events that a reference or an id (its own or its transaction's) means, up to a number of each. Each is asked alone,
-- because their OR would be answered by reading everything, and never by a sequential scan, which the planner takes to be
-- as cheap: it does not know how much a Bloom filter leaves out.
CREATE FUNCTION ledger_find(p_reference text, p_id uuid, p_limit int) RETURNS TABLE (book uuid, id uuid)
LANGUAGE sql STABLE SET enable_seqscan = off SET max_parallel_workers_per_gather = 0 SET jit = off
AS $$
    (SELECT book, id FROM ledger_event WHERE reference = p_reference LIMIT p_limit)
    UNION (SELECT book, id FROM ledger_event WHERE txn = p_id LIMIT p_limit)
    UNION (SELECT book, id FROM ledger_event WHERE id = p_id LIMIT p_limit)
$$;
