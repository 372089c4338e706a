-- What is written stays written, for the owner too until he drops these triggers (audit.prove() says when he did).
-- The application's role lacks the privileges in the first place: this is the second lock.
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the ledger only grows', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER credit_limit_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_creditlimitchange
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER account_kept BEFORE DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- ALWAYS: session_replication_role = replica does not switch them off.
ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER event_append_only;
ALTER TABLE ledger_creditlimitchange ENABLE ALWAYS TRIGGER credit_limit_change_append_only;
ALTER TABLE ledger_account ENABLE ALWAYS TRIGGER account_kept;
