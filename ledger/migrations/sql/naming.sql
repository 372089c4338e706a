-- The id of an account is made from its parts, see ledger/accounts.py: SHA-256 of the parts as a version-8 UUID.
CREATE FUNCTION ledger_account_id(p_book uuid, p_owner uuid, p_asset text, p_purpose text, p_network text)
RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT encode(
        set_byte(set_byte(hash, 6, get_byte(hash, 6) & 15 | 128), 8, get_byte(hash, 8) & 63 | 128), 'hex'
    )::uuid
    FROM substring(
        sha256(convert_to(concat_ws('/', p_book, p_owner, p_asset, p_purpose, p_network), 'UTF8')) FOR 16
    ) AS hash
$$;

ALTER TABLE ledger_account ADD CONSTRAINT account_id_from_parts
    CHECK (id = ledger_account_id(book, owner, asset, purpose, network));


-- What a movement asked for, as 32 bytes. Anybody can compute it again from the row: SHA-256 of the UTF-8 text
--     book|id|txn|kind|source|target|amount|<bytes of reference>|reference|data
-- with UUIDs in lower case with dashes, the amount in decimal digits and data as jsonb prints itself: keys sorted by
-- length and then by bytes, ", " between members, ": " after a key, nothing but ASCII control characters, " and \ escaped.
CREATE FUNCTION ledger_request_hash(
    p_book uuid, p_id uuid, p_txn uuid, p_kind text, p_source uuid, p_target uuid, p_amount numeric,
    p_reference text, p_data jsonb
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT sha256(convert_to(
        p_book::text || '|' || p_id::text || '|' || p_txn::text || '|' || p_kind || '|' || p_source::text || '|'
        || p_target::text || '|' || trunc(p_amount)::text || '|' || octet_length(p_reference)::text || '|' || p_reference || '|'
        || p_data::text, 'UTF8'))
$$;


-- Which kind of movement goes from which purpose to which: DESIGN §2's table. An ADJUST may go anywhere; two persons
-- answer for it.
CREATE FUNCTION ledger_kind_allowed(p_kind text, p_source_purpose text, p_target_purpose text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(
        CASE p_kind
            --                     from                        to
            WHEN 'DEPOSIT'      THEN p_source_purpose = 'external'  AND p_target_purpose = 'available'
            WHEN 'CREDIT_DRAW'  THEN p_source_purpose = 'credit'    AND p_target_purpose = 'available'
            WHEN 'FREEZE'       THEN p_source_purpose = 'available' AND p_target_purpose = 'frozen'
            WHEN 'DEBIT'        THEN p_source_purpose = 'frozen'    AND p_target_purpose = 'external'
            WHEN 'FEE'          THEN p_source_purpose = 'frozen'    AND p_target_purpose = 'fees'
            WHEN 'REFUND'       THEN p_source_purpose = 'frozen'    AND p_target_purpose = 'available'
            WHEN 'CREDIT_REPAY' THEN p_source_purpose = 'available' AND p_target_purpose = 'credit'
            WHEN 'TRANSFER'     THEN p_source_purpose = 'available' AND p_target_purpose = 'available'
            WHEN 'ADJUST'       THEN true
        END, false)
$$;

-- data of an ADJUST names a reason and two persons.
ALTER TABLE ledger_event ADD CONSTRAINT adjust_by_two_persons CHECK (
    kind <> 'ADJUST' OR coalesce(
        data ->> 'reason' <> '' AND data ->> 'by' <> '' AND data ->> 'approved_by' <> ''
        AND data ->> 'by' <> data ->> 'approved_by', false)
);
