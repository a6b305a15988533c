-- name: tick
-- The clock's hand, while it advances.
update test_clocks set frozen_at = to_timestamp(%(at)s) where account_id = %(account)s and id = %(id)s;

-- name: again
-- Work on a clock that must be tried again later.
insert into due (account_id, kind, subject, due_at, clock_id)
select %(account)s, %(kind)s, a.subject, to_timestamp(a.at), %(clock)s
  from unnest(%(subjects)s::text[], %(times)s::bigint[]) as a(subject, at)
    on conflict do nothing;

-- name: shortest_interval
-- The price with the shortest period among the subscriptions on a clock: how far it may advance at once.
select p.interval, p.interval_count
  from customers c
  join subscriptions s on s.account_id = c.account_id and s.customer_id = c.id
  join subscription_items i on i.account_id = s.account_id and i.subscription_id = s.id
  join prices p on p.account_id = i.account_id and p.id = i.price_id
 where c.account_id = %(account)s and c.test_clock_id = %(clock)s
   and s.status not in ('canceled', 'incomplete_expired')
 order by case p.interval when 'day' then 1 when 'week' then 7 when 'month' then 30 else 365 end * p.interval_count
 limit 1;
