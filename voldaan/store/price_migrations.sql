-- name: cohort
-- The subscriptions that have a price, or any price of a product but the new one, and meet the filter.
select s.id, s.customer_id, s.test_clock_id
  from subscriptions s
 where s.account_id = %(account)s and s.status not in ('canceled', 'incomplete_expired', 'incomplete')
   and exists (select from subscription_items i
                 join prices p on p.account_id = i.account_id and p.id = i.price_id
                where i.account_id = s.account_id and i.subscription_id = s.id and i.price_id <> %(to)s
                  and (i.price_id = %(price)s or p.product_id = %(product)s))
   and (%(customer)s::text is null or s.customer_id = %(customer)s)
   and (%(currency)s::text is null or s.currency = %(currency)s)
   and (%(collection_method)s::text is null or s.collection_method = %(collection_method)s)
   and s.created_at >= to_timestamp(%(from)s) and s.created_at < to_timestamp(%(until)s)
   and coalesce(s.doc -> 'metadata', '{}') @> %(metadata)s::jsonb
 order by s.id;

-- name: next_batch
-- Subscriptions of a migration that have not moved yet.
select id from price_migration_subscriptions
 where account_id = %(account)s and migration_id = %(migration)s and status = 'pending'
 order by id
 limit %(limit)s;
