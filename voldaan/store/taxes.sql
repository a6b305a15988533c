-- name: lock
-- One change of settings or registrations at a time: what others there are is looked up and then relied on.
select id from accounts where account_id = %(account)s and id = %(account)s for no key update;
