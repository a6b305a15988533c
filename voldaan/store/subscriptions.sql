-- name: customers_of
-- The customers of these subscriptions: to be locked before anything of theirs changes.
select distinct customer_id from subscriptions where account_id = %(account)s and id = any(%(ids)s);

-- name: product_names
-- What lines call these products.
select id, name from products where account_id = %(account)s and id = any(%(ids)s);
