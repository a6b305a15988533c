-- name: lock_customers
-- Locks the customers of these charges, in id order.
select c.id from customers c
 where c.account_id = %(account)s
   and c.id in (select h.customer_id from charges h where h.account_id = %(account)s and h.id = any(%(ids)s))
 order by c.id for no key update;

-- name: live
-- Charges that are just being captured or released.
select a.charge_id from attempts a
 where a.account_id = %(account)s and a.charge_id = any(%(ids)s) and a.flow in ('capture', 'void')
   and a.state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation');
