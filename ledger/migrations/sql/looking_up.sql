-- What people look for: the newest events, a reference, a transaction, a kind. A range of 32 pages keeps its first and
-- last moment and Bloom filters of what it holds (sized for some 1,000 rows, one false range in 500).
--
-- BRIN and not a B-tree, because events are only ever appended: an insert looks one page up and writes nothing, a range is
-- summarised once, when it is full. A search reads the summaries (about 3 KB per 900 events) and the ranges that match;
-- people search seldom and money moves always. It answers whole references, not beginnings.
CREATE INDEX event_look_up ON ledger_event USING brin (
    at,
    reference text_bloom_ops (n_distinct_per_range = 1024, false_positive_rate = 0.002),
    txn uuid_bloom_ops (n_distinct_per_range = 1024, false_positive_rate = 0.002),
    kind text_bloom_ops (n_distinct_per_range = 16, false_positive_rate = 0.002)
) WITH (pages_per_range = 32, autosummarize = on);
