-- name: insert_postings
-- Writes a small batch of postings, given as a JSON array of arrays.
insert into postings (account_id, source, fact, leg, debit, credit, amount, currency, effective_at, recorded_at, customer_id, invoice_id)
select p->>0, p->>1, p->>2, (p->>3)::smallint, p->>4, p->>5, (p->>6)::bigint, p->>7,
       to_timestamp((p->>8)::bigint), to_timestamp((p->>9)::bigint), p->>10, p->>11
  from jsonb_array_elements(%(rows)s) p;

-- name: trial_balance
-- Debits and credits of every ledger account, per currency.
select side.ledger_account, p.currency, sum(side.debit), sum(side.credit)
  from postings p
 cross join lateral (values (p.debit, p.amount, 0), (p.credit, 0, p.amount)) as side(ledger_account, debit, credit)
 where p.account_id = %(account)s
 group by 1, 2;
