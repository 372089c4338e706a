-- The least that can be done: the same rows and keys, one PL/pgSQL call, two balances and one event, nothing checked.
CREATE TABLE floor_account (LIKE ledger_account, PRIMARY KEY (book, id));
CREATE TABLE floor_event (LIKE ledger_event, PRIMARY KEY (book, id),
                          UNIQUE (book, source, source_seq), UNIQUE (book, target, target_seq));
INSERT INTO floor_account (book, id, owner, asset, purpose, network, balance, floor, seq)
SELECT book, owner, owner, 'USDT', 'available', '', 1000000000000, 0, 0 FROM bench_account;

CREATE FUNCTION floor_post(
    p_book uuid, p_id uuid, p_source uuid, p_target uuid, p_amount numeric, p_reference text, p_hash bytea, p_data jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_source_seq bigint;
    v_target_seq bigint;
    v_source_balance numeric;
    v_target_balance numeric;
BEGIN
    IF p_source < p_target THEN
        UPDATE floor_account SET balance = balance - p_amount, seq = seq + 1 WHERE book = p_book AND id = p_source
        RETURNING seq, balance INTO v_source_seq, v_source_balance;
    END IF;
    UPDATE floor_account SET balance = balance + p_amount, seq = seq + 1 WHERE book = p_book AND id = p_target
    RETURNING seq, balance INTO v_target_seq, v_target_balance;
    IF p_source > p_target THEN
        UPDATE floor_account SET balance = balance - p_amount, seq = seq + 1 WHERE book = p_book AND id = p_source
        RETURNING seq, balance INTO v_source_seq, v_source_balance;
    END IF;
    INSERT INTO floor_event VALUES (
        p_book, p_id, p_id, 'TRANSFER', p_source, p_target, p_amount, v_source_seq, v_target_seq, v_source_balance,
        v_target_balance, p_reference, p_hash, p_data, clock_timestamp(), pg_current_xact_id());
END
$$;
