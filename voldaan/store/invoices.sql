-- name: parties_of
-- The customers of these invoices, to be locked before anything of theirs changes, and the subscriptions, if any.
select distinct customer_id, subscription_id from invoices where account_id = %(account)s and id = any(%(ids)s);

-- name: recognised
-- What of these invoices was posted as revenue so far.
select invoice_id, sum(amount)::bigint from postings
 where account_id = %(account)s and invoice_id = any(%(ids)s) and debit = 'deferred_revenue' and credit = 'revenue'
 group by invoice_id;

-- name: latest_finalized
-- The last finalized invoice of each of these subscriptions.
select s.id, i.id
  from unnest(%(ids)s::text[]) as s(id)
 cross join lateral (
   select i.id from invoices i
    where i.account_id = %(account)s and i.subscription_id = s.id and i.status <> 'draft'
    order by i.id desc limit 1) i;

-- name: live_attempts
-- Which of these invoices have an attempt that may still bring money.
select distinct invoice_id from attempts
 where account_id = %(account)s and invoice_id = any(%(ids)s)
   and state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation');

-- name: lock_counter
-- The prefix and the next number of the book's own series, locked until the end.
insert into invoice_counters (account_id, prefix, next) values (%(account)s, 'INV', 1)
    on conflict (account_id) do update set next = invoice_counters.next
returning prefix, next;

-- name: move_counter
-- How far the book's own series has come.
update invoice_counters set next = %(next)s where account_id = %(account)s;

-- name: numbered
-- Whether another invoice has this number.
select 1 from invoices where account_id = %(account)s and number = %(number)s and id <> %(id)s;

-- name: held_by_webhooks
-- Of these invoices, in real time, those whose invoice.created somebody still has to be told.
select e.object_id from each_event e
  join invoices i on i.account_id = e.account_id and i.id = e.object_id and i.test_clock_id is null
 where e.account_id = %(account)s and e.row_id = any(array(select event_rows_about(%(ids)s)))
   and e.object_id = any(%(ids)s) and e.type = 'invoice.created'
   and exists (select from (select e.id || ':' || w.id as subject from webhook_endpoints w
                             where w.account_id = %(account)s and w.status = 'enabled' offset 0) s
                 join due d on d.account_id = %(account)s and d.kind = 'webhook.deliver' and d.subject = s.subject
                where d.parked_at is null);

-- name: customers_of_period
-- Customers with finalized invoices made in a period, page by page.
select distinct customer_id from invoices
 where account_id = %(account)s and status in ('open', 'paid', 'uncollectible')
   and created_at >= to_timestamp(%(start)s) and created_at < to_timestamp(%(end)s)
   and (%(customer)s::text is null or customer_id = %(customer)s) and customer_id > %(after)s
 order by customer_id
 limit %(limit)s;

-- name: revised_before
-- What these invoices had revised themselves, and so on: each with all before it.
with recursive chain as (
  select i.id as of, i.doc#>>'{from_invoice,invoice}' as id from invoices i
   where i.account_id = %(account)s and i.id = any(%(ids)s)
  union all
  select c.of, i.doc#>>'{from_invoice,invoice}' from chain c join invoices i on i.account_id = %(account)s and i.id = c.id
)
select of, id from chain where id is not null;
