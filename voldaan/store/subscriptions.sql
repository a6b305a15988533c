-- name: customers_of
-- The customers of these subscriptions: to be locked before anything of theirs changes.
select distinct customer_id from subscriptions where account_id = %(account)s and id = any(%(ids)s);

-- name: product_names
-- What lines call these products, the tax codes they have, and where they take place if they are performed.
select p.id, p.name, coalesce(p.doc ->> 'tax_code', p.doc -> 'tax_details' ->> 'tax_code'), l.doc -> 'address'
  from products p
  left join tax_locations l on l.account_id = p.account_id and l.id = p.doc -> 'tax_details' ->> 'performance_location'
 where p.account_id = %(account)s and p.id = any(%(ids)s);

-- name: cut_periods
-- Periods that renewals have billed end where a change has moved them to.
update billed_periods b set period_end_at = greatest(b.period_start_at, to_timestamp(c.until))
  from unnest(%(ids)s::text[], %(untils)s::bigint[]) as c(id, until)
 where b.account_id = %(account)s and b.id = c.id;

-- name: lines_of_invoice_items
-- The lines that these invoice items have become.
select l.invoice_item_id, l.id, l.invoice_id
  from invoice_items i
  join invoice_line_items l on l.account_id = i.account_id and l.invoice_id = i.invoice_id and l.invoice_item_id = i.id
 where i.account_id = %(account)s and i.id = any(%(ids)s);

-- name: debited_lines
-- What these lines charge, after discounts and with inclusive tax, how their invoices stand, and what each discount took.
select l.id, l.amount - l.discount, l.period_start_at, l.period_end_at, i.status, l.doc->'discount_amounts'
  from invoice_line_items l
  join invoices i on i.account_id = l.account_id and i.id = l.invoice_id
 where l.account_id = %(account)s and l.id = any(%(ids)s);

-- name: with_late_usage
-- Of these subscriptions, those of which usage was billed that may still change.
select distinct subscription_id from usage_periods
 where account_id = %(account)s and subscription_id = any(%(ids)s) and open;
