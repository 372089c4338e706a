-- The same rules, looked at when the row is there. A BEFORE trigger makes every UPDATE of its table lock the row in a step
-- of its own, with a record in the log, also where the columns that it is about do not change: every posting, twice.
DROP TRIGGER account_rules ON ledger_account;
CREATE TRIGGER account_rules AFTER INSERT OR UPDATE OF book, id, owner, asset, purpose, network, floor
    ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_account_rules();
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER account_rules;
