-- name: mrr_begin
-- The account's place to remember how far its events were read. Asked first: a conflict would wait for who is reading.
insert into mrr_cursors (account_id, event_id)
select %(account)s, '' where not exists (select from mrr_cursors where account_id = %(account)s) on conflict do nothing;

-- name: mrr_cursor
-- How far events were read, for the one who goes on; nobody else does meanwhile.
select event_id from mrr_cursors where account_id = %(account)s for update skip locked;

-- name: mrr_unread
-- Events that may change recurring revenue and were not read yet, oldest first.
select e.id, e.type, e.created_at, e.data, e.place
  from each_event e
 where e.account_id = %(account)s and e.row_id >= event_row(%(after)s) and e.id > %(after)s and e.type = any(%(types)s)
   and not exists (select from mrr_read r where r.account_id = e.account_id and r.event_id = e.id)
 order by e.row_id, e.nth limit %(limit)s;

-- name: mrr_standings
-- What is known of some customers' subscriptions.
select subscription_id, customer_id, currency, amount, event_id, snapshot_id, valued_at
  from mrr_subscriptions where account_id = %(account)s and customer_id = any(%(customers)s);

-- name: mrr_arrivals
-- When and how some customers last came from nothing.
select distinct on (customer_id, currency) customer_id, currency, at, kind
  from mrr_movements
 where account_id = %(account)s and customer_id = any(%(customers)s) and kind in ('new', 'reactivation')
 order by customer_id, currency, at desc, event_id desc;

-- name: mrr_turned
-- Customers whose contracts have begun, changed or ended since subscriptions of theirs were valued, and what time it is for them.
select c.customer_id, n.now
  from contracts c
  left join test_clocks k on k.account_id = c.account_id and k.id = c.doc ->> 'test_clock'
  cross join lateral (select coalesce(k.frozen_at, to_timestamp(%(wall)s)) as now) n
  cross join lateral (values (greatest(c.starts_at, c.created_at, to_timestamp((c.doc ->> 'agreed_at')::bigint))), (c.ends_at)) t(at)
  join mrr_subscriptions s on s.account_id = c.account_id and s.customer_id = c.customer_id and s.valued_at <= t.at
 where c.account_id = %(account)s and (c.doc ? 'price_overrides' or c.doc ? 'formerly') and t.at <= n.now
 group by c.customer_id, n.now
 order by bool_and(t.at = n.now) limit %(limit)s;

-- name: mrr_ignoring
-- Those of these subscriptions that do not inherit their customer's discount.
select id from subscriptions
 where account_id = %(account)s and id = any(%(ids)s) and (doc ->> 'ignores_customers_discount')::boolean;

-- name: mrr_snapshots
-- The events that show some subscriptions as they are.
select e.data, e.place
  from each_event e
 where e.account_id = %(account)s and e.row_id = any(array(select event_row(i) from unnest(%(ids)s::text[]) i))
   and e.id = any(%(ids)s);

-- name: mrr_put_standings
-- What subscriptions are worth after the events that were read.
insert into mrr_subscriptions (account_id, subscription_id, customer_id, currency, amount, event_id, snapshot_id, valued_at)
select %(account)s, s.subscription, s.customer, s.currency, s.amount, s.event, s.snapshot, to_timestamp(s.valued_at)
  from jsonb_to_recordset(%(rows)s)
       as s(subscription text, customer text, currency text, amount bigint, event text, snapshot text, valued_at bigint)
    on conflict (account_id, subscription_id) do update
   set amount = excluded.amount, currency = excluded.currency, event_id = excluded.event_id, snapshot_id = excluded.snapshot_id,
       valued_at = excluded.valued_at;

-- name: mrr_add_movements
-- How that came about. A contract may turn more than once at one instant of a test clock.
insert into mrr_movements (account_id, event_id, subscription_id, customer_id, currency, kind, amount, at)
select %(account)s, m.cause, m.subscription, m.customer, m.currency, m.kind, m.amount, to_timestamp(m.at)
  from jsonb_to_recordset(%(rows)s)
       as m(cause text, subscription text, customer text, currency text, kind text, amount bigint, at bigint)
    on conflict (account_id, event_id, subscription_id, at, kind) do update set amount = mrr_movements.amount + excluded.amount;

-- name: mrr_remember
-- Events that were read and may be met again.
insert into mrr_read (account_id, event_id) select %(account)s, unnest(%(ids)s::text[]) on conflict do nothing;

-- name: mrr_move_cursor
-- Nothing before this is looked at again.
update mrr_cursors set event_id = %(id)s where account_id = %(account)s;

-- name: mrr_forget_read
-- What lies behind the cursor is not met again.
delete from mrr_read r using mrr_cursors c
 where r.account_id = %(account)s and c.account_id = r.account_id and r.event_id <= c.event_id;

-- name: mrr_forget
-- All that was read of an account, so that it is read from the beginning.
with movements as (delete from mrr_movements where account_id = %(account)s),
     standings as (delete from mrr_subscriptions where account_id = %(account)s),
     remembered as (delete from mrr_read where account_id = %(account)s)
delete from mrr_cursors where account_id = %(account)s;

-- name: mrr_now
-- Monthly recurring revenue and its subscribers, by currency.
select currency, sum(amount)::bigint, count(distinct customer_id) filter (where amount > 0)
  from mrr_subscriptions where account_id = %(account)s group by currency order by currency;

-- name: mrr_by_month
-- Movements by calendar month, those before `start` under an empty name; and whether they are recent.
select currency, case when at >= to_timestamp(%(start)s) then to_char(at at time zone 'UTC', 'YYYY-MM') else '' end,
       at > to_timestamp(%(recent)s), kind, sum(amount)::bigint
  from mrr_movements where account_id = %(account)s group by 1, 2, 3, 4;

-- name: clocks
-- What time it is for the account: its test clocks, and whether anybody lives without one.
select max(c.frozen_at), count(*), bool_or(c.status = 'advancing'),
       exists (select from customers where account_id = %(account)s and test_clock_id is null and deleted_at is null)
  from test_clocks c where c.account_id = %(account)s and c.deleted_at is null;

-- name: ledger_balances
-- Debits and credits of every ledger account: the newest rollup and what was recorded after it.
with last as (select max(through) as through from ledger_rollups where account_id = %(account)s),
     tail as (select p.currency, p.debit, p.credit, sum(p.amount) as amount
                from postings p, last
               where p.account_id = %(account)s and (last.through is null or p.recorded_at > last.through)
               group by p.currency, p.debit, p.credit)
select currency, ledger_account, sum(debits)::bigint, sum(credits)::bigint
  from (select r.currency, r.ledger_account, r.debits, r.credits
          from ledger_rollups r, last where r.account_id = %(account)s and r.through = last.through
        union all select currency, debit, amount, 0 from tail
        union all select currency, credit, 0, amount from tail) b
 group by currency, ledger_account order by currency, ledger_account;

-- name: postings_by_month
-- What passed between some ledger accounts and all others, by calendar month of when it counts.
select p.currency, to_char(p.effective_at at time zone 'UTC', 'YYYY-MM'), p.debit, p.credit, sum(p.amount)::bigint
  from postings p
 where p.account_id = %(account)s and p.effective_at >= to_timestamp(%(start)s)
   and (p.debit = any(%(accounts)s) or p.credit = any(%(accounts)s))
 group by 1, 2, 3, 4;

-- name: receivables
-- Open invoices by how late they are: 0 not due, then 1-30, 31-60, 61-90 days and more; part of a day counts as one. With
-- what was billed since `start`, less credit notes, the divisor of days sales outstanding; invoices that are not open have no lateness.
select currency, place, count(*), coalesce(sum(amount_remaining), 0)::bigint,
       coalesce(sum(total) filter (where finalized_at >= to_timestamp(%(start)s)), 0)::bigint
  from (select currency, amount_remaining, finalized_at,
               total - pre_payment_credit_notes_amount - post_payment_credit_notes_amount as total,
               case when status = 'open' then
                 case when late <= 0 then 0 when late <= 30 then 1 when late <= 60 then 2 when late <= 90 then 3 else 4 end
               end as place
          from invoices
         cross join lateral (
           select ceil(extract(epoch from to_timestamp(%(now)s) - coalesce(due_at, finalized_at)) / 86400) as late) l
         where account_id = %(account)s and (status = 'open' or status <> 'void' and finalized_at >= to_timestamp(%(start)s))) i
 group by currency, place;

-- name: payment_attempts
-- Tries to take money, by how they ended, with how many different payments they belong to.
select currency, to_char(at at time zone 'UTC', 'YYYY-MM'), at >= to_timestamp(%(recent)s),
       case when state in ('succeeded', 'authorized', 'voided') then 'succeeded' when state = 'declined' then 'declined' else 'open' end,
       decline_code, count(*), sum(amount)::bigint
  from attempts
 where account_id = %(account)s and flow = 'authorize' and amount > 0 and at >= to_timestamp(%(start)s)
 group by 1, 2, 3, 4, 5;

-- name: recovery
-- Recurring payments whose first try is in a window, by how it and then the invoice ended; the first invoice after a trial
-- is left out. A try belongs to an invoice for two months at most.
with first as (
  select distinct on (a.invoice_id) a.invoice_id, a.currency, a.state, a.amount, a.at
    from attempts a
   where a.account_id = %(account)s and a.flow = 'authorize' and a.invoice_id is not null and a.amount > 0
     and a.at >= to_timestamp(%(recent)s) - interval '60 days'
   order by a.invoice_id, a.id)
select f.currency, case when i.status = 'paid' then 'recovered' when i.status = 'open' then 'retrying' else 'lost' end,
       count(*), sum(f.amount)::bigint
  from first f
  join invoices i on i.account_id = %(account)s and i.id = f.invoice_id
  left join subscriptions s on s.account_id = i.account_id and s.id = i.subscription_id
 where f.at >= to_timestamp(%(recent)s) and f.state = 'declined' and i.billing_reason = 'subscription_cycle'
   and (s.trial_end_at is null or not exists (
         select from invoice_line_items l
          where l.account_id = i.account_id and l.invoice_id = i.id and l.period_start_at = s.trial_end_at))
 group by 1, 2;

-- name: payouts
-- The last payouts of each currency.
select id, currency, amount, status, automatic, created_at, arrival_at
  from (select p.*, row_number() over (partition by currency order by id desc) as place
          from payouts p where p.account_id = %(account)s) p
 where place <= %(limit)s order by id desc;

-- name: due_work
-- What happens by itself next, by kind and clock, payouts also by currency; what was given up is counted apart.
select kind, clock_id is not null, case when kind = 'payout.create' then subject end,
       count(*) filter (where parked_at is null), min(due_at) filter (where parked_at is null),
       count(*) filter (where parked_at is not null), max(error) filter (where parked_at is not null)
  from due where account_id = %(account)s group by 1, 2, 3;

-- name: subscriptions_by_status
-- Subscriptions by currency and status.
select currency, status, count(*) from subscriptions where account_id = %(account)s group by 1, 2;

-- name: customers
-- Customers: all, those who came lately, those in arrears.
select count(*), count(*) filter (where created_at >= to_timestamp(%(since)s)), count(*) filter (where delinquent)
  from customers where account_id = %(account)s and deleted_at is null;

-- name: activity
-- The latest events that people care about; a payment of an invoice is told by the invoice.
select e.id, e.type, e.created_at, e.object_id, e.data, e.place
  from each_event e
 where e.account_id = %(account)s and e.type = any(%(types)s)
   and not (e.type like 'payment_intent.%%' and exists (
         select from payment_intents p where p.account_id = e.account_id and p.id = e.object_id and p.invoice_id is not null))
 order by e.row_id desc, e.nth desc limit %(limit)s;

-- name: events_of_request
-- What a request did: its events were made within the minutes after its id.
select e.id, e.type, e.created_at, e.object_id, e.data, e.place
  from each_event e
 where e.account_id = %(account)s and e.row_id > %(after)s and e.row_id < %(before)s and e.request_id = %(request)s
 order by e.row_id, e.nth limit 200;
