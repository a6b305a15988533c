-- name: last_sequence
-- The number of the latest quote that was finalized for a customer, whose row is locked.
select coalesce(max(sequence), 0) from quotes where account_id = %(account)s and customer_id = %(customer)s;

-- name: last_revision
-- Of a quote that was revised: the latest one that was finalized.
select coalesce(max(revision), 0) from quotes
 where account_id = %(account)s and customer_id = %(customer)s and sequence = %(sequence)s;
