-- name: count
-- How many tax ids a customer has.
select count(*) from tax_ids where account_id = %(account)s and customer_id = %(customer)s;
