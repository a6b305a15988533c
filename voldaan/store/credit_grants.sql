-- name: unused
-- How many grants a customer has that are not used up, ended or taken back.
select count(*) from credit_grants
 where account_id = %(account)s and customer_id = %(customer)s and balance > 0 and voided_at is null
   and (expires_at is null or expires_at > to_timestamp(%(now)s));

-- name: customers_of
-- Whose grants these are: to be locked before anything of theirs changes.
select distinct customer_id from credit_grants where account_id = %(account)s and id = any(%(ids)s);
