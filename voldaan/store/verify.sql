-- Invariants. Each query returns what breaks it: account, id, and what is wrong. No rows: it holds.
-- They run as the owner, over all accounts or one (%(only)s).

-- name: L1_postings_have_known_accounts
-- Every posting is between two accounts of the chart; two-legged postings of one amount then sum to zero by construction.
select account_id, source, fact || ' uses ' || debit || ' / ' || credit from postings
 where (%(only)s::text is null or account_id = %(only)s)
   and not (debit = any(%(chart)s::text[]) and credit = any(%(chart)s::text[]));

-- name: L2_receivable_is_what_is_open
-- The ledger's receivable is what open invoices still owe, per customer and currency.
with owed as (
  select account_id, customer_id, currency, sum(amount_remaining) as amount from invoices
   where status = 'open' and (%(only)s::text is null or account_id = %(only)s) group by 1, 2, 3
), posted as (
  select account_id, customer_id, currency,
         sum(amount) filter (where debit = 'receivable') as debits, sum(amount) filter (where credit = 'receivable') as credits
    from postings where 'receivable' in (debit, credit) and (%(only)s::text is null or account_id = %(only)s) group by 1, 2, 3
)
select coalesce(o.account_id, p.account_id), coalesce(o.customer_id, p.customer_id),
       format('owes %%s %%s, the ledger says %%s', coalesce(o.amount, 0), coalesce(o.currency, p.currency), coalesce(p.debits, 0) - coalesce(p.credits, 0))
  from owed o full join posted p using (account_id, customer_id, currency)
 where coalesce(o.amount, 0) <> coalesce(p.debits, 0) - coalesce(p.credits, 0);

-- name: L3_customer_balance_is_the_ledgers
-- What customers hold as credit (a negative balance) is the liability in the ledger.
with held as (
  select account_id, id as customer_id, -balance as amount from customers
   where balance <> 0 and (%(only)s::text is null or account_id = %(only)s)
), posted as (
  select account_id, customer_id,
         coalesce(sum(amount) filter (where credit = 'customer_balance'), 0)
         - coalesce(sum(amount) filter (where debit = 'customer_balance'), 0) as amount
    from postings where 'customer_balance' in (debit, credit) and (%(only)s::text is null or account_id = %(only)s) group by 1, 2
)
select coalesce(h.account_id, p.account_id), coalesce(h.customer_id, p.customer_id),
       format('holds %%s, the ledger says %%s', coalesce(h.amount, 0), coalesce(p.amount, 0))
  from held h full join posted p using (account_id, customer_id)
 where coalesce(h.amount, 0) <> coalesce(p.amount, 0);

-- name: L4_balance_is_the_balance_transactions
-- The processor's balance in the ledger is the sum of its balance transactions, per currency.
with moved as (
  select account_id, currency, sum(net) as amount from balance_transactions
   where %(only)s::text is null or account_id = %(only)s group by 1, 2
), posted as (
  select account_id, currency,
         coalesce(sum(amount) filter (where debit in ('processor_pending', 'processor_available')), 0)
         - coalesce(sum(amount) filter (where credit in ('processor_pending', 'processor_available')), 0) as amount
    from postings
   where (debit in ('processor_pending', 'processor_available') or credit in ('processor_pending', 'processor_available'))
     and (%(only)s::text is null or account_id = %(only)s)
   group by 1, 2
)
select coalesce(m.account_id, p.account_id), coalesce(m.currency, p.currency),
       format('balance transactions %%s, the ledger says %%s', coalesce(m.amount, 0), coalesce(p.amount, 0))
  from moved m full join posted p using (account_id, currency)
 where coalesce(m.amount, 0) <> coalesce(p.amount, 0);

-- name: L5_rollups_are_sums_of_postings
-- A rollup says what the postings up to it say.
select r.account_id, r.ledger_account || ' ' || r.currency || ' ' || r.through,
       format('rollup %%s / %%s, postings %%s / %%s', r.debits, r.credits, s.debits, s.credits)
  from ledger_rollups r
 cross join lateral (
   select coalesce(sum(amount) filter (where p.debit = r.ledger_account), 0) as debits,
          coalesce(sum(amount) filter (where p.credit = r.ledger_account), 0) as credits
     from postings p
    where p.account_id = r.account_id and p.currency = r.currency and p.recorded_at <= r.through
      and r.ledger_account in (p.debit, p.credit)) s
 where (%(only)s::text is null or r.account_id = %(only)s) and (s.debits, s.credits) is distinct from (r.debits, r.credits);

-- name: L6_revenue_is_not_recognised_beyond_what_was_deferred
-- What an invoice has left in deferred revenue is what its lines had not earned at the end of the last month that was
-- recognised, as ledger/revenue.py counts it; of a void one, nothing. Where refunds, disputes, notes or a write-off took of
-- it, it is between nothing and that, less what notes took of the lines, more what failed refunds and notes have put back;
-- their shares, and the months after them, are each rounded by themselves.
with held as (
  select p.account_id, p.invoice_id, sum(case when p.credit = 'deferred_revenue' then p.amount else -p.amount end) as amount,
         bool_and(p.fact = 'finalized' or p.fact like 'recognised:%%') as whole,
         coalesce(sum(p.amount) filter (where p.credit = 'deferred_revenue'
                                          and (p.fact = 'refund_failed' or p.fact like 'linked:%%')), 0) as back,
         count(*) filter (where p.fact ~ '^recognised:[0-9]') as months,
         ((max(substring(p.fact from '^recognised:([0-9]{4}-[0-9]{2})$')) || '-01')::timestamp + interval '1 month')
           at time zone 'UTC' as through
    from postings p
   where 'deferred_revenue' in (p.debit, p.credit) and p.invoice_id is not null and (%(only)s::text is null or p.account_id = %(only)s)
   group by 1, 2
)
select h.account_id, h.invoice_id, format('deferred revenue is %%s, its lines have %%s to earn', h.amount, u.amount)
  from held h
  join invoices i on i.account_id = h.account_id and i.id = h.invoice_id
 cross join lateral (
   select coalesce(sum(case when l.doc ?| array['usage', 'commitment'] or l.period_start_at >= l.period_end_at then 0
                   when h.through is null or h.through <= l.period_start_at then c.net
                   when h.through >= l.period_end_at then 0
                   else c.net - round(c.net * extract(epoch from h.through - l.period_start_at)
                                      / extract(epoch from l.period_end_at - l.period_start_at)) end), 0) as amount,
          coalesce(sum(c.shares), 0) as shares
     from invoice_line_items l
    cross join lateral (
      select count(*) as shares, l.net - coalesce(sum(c.net) filter (where n.status = 'issued'), 0) as net
        from credited_lines c join credit_notes n on n.account_id = c.account_id and n.id = c.credit_note_id
       where c.account_id = l.account_id and c.invoice_line_item_id = l.id) c
    where l.account_id = h.account_id and l.invoice_id = h.invoice_id) u
 cross join lateral (select case when u.shares + h.back > 0 then u.shares + h.months else 0 end as rounding) r
 where case when i.status = 'void' then h.amount <> 0
            when h.whole then h.amount <> u.amount
            else h.amount not between least(u.amount, 0) - r.rounding and greatest(u.amount, 0) + h.back + r.rounding end;

-- name: I1_invoice_totals_are_their_lines
-- Tax and total of an invoice are those of its lines and its shipping; its subtotal is theirs less, at most, their discounts,
-- and without what is itemized for prorations in any case.
select i.account_id, i.id, format('subtotal %%s, lines %%s; tax %%s, lines %%s', i.subtotal, l.subtotal, i.tax, l.tax)
  from invoices i
  left join lateral (
    select coalesce(sum(l.subtotal), 0) as subtotal, coalesce(sum(l.tax), 0) as tax, coalesce(sum(l.net), 0) as net, coalesce(sum(l.discount), 0) as discount,
           coalesce(sum(l.discount) filter (where l.doc->'basis' ? 'taken'), 0) as itemized
      from invoice_line_items l where l.account_id = i.account_id and l.invoice_id = i.id) l on true
 where (%(only)s::text is null or i.account_id = %(only)s)
   and (i.subtotal not between l.subtotal - l.discount and l.subtotal - l.itemized
        or i.tax <> l.tax + coalesce((i.doc->'shipped'->>'tax')::bigint, 0)
        or i.total <> l.net + l.tax + coalesce((i.doc->'shipped'->>'net')::bigint, 0) + coalesce((i.doc->'shipped'->>'tax')::bigint, 0)
        or coalesce((i.doc->>'amount_shipping')::bigint, 0) <> coalesce((i.doc->'shipped'->>'amount')::bigint, 0));

-- name: I2_amount_due_is_paid_or_remains
-- What an invoice asks is paid or remains; a credit note lowers what it asks.
select account_id, id, format('due %%s, paid %%s, remaining %%s', amount_due, amount_paid, amount_remaining)
  from invoices
 where (%(only)s::text is null or account_id = %(only)s) and status <> 'draft'
   and status <> 'void' and amount_due <> least(amount_paid, amount_due) + amount_remaining
   and not (status = 'paid' and amount_paid >= amount_due);

-- name: I3_paid_means_nothing_remains
-- An invoice is paid exactly when nothing remains; an open one has something left to pay.
select account_id, id, format('%%s with %%s remaining', status, amount_remaining)
  from invoices
 where (%(only)s::text is null or account_id = %(only)s)
   and ((status = 'paid' and amount_remaining <> 0) or (status = 'open' and amount_remaining = 0));

-- name: I4_amount_paid_is_the_payments
-- amount_paid is what its payments brought, and what was paid out of band.
select i.account_id, i.id, format('amount_paid %%s, payments %%s, out of band %%s', i.amount_paid, p.amount, i.amount_paid_out_of_band)
  from invoices i
 cross join lateral (
   select coalesce(sum(p.amount_paid), 0) as amount from invoice_payments p
    where p.account_id = i.account_id and p.invoice_id = i.id and p.status = 'paid') p
 where (%(only)s::text is null or i.account_id = %(only)s) and i.status <> 'draft'
   and i.amount_paid + i.amount_overpaid <> p.amount + i.amount_paid_out_of_band;

-- name: I5_numbers_have_no_gap
-- Numbers per customer prefix: no gap, no duplicate.
select account_id, customer_id, format('%%s numbers up to %%s', count(*), max(n))
  from (select i.account_id, i.customer_id, substring(i.number from '-([0-9]+)$')::bigint as n
          from invoices i join customers c on c.account_id = i.account_id and c.id = i.customer_id
         where i.number like c.invoice_prefix || '-%%' and (%(only)s::text is null or i.account_id = %(only)s)) numbered
 group by account_id, customer_id
having count(*) <> max(n) - min(n) + 1 or count(*) <> count(distinct n);

-- name: I6_periods_tile_time
-- The billed periods of a subscription item do not overlap: where a change moves them, the one before ends there.
select account_id, subscription_item_id, format('a period starts %%s, the one before ends %%s', period_start_at, before_end)
  from (select account_id, subscription_item_id, period_start_at,
               lag(period_end_at) over (partition by account_id, subscription_item_id order by period_start_at) as before_end
          from billed_periods where %(only)s::text is null or account_id = %(only)s) p
 where before_end is not null and before_end > period_start_at;

-- name: I7_nothing_due_is_unbilled
-- No living subscription's period has ended more than an hour ago (of its own clock) without work for it being due.
select s.account_id, s.id, 'period ended ' || s.current_period_end_at
  from subscriptions s
  left join test_clocks c on c.account_id = s.account_id and c.id = s.test_clock_id
 where (%(only)s::text is null or s.account_id = %(only)s)
   and s.status in ('active', 'past_due', 'trialing', 'unpaid')
   and s.current_period_end_at < coalesce(c.frozen_at, to_timestamp(%(now)s)) - interval '1 hour'
   and c.status is distinct from 'advancing'
   and not exists (select from due d where d.account_id = s.account_id and d.kind like 'subscription.%%' and d.subject = s.id
                      and d.parked_at is null and d.due_at <= s.current_period_end_at);

-- name: I8_a_living_subscription_has_its_next_renewal
-- What renews by itself has a row that says when.
select s.account_id, s.id, s.status || ' without due work'
  from subscriptions s
 where (%(only)s::text is null or s.account_id = %(only)s)
   and s.status in ('active', 'past_due', 'trialing', 'unpaid')
   and not exists (select from due d where d.account_id = s.account_id and d.kind like 'subscription.%%' and d.subject = s.id);

-- name: N1_credit_notes_are_the_invoices
-- What an invoice says was credited of it is what its notes say, and not more than its total.
select i.account_id, i.id, format('credited %%s before and %%s after payment, notes %%s and %%s, total %%s', i.pre_payment_credit_notes_amount,
         i.post_payment_credit_notes_amount, n.before, n.after, i.total)
  from invoices i
 cross join lateral (
   select coalesce(sum(pre_payment_amount), 0) as before, coalesce(sum(post_payment_amount), 0) as after, coalesce(sum(tax), 0) as tax,
          coalesce(sum(recognised), 0) as recognised
     from credit_notes n where n.account_id = i.account_id and n.invoice_id = i.id and n.status = 'issued') n
 where (%(only)s::text is null or i.account_id = %(only)s)
   and (i.pre_payment_credit_notes_amount <> n.before or i.post_payment_credit_notes_amount <> n.after
        or coalesce((i.doc->>'credited_tax')::bigint, 0) <> n.tax or coalesce((i.doc->>'credited_revenue')::bigint, 0) <> n.recognised
        or (n.before + n.after > 0 and n.before + n.after > i.total));

-- name: N2_no_line_is_credited_beyond_what_it_was
-- Of no invoice line, no rate on it and no shipping, notes take back more than it was.
with credited as (
  select c.account_id, c.invoice_line_item_id as id, sum(c.amount) as amount, sum(c.net) as net, sum(c.tax) as tax
    from credited_lines c join credit_notes n on n.account_id = c.account_id and n.id = c.credit_note_id and n.status = 'issued'
   where %(only)s::text is null or c.account_id = %(only)s group by 1, 2
), of_rates as (
  select c.account_id, c.invoice_line_item_id as id, t.key as rate, sum(t.value::bigint) as tax
    from credited_lines c join credit_notes n on n.account_id = c.account_id and n.id = c.credit_note_id and n.status = 'issued'
   cross join lateral jsonb_each_text(coalesce(c.doc->'taxes', '{}')) t
   where %(only)s::text is null or c.account_id = %(only)s group by 1, 2, 3
)
select l.account_id, l.id, format('credited %%s net and %%s tax of %%s and %%s', c.net, c.tax, l.net, l.tax)
  from credited c join invoice_line_items l on l.account_id = c.account_id and l.id = c.id
 where abs(c.amount) > abs(l.amount) or abs(c.net) > abs(l.net) or abs(c.tax) > abs(l.tax)
    or c.amount * l.amount < 0 or c.net * l.net < 0 or c.tax * l.tax < 0
union all
select i.account_id, i.id, format('credited %%s net and %%s tax of shipping, which is %%s', n.net, n.tax, i.doc->'shipped')
  from (select account_id, invoice_id, sum((doc->'shipped'->>'net')::bigint) as net, sum((doc->'shipped'->>'tax')::bigint) as tax
          from credit_notes where status = 'issued' and doc ? 'shipped' and (%(only)s::text is null or account_id = %(only)s)
         group by 1, 2) n
  join invoices i on i.account_id = n.account_id and i.id = n.invoice_id
 where n.net > coalesce((i.doc->'shipped'->>'net')::bigint, 0) or n.tax > coalesce((i.doc->'shipped'->>'tax')::bigint, 0)
union all
select r.account_id, r.id, format('credited %%s of the tax %%s', r.tax, r.rate)
  from of_rates r join invoice_line_items l on l.account_id = r.account_id and l.id = r.id
 where abs(r.tax) > (select coalesce(sum(abs((t->>'amount')::bigint)), 0) from jsonb_array_elements(coalesce(l.doc->'taxes', '[]')) t
                      where t->'tax_rate_details'->>'tax_rate' = r.rate);

-- name: N3_a_note_is_its_parts
-- A note is what it takes of the invoice's lines and shipping, what its own lines say, and what it gives back.
select n.account_id, n.id, format('net %%s tax %%s, of lines %%s and %%s, refunds %%s, its refunds %%s', n.net, n.tax, c.net, c.tax, n.refund_amount, r.amount)
  from credit_notes n
 cross join lateral (select coalesce((n.doc->'shipped'->>'net')::bigint, 0) as net, coalesce((n.doc->'shipped'->>'tax')::bigint, 0) as tax) s
 cross join lateral (select coalesce(sum(c.net), 0) + s.net as net, coalesce(sum(c.tax), 0) + s.tax as tax from credited_lines c
                      where c.account_id = n.account_id and c.credit_note_id = n.id) c
 cross join lateral (select count(*) as number, coalesce(sum(l.net), 0) as net, coalesce(sum(l.tax), 0) as tax from credit_note_line_items l
                      where l.account_id = n.account_id and l.credit_note_id = n.id) l
 cross join lateral (select coalesce(sum((r->>'amount_refunded')::bigint), 0) as amount
                       from jsonb_array_elements(coalesce(n.doc->'refunds', '[]')) r) r
 cross join lateral (select coalesce(-sum(b.amount), 0) as amount from customer_balance_transactions b
                      where b.account_id = n.account_id and b.id = n.doc->>'customer_balance_transaction' and b.credit_note_id = n.id) b
 where (%(only)s::text is null or n.account_id = %(only)s)
   and (n.net <> c.net or n.tax <> c.tax or n.refund_amount <> r.amount or n.credit_amount <> b.amount
        or (l.number > 0 and (l.net + s.net <> n.net or l.tax + s.tax <> n.tax)));

-- name: N4_notes_are_in_the_ledger
-- What the ledger took back by a note is the note: revenue and deferred revenue its net, and its tax; nothing once it is void.
with posted as (
  select p.account_id, p.source as id,
         sum(case when p.debit in ('credit_notes', 'deferred_revenue') then p.amount else 0 end
             - case when p.credit in ('credit_notes', 'deferred_revenue') then p.amount else 0 end)
           filter (where p.fact in ('issued', 'voided') and 'revenue' not in (p.debit, p.credit)) as net,
         sum(case when p.debit = 'tax_payable' then p.amount when p.credit = 'tax_payable' then -p.amount else 0 end) as tax
    from postings p join credit_notes n on n.account_id = p.account_id and n.id = p.source
   where %(only)s::text is null or p.account_id = %(only)s group by 1, 2
)
select n.account_id, n.id, format('%%s net %%s tax %%s, the ledger says %%s and %%s', n.status, n.net, n.tax, p.net, p.tax)
  from credit_notes n left join posted p on p.account_id = n.account_id and p.id = n.id
 where (%(only)s::text is null or n.account_id = %(only)s)
   and (coalesce(p.net, 0) <> case when n.status = 'void' then 0 else n.net end
        or coalesce(p.tax, 0) <> case when n.status = 'void' then 0 else n.tax end);

-- name: N5_refunds_promised_are_refunds_to_come
-- What the ledger says is promised by notes is what their refunds have not taken from the balance, or have come back with.
with promised as (
  select n.account_id, n.currency, sum((r->>'amount_refunded')::bigint) as amount
    from credit_notes n
   cross join lateral jsonb_array_elements(coalesce(n.doc->'refunds', '[]')) r
    join refunds f on f.account_id = n.account_id and f.id = r->>'refund'
   where (f.status = 'failed' or f.doc->>'balance_transaction' is null) and (%(only)s::text is null or n.account_id = %(only)s)
   group by 1, 2
), posted as (
  select account_id, currency, sum(case when credit = 'refunds_payable' then amount else -amount end) as amount
    from postings where 'refunds_payable' in (debit, credit) and (%(only)s::text is null or account_id = %(only)s) group by 1, 2
)
select account_id, currency, format('promised %%s, the ledger says %%s', coalesce(n.amount, 0), coalesce(p.amount, 0))
  from promised n full join posted p using (account_id, currency)
 where coalesce(n.amount, 0) <> coalesce(p.amount, 0);

-- name: C1_credit_grants_are_their_transactions
-- What is left of a credit grant is what its transactions come to.
select g.account_id, g.id, format('balance %%s, transactions %%s', g.balance, t.amount)
  from credit_grants g
 cross join lateral (
   select coalesce(sum(case when t.movement in ('credits_granted', 'credits_application_invoice_voided') then t.value else -t.value end), 0) as amount
     from credit_balance_transactions t where t.account_id = g.account_id and t.credit_grant_id = g.id) t
 where (%(only)s::text is null or g.account_id = %(only)s) and g.balance <> t.amount;

-- name: C2_prepaid_credits_are_the_ledgers
-- What customers have bought in advance and not used is the liability in the ledger, per customer and currency.
with held as (
  select account_id, customer_id, currency, sum(balance) as amount from credit_grants
   where category = 'paid' and balance > 0 and (%(only)s::text is null or account_id = %(only)s) group by 1, 2, 3
), posted as (
  select account_id, customer_id, currency, sum(case when credit = 'prepaid_credits' then amount else -amount end) as amount
    from postings where 'prepaid_credits' in (debit, credit) and (%(only)s::text is null or account_id = %(only)s) group by 1, 2, 3
)
select coalesce(h.account_id, p.account_id), coalesce(h.customer_id, p.customer_id),
       format('holds %%s %%s, the ledger says %%s', coalesce(h.amount, 0), coalesce(h.currency, p.currency), coalesce(p.amount, 0))
  from held h full join posted p using (account_id, customer_id, currency)
 where coalesce(h.amount, 0) <> coalesce(p.amount, 0);

-- name: C3_invoices_took_what_credits_gave
-- What an invoice shows as paid by billing credits is what the transactions took; a void invoice has given all of it back.
with moved as (
  select account_id, invoice_id, coalesce(sum(value) filter (where movement = 'credits_applied'), 0) as taken,
         coalesce(sum(value) filter (where movement = 'credits_application_invoice_voided'), 0) as returned
    from credit_balance_transactions
   where invoice_id is not null and (%(only)s::text is null or account_id = %(only)s) group by 1, 2
), shown as (
  select i.account_id, i.id as invoice_id, i.status = 'void' as is_void,
         (select sum((e ->> 'amount')::bigint) from jsonb_array_elements(i.doc -> 'total_pretax_credit_amounts') e
           where e ->> 'type' = 'credit_balance_transaction') as amount
    from invoices i
   where i.status <> 'draft' and (%(only)s::text is null or i.account_id = %(only)s)
     and i.doc -> 'total_pretax_credit_amounts' @> '[{"type": "credit_balance_transaction"}]'
)
select coalesce(m.account_id, s.account_id), coalesce(m.invoice_id, s.invoice_id),
       format('shows %%s, taken %%s, given back %%s', s.amount, m.taken, m.returned)
  from moved m full join shown s on s.account_id = m.account_id and s.invoice_id = m.invoice_id
 where s.amount is distinct from m.taken or m.returned <> case when s.is_void then m.taken else 0 end;

-- name: C4_credits_that_have_ended_are_gone
-- Nothing is left of a credit grant an hour (of its own clock) after its end.
select g.account_id, g.id, format('%%s left after %%s', g.balance, g.expires_at)
  from credit_grants g
  left join test_clocks c on c.account_id = g.account_id and c.id = g.test_clock_id
 where (%(only)s::text is null or g.account_id = %(only)s)
   and g.balance > 0 and g.expires_at < coalesce(c.frozen_at, to_timestamp(%(now)s)) - interval '1 hour'
   and c.status is distinct from 'advancing';

-- name: I9_schedule_and_subscription_agree
-- A subscription is managed by the schedule that it names, and an active schedule manages one that lives.
select coalesce(s.account_id, c.account_id), coalesce(s.id, c.id),
       format('names %%s (%%s), which manages %%s', s.schedule_id, c.status, c.subscription_id)
  from (select * from subscriptions
         where schedule_id is not null and status not in ('canceled', 'incomplete_expired')
           and (%(only)s::text is null or account_id = %(only)s)) s
  full join (select * from subscription_schedules
              where status = 'active' and (%(only)s::text is null or account_id = %(only)s)) c
    on c.account_id = s.account_id and c.id = s.schedule_id and c.subscription_id = s.id
 where s.id is null or c.id is null;

-- name: I10_a_schedule_has_its_next_phase_due
-- A row says when the next phase begins or the last one ends; the renewal before it may bring it back, and an agreed end is
-- the subscription's own work. A schedule that is still to pause or resume its subscription lets go of it after that.
select c.account_id, c.id, 'no work due for ' || c.next_at
  from subscription_schedules c
  left join subscriptions s on s.account_id = c.account_id and s.id = c.subscription_id
 where c.status in ('not_started', 'active') and (%(only)s::text is null or c.account_id = %(only)s)
   and not exists (select from due d where d.account_id = c.account_id and d.kind = 'schedule.phase' and d.subject = c.id
                      and d.due_at = c.next_at)
   and not exists (select from due d where d.account_id = c.account_id and d.subject = c.subscription_id
                      and d.kind = 'subscription.renew' and d.due_at < c.next_at and s.current_period_end_at < c.next_at)
   and (c.end_behavior = 'release' or s.cancel_at is distinct from c.next_at)
   and not (c.next_at = to_timestamp((c.doc->'agreed'->-1->>'end_date')::bigint)
            and c.doc @? '$.pause_schedules[*].**.type ? (@ == "scheduled" || @ == "pending" || @ == "requires_action")');

-- name: I11_the_present_phase_is_one_that_was_agreed
-- current_phase is a phase of the schedule, and ends when the next thing happens to it.
select account_id, id, 'is in ' || coalesce(doc->>'current_phase', 'no phase')
  from subscription_schedules
 where status = 'active' and (%(only)s::text is null or account_id = %(only)s)
   and (to_timestamp((doc->'current_phase'->>'end_date')::bigint) is distinct from next_at
        or not exists (select from jsonb_array_elements(doc->'agreed') a
                        where a->'start_date' = doc->'current_phase'->'start_date'
                          and a->'end_date' = doc->'current_phase'->'end_date'));

-- name: I14_a_schedule_has_its_pause_due
-- A pause or a resumption that is still to come by the clock is due work, unless the renewal before it brings it back.
select c.account_id, c.id, format('no work due for its %%s at %%s', p.kind, p.at)
  from subscription_schedules c
  left join subscriptions s on s.account_id = c.account_id and s.id = c.subscription_id
 cross join lateral jsonb_array_elements(coalesce(c.doc->'pause_schedules', '[]')) e
 cross join lateral (
   select 'pause' as kind, to_timestamp((e->'pause'->>'pause_at')::bigint) as at where e->'pause'->'status'->>'type' = 'scheduled'
   union all
   select 'resume', to_timestamp((e->'resume'->>'resume_at')::bigint)
    where e->'resume'->'status'->>'type' = 'scheduled' and e->'pause'->'status'->>'type' = 'succeeded') p
 where c.status in ('not_started', 'active') and (%(only)s::text is null or c.account_id = %(only)s)
   and not exists (select from due d where d.account_id = c.account_id and d.kind = 'schedule.pause' and d.subject = c.id
                      and (d.due_at = p.at or p.kind = 'pause' and d.due_at > p.at and s.doc->'held' is not null))
   and not exists (select from due d where d.account_id = c.account_id and d.subject = c.subscription_id
                      and d.kind = 'subscription.renew' and d.due_at < p.at and s.current_period_end_at < p.at);

-- name: I15_what_is_over_pauses_nothing
-- A schedule that has ended says what has become of its pause and its resumption.
select account_id, id, 'is ' || status
  from subscription_schedules
 where status not in ('not_started', 'active') and (%(only)s::text is null or account_id = %(only)s)
   and (doc @? '$.pause_schedules[*].pause.status.type ? (@ == "scheduled")'
        or doc @? '$.pause_schedules[*].resume.status.type ? (@ == "scheduled" || @ == "pending" || @ == "requires_action")');

-- name: I12_an_offer_expires
-- A row says when a quote that nobody has accepted expires.
select q.account_id, q.id, q.status || ' without due work for ' || q.expires_at
  from quotes q
 where q.status in ('draft', 'open') and (%(only)s::text is null or q.account_id = %(only)s)
   and not exists (select from due d where d.account_id = q.account_id and d.kind = 'quote.expire' and d.subject = q.id
                      and d.due_at = q.expires_at);

-- name: I13_an_offer_comes_to_its_lines
-- The total of a quote is that of its lines.
select q.account_id, q.id, format('total %%s, its lines %%s', q.amount_total, coalesce(l.total, 0))
  from quotes q
  left join (select account_id, quote_id, sum(coalesce((doc->>'amount_total')::bigint, 0)) as total
               from quote_line_items where not upfront group by 1, 2) l on l.account_id = q.account_id and l.quote_id = q.id
 where q.amount_total <> coalesce(l.total, 0) and (%(only)s::text is null or q.account_id = %(only)s);

-- name: P1_nobody_is_charged_twice
-- An invoice is paid by no more money than it asks, unless the excess went to the customer's credit.
select a.account_id, a.invoice_id, format('%%s charged in %%s attempts, %%s due, %%s overpaid', sum(a.amount), count(*), i.amount_due, i.amount_overpaid)
  from attempts a join invoices i on i.account_id = a.account_id and i.id = a.invoice_id
 where a.flow = 'authorize' and a.state = 'succeeded' and (%(only)s::text is null or a.account_id = %(only)s)
 group by a.account_id, a.invoice_id, i.amount_due, i.amount_overpaid
having sum(a.amount) > i.amount_due + i.amount_overpaid;

-- name: P2_every_movement_has_one_balance_transaction
-- A captured charge has exactly one balance transaction, a refund that left exactly one of its own.
select c.account_id, c.id, format('%%s balance transactions', count(b.id))
  from charges c
  left join balance_transactions b on b.account_id = c.account_id and b.source_id = c.id and b.type in ('charge', 'payment')
 where (%(only)s::text is null or c.account_id = %(only)s) and c.status = 'succeeded' and c.captured
 group by c.account_id, c.id having count(b.id) <> 1
union all
select r.account_id, r.id, format('%%s balance transactions', count(b.id))
  from refunds r
  left join balance_transactions b on b.account_id = r.account_id and b.source_id = r.id and b.type in ('refund', 'payment_refund')
 where (%(only)s::text is null or r.account_id = %(only)s) and r.status = 'succeeded'
 group by r.account_id, r.id having count(b.id) <> 1;

-- name: P3_refunds_stay_within_the_charge
-- Refunds do not exceed what was captured, and a charge counts exactly those that are not failed or canceled.
select c.account_id, c.id, format('captured %%s, refunded %%s, refunds %%s', c.amount_captured, c.amount_refunded, r.amount)
  from charges c
 cross join lateral (
   select coalesce(sum(r.amount), 0) as amount from refunds r
    where r.account_id = c.account_id and r.charge_id = c.id and r.status not in ('failed', 'canceled')) r
 where (%(only)s::text is null or c.account_id = %(only)s)
   and (c.amount_refunded <> r.amount or c.amount_refunded > c.amount_captured);

-- name: P4_no_unknown_is_forgotten
-- An attempt whose outcome is not known has work due that asks for it, or waits for a person.
select a.account_id, a.id, a.state || ' since ' || a.dispatched_at
  from attempts a
 where a.state in ('dispatched', 'unknown') and (%(only)s::text is null or a.account_id = %(only)s)
   and not exists (select from due d where d.account_id = a.account_id and d.kind = 'attempt.resolve' and d.subject = a.id)
   and (a.state <> 'dispatched' or a.id not in (select unnest(d.subjects) from due d where d.kind = 'attempt.look_after'));

-- name: P6_payouts_are_their_balance_transactions
-- An automatic payout is the sum of the balance transactions that it took.
select p.account_id, p.id, format('payout %%s, balance transactions %%s', p.amount, b.net)
  from payouts p
 cross join lateral (
   select coalesce(sum(b.net), 0) as net from balance_transactions b
    where b.account_id = p.account_id and b.payout_id = p.id and b.type not like 'payout%%') b
 where p.automatic and p.status in ('pending', 'in_transit', 'paid') and p.amount <> b.net
   and (%(only)s::text is null or p.account_id = %(only)s);

-- name: P7_intents_agree_with_charges
-- A payment intent has received what its charges captured.
select p.account_id, p.id, format('received %%s, charges %%s', p.amount_received, c.amount)
  from payment_intents p
 cross join lateral (
   select coalesce(sum(c.amount_captured), 0) as amount from charges c
    where c.account_id = p.account_id and c.payment_intent_id = p.id and c.status = 'succeeded') c
 where p.status = 'succeeded' and p.amount_received <> c.amount and (%(only)s::text is null or p.account_id = %(only)s);

-- name: E1_paid_invoices_said_so_once
-- Every paid invoice has exactly one invoice.paid event.
select i.account_id, i.id, format('%%s invoice.paid events', count(e.id))
  from invoices i left join each_event e on e.account_id = i.account_id and e.object_id = i.id and e.type = 'invoice.paid'
 where i.status = 'paid' and (%(only)s::text is null or i.account_id = %(only)s)
 group by i.account_id, i.id having count(e.id) <> 1;

-- name: E2_events_have_their_snapshots
-- An event that holds no frame of its own names an earlier one that holds it.
select e.account_id, e.id, 'its snapshot is gone'
  from events e left join events h on h.account_id = e.account_id and h.id = e.held_by and h.data is not null
 where e.data is null and (h.id is null or h.id >= e.id) and (%(only)s::text is null or e.account_id = %(only)s);

-- name: R1_what_is_named_is_there
-- What the billing run writes names a customer, a subscription and a price that are there. No foreign key says so: they are
-- never deleted.
select w.account_id, w.id, format('there is no %%s', concat_ws(', ', w.customer_id, w.subscription_id, w.price_id))
  from (select account_id, id, customer_id, subscription_id, null as price_id from invoices
         union all select account_id, id, customer_id, null, null from payment_intents
         union all select account_id, id, customer_id, subscription_id, price_id from usage_periods) w
  left join customers c on c.account_id = w.account_id and c.id = w.customer_id
  left join subscriptions s on s.account_id = w.account_id and s.id = w.subscription_id
  left join prices p on p.account_id = w.account_id and p.id = w.price_id
 where (%(only)s::text is null or w.account_id = %(only)s)
   and ((w.customer_id is not null and c.id is null) or (w.subscription_id is not null and s.id is null)
        or (w.price_id is not null and p.id is null));

-- name: S1_no_request_runs_for_ever
-- No idempotency key has been running for more than an hour.
select account_id, key, 'running since ' || created_at from idempotency_keys
 where state = 'running' and created_at < to_timestamp(%(now)s) - interval '1 hour' and (%(only)s::text is null or account_id = %(only)s);

-- name: S4_nothing_is_parked
-- Due work that was given up waits for a person.
select account_id, kind || ' ' || subject, coalesce(error, 'parked') from due
 where parked_at is not null and (%(only)s::text is null or account_id = %(only)s);

-- name: A1_access_follows_subscriptions
-- A customer has exactly the features of the products that they subscribe to; products just changed are followed shortly.
with wanted as (
  select distinct s.account_id, s.customer_id, pf.feature_id
    from product_features pf
    join prices p on p.account_id = pf.account_id and p.product_id = pf.product_id
    join subscription_items i on i.account_id = p.account_id and i.price_id = p.id
    join subscriptions s on s.account_id = i.account_id and s.id = i.subscription_id
   where s.status in ('trialing', 'active', 'past_due') and (%(only)s::text is null or s.account_id = %(only)s)
), had as (
  select account_id, customer_id, feature_id from active_entitlements where %(only)s::text is null or account_id = %(only)s
)
select coalesce(w.account_id, h.account_id), coalesce(w.customer_id, h.customer_id),
       coalesce(w.feature_id, h.feature_id) || case when w.feature_id is null then ' without a subscription' else ' is not given' end
  from wanted w full join had h using (account_id, customer_id, feature_id)
 where (w.feature_id is null or h.feature_id is null)
   and not exists (select from due d where d.account_id = coalesce(w.account_id, h.account_id) and d.kind = 'entitlements.follow');

-- name: T1_taxes_have_their_rates
-- Every tax on a line and on shipping names a tax rate that is there: its jurisdiction is what the tax is reported by.
with taxed as (
  select account_id, id, doc -> 'taxes' as taxes from invoice_line_items where doc ? 'taxes'
  union all
  select account_id, id, doc -> 'shipped' -> 'taxes' from invoices where doc -> 'shipped' ? 'taxes'
)
select l.account_id, l.id, 'names the tax rate ' || (t.tax -> 'tax_rate_details' ->> 'tax_rate')
  from taxed l
  cross join lateral jsonb_array_elements(l.taxes) as t(tax)
  left join tax_rates r on r.account_id = l.account_id and r.id = t.tax -> 'tax_rate_details' ->> 'tax_rate'
 where r.id is null and (%(only)s::text is null or l.account_id = %(only)s);

-- name: T2_no_tax_is_unknown
-- No invoice was finalized whose automatic tax was not known.
select account_id, id, format('is %%s, its automatic tax %%s', status, coalesce(doc -> 'automatic_tax' ->> 'status', 'unknown'))
  from invoices
 where status <> 'draft' and (doc -> 'automatic_tax' ->> 'enabled')::boolean
   and doc -> 'automatic_tax' ->> 'status' is distinct from 'complete'
   and (%(only)s::text is null or account_id = %(only)s);

-- name: T3_remote_taxes_were_answered
-- What a tax provider over a network said of an invoice that was finalized is kept, and will not be pruned.
select i.account_id, i.id, format('rests on %%s of %%s', i.doc -> 'tax_evidence' ->> 'answer', i.doc -> 'tax_evidence' ->> 'provider')
  from invoices i
  left join tax_answers a on a.account_id = i.account_id and a.provider = i.doc -> 'tax_evidence' ->> 'provider'
                         and a.fingerprint = i.doc -> 'tax_evidence' ->> 'answer'
 where i.status <> 'draft' and i.doc -> 'tax_evidence' ? 'answer' and a.needed is not true
   and (%(only)s::text is null or i.account_id = %(only)s);

-- name: U1_hours_are_the_sums_of_their_events
-- What is kept of each hour of a meter's usage is what its events, without those taken back, add up to. Of all hours, or of
-- those that events have come into since %(usage_since)s: nothing else changes an hour, but taking back what came into it.
with hours as (
  select account_id, series_id, date_bin('1 hour', at, timestamptz 'epoch') as hour_at
    from meter_events
   where series_id is not null and received_at >= to_timestamp(%(usage_since)s) and (%(only)s::text is null or account_id = %(only)s)
   union
  select account_id, series_id, hour_at
    from usage_rollups where %(usage_since)s = 0 and (%(only)s::text is null or account_id = %(only)s)
), counted as (
  select h.account_id, h.series_id, h.hour_at, count(*) as events, sum(e.value) as total, max(e.value) as most,
         max(array[extract(epoch from e.at), extract(epoch from e.received_at), e.value]) as last
    from hours h
    join meter_events e on e.account_id = h.account_id and e.series_id = h.series_id and e.canceled_at is null
     and e.at >= h.hour_at and e.at < h.hour_at + interval '1 hour'
   group by 1, 2, 3
), kept as (
  select k.* from hours h join usage_rollups k using (account_id, series_id, hour_at)
)
select coalesce(c.account_id, k.account_id), coalesce(c.series_id, k.series_id)::text,
       format('hour %%s: %%s events sum to %%s, kept are %%s and %%s', hour_at, coalesce(c.events, 0), coalesce(c.total, 0),
              coalesce(k.events, 0), coalesce(k.total, 0))
  from counted c full join kept k using (account_id, series_id, hour_at)
 where (c.events, c.total, c.most, c.last) is distinct from (k.events, k.total, k.most, k.last);

-- name: U2_values_are_those_of_their_events
-- The different values of each hour are those that its events have; of all hours, or of the same as before.
with hours as (
  select account_id, series_id, date_bin('1 hour', at, timestamptz 'epoch') as hour_at
    from meter_events
   where text_value is not null and received_at >= to_timestamp(%(usage_since)s) and (%(only)s::text is null or account_id = %(only)s)
   union
  select account_id, series_id, hour_at
    from usage_values where %(usage_since)s = 0 and (%(only)s::text is null or account_id = %(only)s)
), counted as (
  select h.account_id, h.series_id, h.hour_at, e.text_value as value, count(*) as events
    from hours h
    join meter_events e on e.account_id = h.account_id and e.series_id = h.series_id and e.canceled_at is null
     and e.at >= h.hour_at and e.at < h.hour_at + interval '1 hour'
   group by 1, 2, 3, 4
), kept as (
  select k.* from hours h join usage_values k using (account_id, series_id, hour_at) where k.events > 0
)
select coalesce(c.account_id, k.account_id), coalesce(c.series_id, k.series_id)::text,
       format('hour %%s: %%s events have the value %%s, kept are %%s', hour_at, coalesce(c.events, 0), value, coalesce(k.events, 0))
  from counted c full join kept k using (account_id, series_id, hour_at, value)
 where c.events is distinct from k.events;

-- name: U3_events_are_of_a_series
-- Every event that counts is of a series of its own account; of all events, or of the new ones.
select e.account_id, e.identifier, 'its series ' || e.series_id || ' is not there'
  from meter_events e
  left join usage_series s on s.account_id = e.account_id and s.id = e.series_id
 where e.series_id is not null and s.id is null
   and e.received_at >= to_timestamp(%(usage_since)s) and (%(only)s::text is null or e.account_id = %(only)s);

-- name: U4_no_event_is_there_twice
-- An identifier is stored once for each meter that counts it, and for no meter twice; of all events, or of the new ones, each
-- looked for by its digests (`offset 0`: by itself, since the planner takes a range of them for many).
with new as (
  select distinct event_digest(account_id, identifier, 0::smallint) as first, event_digest(account_id, identifier, 32767::smallint) as last
    from meter_events
   where %(usage_since)s > 0 and received_at >= to_timestamp(%(usage_since)s) and (%(only)s::text is null or account_id = %(only)s)
), stored as (
  select account_id, identifier, place, series_id
    from meter_events where %(usage_since)s = 0 and (%(only)s::text is null or account_id = %(only)s)
   union all
  select e.account_id, e.identifier, e.place, e.series_id
    from new cross join lateral (select * from meter_events where digest between new.first and new.last offset 0) e
)
select account_id, identifier, format('stored %%s times, for %%s series', count(*), count(distinct series_id))
  from stored
 group by account_id, identifier
having count(*) > greatest(count(distinct place), 1) or count(*) > greatest(count(distinct series_id), 1);

-- name: U5_events_are_known_by_their_digests
-- What tells events apart is made of their account, identifier and place; of all events, or of the new ones.
select account_id, identifier, format('place %%s has the digest %%s', place, digest)
  from meter_events
 where digest <> event_digest(account_id, identifier, place)
   and received_at >= to_timestamp(%(usage_since)s) and (%(only)s::text is null or account_id = %(only)s);

-- name: M1_usage_periods_do_not_overlap
-- No second of an item's usage is billed in two periods.
select account_id, subscription_item_id, format('a period starts %%s, the one before ends %%s', period_start_at, before_end)
  from (select account_id, subscription_item_id, period_start_at,
               lag(period_end_at) over (partition by account_id, subscription_item_id order by period_start_at) as before_end
          from usage_periods where %(only)s::text is null or account_id = %(only)s) p
 where before_end > period_start_at;

-- name: M2_usage_is_billed_once
-- One line at most bills a period of usage from nothing on; all others bill what came after it.
select account_id, doc->'usage'->>'usage_period', count(*) || ' lines bill it from nothing on'
  from invoice_line_items
 where (%(only)s::text is null or account_id = %(only)s) and doc ? 'usage' and doc->'usage'->>'before' is null
 group by account_id, doc->'usage'->>'usage_period'
having count(*) > 1;

-- name: M3_lines_of_usage_are_what_it_costs
-- Where nobody has edited or removed one, the lines of a period come to what its whole usage costs.
with drawn as (
  select account_id, doc->'usage'->>'usage_period' as id, sum(amount) as amount,
         sum((doc->'usage'->>'quantity')::numeric - coalesce((doc->'usage'->>'before')::numeric, 0)) as quantity,
         count(*) filter (where doc->'usage'->>'before' is null) as first
    from invoice_line_items
   where (%(only)s::text is null or account_id = %(only)s) and doc ? 'usage'
   group by 1, 2
)
select p.account_id, p.id, format('costs %%s, lines %%s', p.amount, d.amount)
  from usage_periods p join drawn d on d.account_id = p.account_id and d.id = p.id
 where d.first = 1 and d.quantity = p.quantity and d.amount <> p.amount;

-- name: M4_thresholds_are_looked_at
-- A subscription with a threshold of its own or of an item is marked as such, so that usage of it is noticed.
select s.account_id, s.id, 'has thresholds that nobody looks at'
  from subscriptions s
 where (%(only)s::text is null or s.account_id = %(only)s) and not s.has_thresholds
   and (s.doc->'billing_thresholds'->>'amount_gte' is not null
        or exists (select from subscription_items i
                    where i.account_id = s.account_id and i.subscription_id = s.id and i.doc ? 'billing_thresholds'));

-- name: K1_minimums_are_billed
-- What an interval of a contract's minimum lacked is what the lines for it come to, on invoices that still stand.
select p.account_id, p.id, format('lacked %%s, billed %%s', p.charged, coalesce(b.amount, 0))
  from commitment_periods p
  left join (
    select l.account_id, l.doc->>'commitment' as period, sum(l.amount) as amount
      from invoice_line_items l
      join invoices i on i.account_id = l.account_id and i.id = l.invoice_id and i.status <> 'void'
     where l.doc ? 'commitment' and (%(only)s::text is null or l.account_id = %(only)s) group by 1, 2) b
    on b.account_id = p.account_id and b.period = p.id
 where (%(only)s::text is null or p.account_id = %(only)s) and p.charged <> coalesce(b.amount, 0)
   and not exists (select from invoices i join invoice_line_items l on l.account_id = i.account_id and l.invoice_id = i.id
                    where i.account_id = p.account_id and i.subscription_id = p.subscription_id and i.status = 'void'
                      and l.doc->>'commitment' = p.id);

-- name: R2_migrations_count_their_subscriptions
-- What a price migration says of its cohort is what the rows of the cohort say; one that is completed has nothing pending.
select m.account_id, m.id, format('counts %%s, rows %%s', m.doc -> 'subscriptions', to_jsonb(r))
  from price_migrations m
 cross join lateral (
   select count(*) as total, count(*) filter (where s.status = 'moved') as moved,
          count(*) filter (where s.status = 'failed') as failed, count(*) filter (where s.status = 'skipped') as skipped,
          count(*) filter (where s.status = 'pending') as pending
     from price_migration_subscriptions s where s.account_id = m.account_id and s.migration_id = m.id) r
 where (%(only)s::text is null or m.account_id = %(only)s)
   and (coalesce(m.doc -> 'subscriptions', '{"total": 0, "moved": 0, "failed": 0, "skipped": 0}')
          <> to_jsonb(r) - 'pending'
        or (m.status = 'completed' and r.pending > 0));

-- name: R3_recurring_revenue_is_its_movements
-- What a subscription is worth a month is what its movements come to.
select s.account_id, s.subscription_id, format('is worth %%s a month, its movements come to %%s', s.amount, coalesce(m.amount, 0))
  from mrr_subscriptions s
  left join (select account_id, subscription_id, sum(case when kind in ('contraction', 'churn') then -amount else amount end) as amount
               from mrr_movements where %(only)s::text is null or account_id = %(only)s group by 1, 2) m
    on m.account_id = s.account_id and m.subscription_id = s.subscription_id
 where (%(only)s::text is null or s.account_id = %(only)s) and s.amount <> coalesce(m.amount, 0);

-- name: R4_parts_have_their_whole
-- A line and a payment of an invoice belong to one that is there, and so does an attempt at a payment intent. They are written with
-- it; no foreign key says so.
select w.account_id, w.id, format('there is no %%s', w.whole)
  from (select l.account_id, l.id, l.invoice_id as whole from invoice_line_items l
          left join invoices i on i.account_id = l.account_id and i.id = l.invoice_id where i.id is null
         union all
        select p.account_id, p.id, p.invoice_id from invoice_payments p
          left join invoices i on i.account_id = p.account_id and i.id = p.invoice_id where i.id is null
         union all
        select a.account_id, a.id, a.payment_intent_id from attempts a
          left join payment_intents p on p.account_id = a.account_id and p.id = a.payment_intent_id
         where a.payment_intent_id is not null and p.id is null) w
 where %(only)s::text is null or w.account_id = %(only)s;
