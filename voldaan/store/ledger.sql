-- name: insert_postings
-- Writes a small batch of postings, given as a JSON array of arrays.
insert into postings (account_id, source, fact, leg, debit, credit, amount, currency, effective_at, recorded_at, customer_id, invoice_id)
select p->>0, p->>1, p->>2, (p->>3)::smallint, p->>4, p->>5, (p->>6)::bigint, p->>7,
       to_timestamp((p->>8)::bigint), to_timestamp((p->>9)::bigint), p->>10, p->>11
  from jsonb_array_elements(%(rows)s) p;
