-- name: billed
-- What was billed of these subscriptions since their contracts were looked at last, before discounts and tax.
select l.subscription_id, extract(epoch from l.period_start_at)::bigint, l.amount
  from unnest(%(subscriptions)s::text[], %(since)s::bigint[]) as w(subscription_id, since)
  join invoices i on i.account_id = %(account)s and i.subscription_id = w.subscription_id and i.status <> 'void'
  join invoice_line_items l on l.account_id = i.account_id and l.invoice_id = i.id and l.subscription_id = w.subscription_id
 where l.period_start_at >= to_timestamp(w.since) and l.doc->>'commitment' is null;
