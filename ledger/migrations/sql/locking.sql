-- Open what is absent, then lock everything, in the order of the ids.
--
-- Opening comes first and locks no row that another transaction could be holding, so that a transaction that waits here
-- holds none of the rows that others lock by id: no circle of waiting is possible between single calls.
CREATE FUNCTION ledger_open(
    p_book uuid, p_account uuid[], p_owner uuid[], p_asset text[], p_purpose text[], p_network text[]
) RETURNS SETOF ledger_account LANGUAGE plpgsql
AS $$
BEGIN
    IF (SELECT count(*) FROM ledger_account WHERE book = p_book AND id = ANY (p_account)) < cardinality(p_account) THEN
        INSERT INTO ledger_account (book, id, owner, asset, purpose, network, balance, floor, seq)
        SELECT p_book, part.id, part.owner, part.asset, part.purpose, part.network, 0,
               CASE WHEN part.purpose IN ('available', 'frozen', 'credit') THEN 0 END, 0
        FROM unnest(p_account, p_owner, p_asset, p_purpose, p_network) AS part (id, owner, asset, purpose, network)
        WHERE NOT EXISTS (SELECT FROM ledger_account AS present WHERE present.book = p_book AND present.id = part.id)
        ORDER BY part.id
        ON CONFLICT (book, id) DO NOTHING;
    END IF;
    RETURN QUERY
        SELECT * FROM ledger_account WHERE book = p_book AND id = ANY (p_account) ORDER BY id FOR UPDATE;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger_open FROM PUBLIC;


-- The application's door to the locks: the accounts' state, held until its transaction ends.
CREATE FUNCTION ledger_lock(
    p_book uuid, p_account uuid[], p_owner uuid[], p_asset text[], p_purpose text[], p_network text[]
) RETURNS TABLE (id uuid, balance numeric, floor numeric, seq bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT id, balance, floor, seq FROM ledger_open(p_book, p_account, p_owner, p_asset, p_purpose, p_network)
$$;
REVOKE EXECUTE ON FUNCTION ledger_lock FROM PUBLIC;
