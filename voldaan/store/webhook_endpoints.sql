-- name: count
-- How many endpoints the account has.
select count(*) from webhook_endpoints where account_id = %(account)s;
