-- name: lock
-- One change of settings or registrations at a time: what others there are is looked up and then relied on.
select id from accounts where account_id = %(account)s and id = %(account)s for no key update;

-- name: by_reference
-- Whether a tax transaction has this reference: there is one of each.
select id from tax_transactions where account_id = %(account)s and reference = %(reference)s;
