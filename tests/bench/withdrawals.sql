-- So many withdrawals of one merchant, the newest a second old, a few of them open; no money belongs to them.
INSERT INTO payouts_withdrawal
    (id, merchant_id, api, channel, owner, asset, network, destination, amount_units, fee_units, net_units,
     credit_units, memo_units, approval, status, review_notes, reason, txid, created_at, updated_at)
SELECT uuidv7(-age), %(merchant)s::uuid, 'merchant', '', %(merchant)s::uuid, 'USDT', 'tron', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8',
       500000000, 1000000, 499000000, 0, 0, 'NONE',
       CASE WHEN n %% 10 = 0 THEN 'REJECTED' ELSE 'COMPLETED' END, '', '', md5(n::text), now() - age, now() - age
  FROM generate_series(%(first)s::int, %(last)s::int) AS n,
       LATERAL (SELECT make_interval(secs => n)) AS ages (age);
