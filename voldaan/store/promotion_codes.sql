-- name: lock_book
-- The book itself, so that codes become active one after the other.
select id from accounts where id = %(account)s for no key update;

-- name: holder
-- An active code that the same customer could mean by the same letters: anybody's meets everybody's.
select id from promotion_codes
 where account_id = %(account)s and code_key = %(key)s and active and id <> %(id)s
   and (customer_id is null or %(customer)s::text is null or customer_id = %(customer)s)
 limit 1;

-- name: has_bought
-- Whether the customer has paid before, or been billed: drafts and void invoices do not count.
select exists (select from invoices where account_id = %(account)s and customer_id = %(customer)s
                  and status in ('open', 'paid', 'uncollectible'))
    or exists (select from charges where account_id = %(account)s and customer_id = %(customer)s and status = 'succeeded');
