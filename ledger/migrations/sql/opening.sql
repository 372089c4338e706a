-- As locking.sql has it, with the new purposes' floors: none where an account stands for the world outside, zero elsewhere.
CREATE OR REPLACE FUNCTION ledger_open(
    p_book uuid, p_account uuid[], p_owner uuid[], p_asset text[], p_purpose text[], p_network text[]
) RETURNS SETOF ledger_account LANGUAGE plpgsql
AS $$
BEGIN
    IF (SELECT count(*) FROM ledger_account WHERE book = p_book AND id = ANY (p_account)) < cardinality(p_account) THEN
        INSERT INTO ledger_account (book, id, owner, asset, purpose, network, balance, floor, seq)
        SELECT p_book, part.id, part.owner, part.asset, part.purpose, part.network, 0,
               CASE WHEN part.purpose NOT IN ('fees', 'external', 'conversion', 'memo_contra') THEN 0 END, 0
        FROM unnest(p_account, p_owner, p_asset, p_purpose, p_network) AS part (id, owner, asset, purpose, network)
        WHERE NOT EXISTS (SELECT FROM ledger_account AS present WHERE present.book = p_book AND present.id = part.id)
        ORDER BY part.id
        ON CONFLICT (book, id) DO NOTHING;
    END IF;
    RETURN QUERY
        SELECT * FROM ledger_account WHERE book = p_book AND id = ANY (p_account) ORDER BY id FOR UPDATE;
END
$$;
