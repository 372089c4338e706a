-- A conversion is two movements, one asset into `conversion`, another out of it, so that each asset sums to zero.
-- Each names the other and the rate in its data; one without the other does not get in.
--
-- Runs at the end of the INSERT, when both rows are there: so both come in one call. By keys alone; and a row of any other
-- kind costs the comparison in WHEN. (A CHECK for the rate would be compiled for every INSERT of any kind.)
CREATE FUNCTION ledger_convert_in_pairs() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF (NEW.data ->> 'rate' ~ '^[0-9]{1,40}([.][0-9]{1,40})?$') IS NOT TRUE THEN
        RAISE EXCEPTION 'event % converts at no rate', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'convert_by_rate';
    ELSIF NOT EXISTS (
        SELECT FROM ledger_event AS other
        JOIN ledger_account AS our_source ON our_source.book = NEW.book AND our_source.id = NEW.source
        JOIN ledger_account AS our_target ON our_target.book = NEW.book AND our_target.id = NEW.target
        JOIN ledger_account AS its_source ON its_source.book = NEW.book AND its_source.id = other.source
        JOIN ledger_account AS its_target ON its_target.book = NEW.book AND its_target.id = other.target
        WHERE other.book = NEW.book AND other.id = (NEW.data ->> 'pair')::uuid
          AND other.kind = 'CONVERT' AND other.txn = NEW.txn AND other.xid = NEW.xid
          AND other.data ->> 'pair' = NEW.id::text AND other.data ->> 'rate' = NEW.data ->> 'rate'
          AND our_source.asset <> its_source.asset
          AND our_source.purpose = its_target.purpose AND our_target.purpose = its_source.purpose
    ) THEN
        RAISE EXCEPTION 'event % is half a conversion', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'convert_in_pairs';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER convert_in_pairs AFTER INSERT ON ledger_event
    FOR EACH ROW WHEN (NEW.kind = 'CONVERT') EXECUTE FUNCTION ledger_convert_in_pairs();
ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER convert_in_pairs;
