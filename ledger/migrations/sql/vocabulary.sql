-- Which kind of movement goes from which purpose to which: DESIGN §2's table, with user wallets and conversions.
-- tests/ledger/test_vocabulary.py holds every cell of kind × from × to.
--
-- Memoranda (what a merchant owes each of its users) are a world of their own: nothing goes from there to money or back,
-- so that money sums to zero by itself and the memoranda do. An ADJUST may go anywhere inside one of the two worlds; two
-- persons answer for it.
CREATE OR REPLACE FUNCTION ledger_kind_allowed(p_kind text, p_source_purpose text, p_target_purpose text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(
        CASE p_kind
            --                     from                          to
            WHEN 'DEPOSIT'      THEN p_source_purpose = 'external'    AND p_target_purpose = 'available'
            WHEN 'CREDIT_DRAW'  THEN p_source_purpose = 'credit'      AND p_target_purpose = 'available'
            WHEN 'FREEZE'       THEN p_source_purpose = 'available'   AND p_target_purpose = 'frozen'
            WHEN 'DEBIT'        THEN p_source_purpose = 'frozen'      AND p_target_purpose = 'external'
            WHEN 'FEE'          THEN p_source_purpose = 'frozen'      AND p_target_purpose = 'fees'
            WHEN 'REFUND'       THEN p_source_purpose = 'frozen'      AND p_target_purpose = 'available'
            WHEN 'CREDIT_REPAY' THEN p_source_purpose = 'available'   AND p_target_purpose = 'credit'
            WHEN 'TRANSFER'     THEN p_source_purpose = 'available'   AND p_target_purpose = 'available'
            WHEN 'CONVERT'      THEN p_source_purpose = 'available'   AND p_target_purpose = 'conversion'
                                  OR p_source_purpose = 'conversion'  AND p_target_purpose = 'available'
            WHEN 'MEMO_CREDIT'  THEN p_source_purpose = 'memo_contra' AND p_target_purpose = 'memo'
            WHEN 'MEMO_FREEZE'  THEN p_source_purpose = 'memo'        AND p_target_purpose = 'memo_frozen'
            WHEN 'MEMO_DEBIT'   THEN p_source_purpose = 'memo_frozen' AND p_target_purpose = 'memo_contra'
            WHEN 'MEMO_REFUND'  THEN p_source_purpose = 'memo_frozen' AND p_target_purpose = 'memo'
            WHEN 'ADJUST'       THEN starts_with(p_source_purpose, 'memo') = starts_with(p_target_purpose, 'memo')
        END, false)
$$;
