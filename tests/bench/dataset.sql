-- A ledger of {books} books with {accounts} accounts each: every account is funded by a deposit, then {rounds} rounds in
-- which each pays one unit to its neighbour. Written directly, by the owner, as ledger_post would have left it:
-- audit.prove() finds it right. Ids lie in this month, at even distances up to now.
--@ accounts
CREATE TABLE bench_account AS
SELECT b, n, book, owner, id FROM (
    SELECT b, n, ('b0000000-0000-8000-8000-' || lpad(to_hex(b), 12, '0'))::uuid AS book,
           ('a0000000-0000-8000-8000-' || lpad(to_hex(b * 1000 + n), 12, '0'))::uuid AS owner
    FROM generate_series(0, {books} - 1) AS b, generate_series(0, {accounts} - 1) AS n
) AS named, LATERAL ledger_account_id(book, owner, 'USDT', 'available', '') AS id;
ALTER TABLE bench_account ADD PRIMARY KEY (b, n);

INSERT INTO ledger_account (book, id, owner, asset, purpose, network, balance, floor, seq)
SELECT book, id, owner, 'USDT', 'available', '', 1000000000000, 0, 1 + 2 * {rounds} FROM bench_account;
INSERT INTO ledger_account (book, id, owner, asset, purpose, network, balance, floor, seq)
SELECT book, ledger_account_id(book, book, 'USDT', 'external', 'tron'), book, 'USDT', 'external', 'tron',
       -1000000000000 * {accounts}, NULL, {accounts}
FROM (SELECT DISTINCT book FROM bench_account) AS books;

-- This month's partition once more, without the indexes that would be built row by row.
DROP TABLE {partition};
CREATE TABLE {partition} (LIKE ledger_event INCLUDING CONSTRAINTS);

CREATE FUNCTION bench_id(g bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex({first_ms} + g * {span_ms} / {events}), 12, '0') || '7' || substr(md5(g::text), 1, 3) || '8'
        || substr(md5(g::text), 4, 15))::uuid;

INSERT INTO {partition}
SELECT book, event, event, 'DEPOSIT', source, id, 1000000000000, n + 1, 1, -1000000000000 * (n + 1), 1000000000000, '',
       ledger_request_hash(book, event, event, 'DEPOSIT', source, id, 1000000000000, '', '{{}}'), '{{}}',
       to_timestamp(({first_ms} + g * {span_ms} / {events}) / 1000.0), pg_current_xact_id()
FROM (SELECT *, (b * {accounts} + n)::bigint AS g, bench_id(b * {accounts} + n) AS event,
             ledger_account_id(book, book, 'USDT', 'external', 'tron') AS source FROM bench_account) AS deposit;
--@ rounds
INSERT INTO {partition}
SELECT book, event, event, 'TRANSFER', source, target, 1,
       2 * r + CASE n WHEN 0 THEN 2 ELSE 3 END, 2 * r + CASE other WHEN 0 THEN 3 ELSE 2 END,
       1000000000000 - CASE n WHEN 0 THEN 1 ELSE 0 END, 1000000000000 + CASE other WHEN 0 THEN 0 ELSE 1 END, '',
       ledger_request_hash(book, event, event, 'TRANSFER', source, target, 1, '', '{{}}'), '{{}}',
       to_timestamp(({first_ms} + g * {span_ms} / {events}) / 1000.0), pg_current_xact_id()
FROM (
    SELECT r, payer.book, payer.n, payee.n AS other, payer.id AS source, payee.id AS target, g, bench_id(g) AS event
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS r, bench_account AS payer
    JOIN bench_account AS payee ON payee.b = payer.b AND payee.n = (payer.n + 1) %% {accounts},
    LATERAL (SELECT {books} * {accounts} * (r + 1) + payer.b * {accounts} + payer.n) AS numbered (g)
) AS paid;
--@ finish
ALTER TABLE {partition} ADD CONSTRAINT {partition}_pkey PRIMARY KEY (book, id),
    ADD CONSTRAINT {partition}_source_seq_once UNIQUE (book, source, source_seq),
    ADD CONSTRAINT {partition}_target_seq_once UNIQUE (book, target, target_seq);
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {partition}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
ALTER TABLE {partition} ENABLE ALWAYS TRIGGER event_append_only;
ALTER TABLE ledger_event ATTACH PARTITION {partition} {bounds};
GRANT SELECT ON {partition} TO sluice_app;
DROP FUNCTION bench_id;
