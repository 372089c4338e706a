-- As naming.sql says it, the same bytes at a third of the price: one function that prints its arguments itself, where ||
-- makes a text of each first. (concat_ws would leave a NULL out; no part of a movement can be one.)
CREATE OR REPLACE FUNCTION ledger_request_hash(
    p_book uuid, p_id uuid, p_txn uuid, p_kind text, p_source uuid, p_target uuid, p_amount numeric,
    p_reference text, p_data jsonb
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT sha256(convert_to(concat_ws(
        '|', p_book, p_id, p_txn, p_kind, p_source, p_target, trunc(p_amount), octet_length(p_reference), p_reference,
        p_data), 'UTF8'))
$$;
