-- name: sums
-- The balance: what is available and not paid out, and what is pending, per currency.
select currency, status, sum(net)::bigint from (
  select currency, status, net from balance_transactions
   where account_id = %(account)s and status = 'available' and payout_id is null
  union all
  select currency, status, net from balance_transactions where account_id = %(account)s and status = 'pending'
) b group by currency, status order by currency;

-- name: lock
-- One payout at a time: two at once could spend the same money.
select id from accounts where id = %(account)s for no key update;

-- name: available
-- What can be paid out of a currency: in all, and what belongs to one clock.
select coalesce(sum(net), 0)::bigint,
       coalesce(sum(net) filter (where clock_id is not distinct from %(clock)s), 0)::bigint
  from balance_transactions
 where account_id = %(account)s and currency = %(currency)s and status = 'available' and payout_id is null;

-- name: take
-- What an automatic payout is made of: everything available that no payout has taken yet.
update balance_transactions set payout_id = %(payout)s
 where account_id = %(account)s and currency = %(currency)s and status = 'available' and payout_id is null
   and clock_id is not distinct from %(clock)s;

-- name: make_available
-- Turns pending amounts whose day has come into available ones; returns what moved, per currency.
with moved as (
  update balance_transactions set status = 'available'
   where account_id = %(account)s and status = 'pending' and available_on <= to_timestamp(%(now)s)
     and currency = any(%(currencies)s) and clock_id is not distinct from %(clock)s
  returning id, currency, net)
select currency, sum(net)::bigint, max(id) from moved group by currency order by currency;
