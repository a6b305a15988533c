-- name: customers_of
-- The customers of these subscriptions: to be locked before anything of theirs changes.
select distinct customer_id from subscriptions where account_id = %(account)s and id = any(%(ids)s);

-- name: product_names
-- What lines call these products, and the tax codes they have.
select id, name, coalesce(doc ->> 'tax_code', doc -> 'tax_details' ->> 'tax_code') from products where account_id = %(account)s and id = any(%(ids)s);

-- name: lines_of_invoice_items
-- The lines that these invoice items have become.
select l.invoice_item_id, l.id, l.invoice_id
  from invoice_items i
  join invoice_line_items l on l.account_id = i.account_id and l.invoice_id = i.invoice_id and l.invoice_item_id = i.id
 where i.account_id = %(account)s and i.id = any(%(ids)s);

-- name: debited_lines
-- What these lines charge, after discounts and with inclusive tax, and how their invoices stand.
select l.id, l.amount - l.discount, l.period_start_at, l.period_end_at, i.status
  from invoice_line_items l
  join invoices i on i.account_id = l.account_id and i.id = l.invoice_id
 where l.account_id = %(account)s and l.id = any(%(ids)s);
