-- name: deferred
-- Finalized invoices that still hold deferred revenue or begin to, with their lines as far as no credit note has taken them
-- back; %(clock)s says whose time it is.
select i.id, i.customer_id, i.currency, i.finalized_at, d.amount::bigint,
       array_agg(l.net - case when i.pre_payment_credit_notes_amount + i.post_payment_credit_notes_amount = 0 then 0 else (
         select coalesce(sum(c.net), 0)::bigint from credited_lines c
           join credit_notes n on n.account_id = c.account_id and n.id = c.credit_note_id and n.status = 'issued'
          where c.account_id = l.account_id and c.invoice_line_item_id = l.id) end order by l.id), array_agg(l.period_start_at order by l.id), array_agg(l.period_end_at order by l.id),
       array_agg(l.doc ?| array['usage', 'commitment'] order by l.id)
  from invoices i
  join invoice_line_items l on l.account_id = i.account_id and l.invoice_id = i.id
 cross join lateral (
   select coalesce(sum(case when p.credit = 'deferred_revenue' then p.amount else -p.amount end), 0) as amount from postings p
    where p.account_id = i.account_id and p.invoice_id = i.id
      and (p.debit = 'deferred_revenue' or p.credit = 'deferred_revenue')) d
 where i.account_id = %(account)s and i.id > %(after)s and i.status in ('open', 'paid', 'uncollectible')
   and i.finalized_at < to_timestamp(%(until)s) and i.test_clock_id is not distinct from %(clock)s
   and (i.finalized_at >= to_timestamp(%(since)s)
        or exists (select from invoice_line_items e where e.account_id = i.account_id and e.invoice_id = i.id
                      and e.period_end_at > to_timestamp(%(since)s) and e.net <> 0))
   and not exists (select from postings p where p.account_id = i.account_id and p.source = i.id and p.fact = %(fact)s)
 group by i.id, i.customer_id, i.currency, i.finalized_at, d.amount
 order by i.id
 limit %(limit)s;
