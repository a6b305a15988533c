-- name: books
-- What the ledger still holds as deferred of an invoice, and the last month that was recognised of it.
select coalesce(sum(case when credit = 'deferred_revenue' then amount else -amount end), 0)::bigint,
       max(substring(fact from 'recognised:([0-9]{4}-[0-9]{2})$')) filter (where source = invoice_id)
  from postings
 where account_id = %(account)s and invoice_id = %(invoice)s and (debit = 'deferred_revenue' or credit = 'deferred_revenue');

-- name: taken
-- How much of deferred revenue each of these refunds has taken.
select source, sum(case when debit = 'deferred_revenue' then amount else -amount end)::bigint from postings
 where account_id = %(account)s and source = any(%(refunds)s) and (debit = 'deferred_revenue' or credit = 'deferred_revenue')
 group by source;

-- name: invoice_of
-- The invoice of a credit note: to be locked, with its customer, before anything of it changes.
select invoice_id from credit_notes where account_id = %(account)s and id = %(id)s;

-- name: count
-- How many notes an invoice has had, void ones too: the next one's number.
select count(*) from credit_notes where account_id = %(account)s and invoice_id = %(invoice)s;
