-- name: of_prefix
-- Who writes invoices under a prefix, among the deleted too: numbers are never given twice.
select id from customers where account_id = %(account)s and invoice_prefix = %(prefix)s;

-- name: running_subscriptions
-- What has to end when these customers are deleted.
select id from subscriptions
 where account_id = %(account)s and customer_id = any(%(customers)s) and status not in ('canceled', 'incomplete_expired')
 order by id;
