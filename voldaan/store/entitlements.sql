-- name: differences
-- What these customers should have and do not, and what they have and should not.
with wanted as (
  select distinct s.customer_id, f.id as feature_id, f.lookup_key
    from subscriptions s
    join subscription_items i on i.account_id = s.account_id and i.subscription_id = s.id
    join prices p on p.account_id = i.account_id and p.id = i.price_id
    join product_features pf on pf.account_id = p.account_id and pf.product_id = p.product_id
    join features f on f.account_id = pf.account_id and f.id = pf.feature_id
   where s.account_id = %(account)s and s.customer_id = any(%(customers)s) and s.status = any(%(statuses)s)
), had as (
  select customer_id, feature_id, lookup_key, id from active_entitlements
   where account_id = %(account)s and customer_id = any(%(customers)s)
)
select coalesce(w.customer_id, h.customer_id), coalesce(w.feature_id, h.feature_id), coalesce(w.lookup_key, h.lookup_key), h.id
  from wanted w full join had h on h.customer_id = w.customer_id and h.feature_id = w.feature_id
 where w.feature_id is null or h.feature_id is null
 order by 1, 2;

-- name: stale_of_product
-- Customers who have to do with a product and have not what they should, after the product's features have changed.
with own as (
  select distinct s.customer_id
    from prices p
    join subscription_items i on i.account_id = p.account_id and i.price_id = p.id
    join subscriptions s on s.account_id = i.account_id and s.id = i.subscription_id
   where p.account_id = %(account)s and p.product_id = %(product)s and s.status = any(%(statuses)s)
), wanted as (
  select distinct s.customer_id, pf.feature_id
    from own
    join subscriptions s on s.account_id = %(account)s and s.customer_id = own.customer_id and s.status = any(%(statuses)s)
    join subscription_items i on i.account_id = s.account_id and i.subscription_id = s.id
    join prices p on p.account_id = i.account_id and p.id = i.price_id
    join product_features pf on pf.account_id = p.account_id and pf.product_id = p.product_id
), had as (
  select e.customer_id, e.feature_id from own
    join active_entitlements e on e.account_id = %(account)s and e.customer_id = own.customer_id
)
select distinct coalesce(w.customer_id, h.customer_id)
  from wanted w full join had h on h.customer_id = w.customer_id and h.feature_id = w.feature_id
 where w.feature_id is null or h.feature_id is null
 order by 1 limit %(limit)s;
