-- What people's screens list. With the reader's own rights (security_invoker), never with the owner's.
CREATE VIEW ledger_account_line WITH (security_invoker = true) AS
SELECT book || '.' || id AS key, book, id, owner, asset, purpose, network, balance, floor, seq
FROM ledger_account;

CREATE VIEW ledger_event_line WITH (security_invoker = true) AS
SELECT event.book || '.' || event.id AS key, event.book, event.id, event.txn, event.kind, source.asset, event.amount,
       event.source, source.purpose AS source_purpose, event.source_seq, event.source_balance,
       event.target, target.purpose AS target_purpose, event.target_seq, event.target_balance,
       event.reference, event.data, event.at, event.xid
FROM ledger_event AS event
LEFT JOIN ledger_account AS source ON source.book = event.book AND source.id = event.source
LEFT JOIN ledger_account AS target ON target.book = event.book AND target.id = event.target;

CREATE VIEW ledger_credit_limit_line WITH (security_invoker = true) AS
SELECT book || '.' || account || '.' || number AS key, book, account, number, old_floor, new_floor, by, at
FROM ledger_creditlimitchange;
