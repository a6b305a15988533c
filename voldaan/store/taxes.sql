-- name: lock
-- One change of settings, registrations or tax transactions at a time: what others there are is looked up and then relied on.
select id from accounts where account_id = %(account)s and id = %(account)s for no key update;

-- name: answers
-- What a provider over a network has answered to these questions.
select fingerprint, question, answer from tax_answers
 where account_id = %(account)s and provider = %(provider)s and fingerprint = any(%(fingerprints)s);

-- name: keep_answers
-- Keeps what it answered. Whoever asked the same at the same time was first: his answer stays the one.
insert into tax_answers (account_id, provider, fingerprint, question, answer, recorded_at)
select %(account)s, %(provider)s, f, q::jsonb, a::jsonb, to_timestamp(%(wall)s)
  from unnest(%(fingerprints)s::text[], %(questions)s::text[], %(answers)s::text[]) as t(f, q, a)
    on conflict do nothing;

-- name: need_answers
-- What finalized invoices rest on is needed for ever. Only the first to say so writes: the same answer serves many at once.
insert into tax_answers (account_id, provider, fingerprint, question, answer, recorded_at, needed)
select %(account)s, %(provider)s, f, q::jsonb, a::jsonb, to_timestamp(%(wall)s), true
  from unnest(%(fingerprints)s::text[], %(questions)s::text[], %(answers)s::text[]) as t(f, q, a)
 where not exists (select from tax_answers k
                    where k.account_id = %(account)s and k.provider = %(provider)s and k.fingerprint = t.f and k.needed)
    on conflict (account_id, provider, fingerprint) do update set needed = true;

-- name: prune_answers
-- Takes away what was answered before, and no finalized invoice needs.
delete from tax_answers where account_id = %(account)s and not needed and recorded_at < to_timestamp(%(before)s);

-- name: committed
-- Those of these calculations that became a tax transaction.
select distinct calculation_id from tax_transactions where account_id = %(account)s and calculation_id = any(%(calculations)s);

-- name: references
-- Those of these references that tax transactions have.
select reference from tax_transactions where account_id = %(account)s and reference = any(%(references)s);
