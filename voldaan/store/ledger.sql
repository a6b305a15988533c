-- name: insert_postings
-- Writes a small batch of postings, given as a JSON array of arrays.
insert into postings (account_id, source, fact, leg, debit, credit, amount, currency, effective_at, recorded_at, customer_id, invoice_id)
select p->>0, p->>1, p->>2, (p->>3)::smallint, p->>4, p->>5, (p->>6)::bigint, p->>7,
       to_timestamp((p->>8)::bigint), to_timestamp((p->>9)::bigint), p->>10, p->>11
  from jsonb_array_elements(%(rows)s) p;

-- name: trial_balance
-- Debits and credits of every ledger account, per currency: the latest rollup and what was recorded after it.
with last as (
  select coalesce(max(through), to_timestamp(0)) as through from ledger_rollups where account_id = %(account)s
), known as (
  select ledger_account, currency, debits, credits from ledger_rollups, last
   where account_id = %(account)s and ledger_rollups.through = last.through
  union all
  select side.ledger_account, p.currency, side.debit, side.credit
    from last, postings p
   cross join lateral (values (p.debit, p.amount, 0), (p.credit, 0, p.amount)) as side(ledger_account, debit, credit)
   where p.account_id = %(account)s and p.recorded_at > last.through
)
select ledger_account, currency, sum(debits), sum(credits) from known group by 1, 2;

-- name: roll_up
-- The balances up to and including an instant: the latest rollup before it and what was recorded in between.
insert into ledger_rollups (account_id, ledger_account, currency, through, debits, credits)
with last as (
  select coalesce(max(through), to_timestamp(0)) as through from ledger_rollups
   where account_id = %(account)s and through < to_timestamp(%(through)s)
), known as (
  select ledger_account, currency, debits, credits from ledger_rollups, last
   where account_id = %(account)s and ledger_rollups.through = last.through
  union all
  select side.ledger_account, p.currency, side.debit, side.credit
    from last, postings p
   cross join lateral (values (p.debit, p.amount, 0), (p.credit, 0, p.amount)) as side(ledger_account, debit, credit)
   where p.account_id = %(account)s and p.recorded_at > last.through and p.recorded_at <= to_timestamp(%(through)s)
)
select %(account)s, ledger_account, currency, to_timestamp(%(through)s), sum(debits), sum(credits) from known group by 2, 3
    on conflict do nothing;
