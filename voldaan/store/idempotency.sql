-- name: look
-- What is known of some keys, and whether nobody else is carrying them out (the locks end with the transaction).
select k.request_hash, k.state, k.request_id, k.status, k.body, k.subject, k.created_at,
       pg_try_advisory_xact_lock(hashtextextended(%(account)s || ' ' || asked.key, 0)) as free
  from unnest(%(keys)s::text[]) with ordinality asked(key, place)
  left join idempotency_keys k on k.account_id = %(account)s and k.key = asked.key
 order by asked.place;

-- name: keep
-- The answers of requests that are done, in the transaction of their effects.
insert into idempotency_keys (account_id, key, request_hash, request_id, created_at, state, status, body)
select %(account)s, d.key, d.hash, d.request, to_timestamp(%(wall)s), 'done', d.status, d.body
  from unnest(%(keys)s::text[], %(hashes)b::bytea[], %(requests)s::text[], %(statuses)s::int[], %(bodies)b::bytea[])
       as d(key, hash, request, status, body);

-- name: begin
-- A request that goes outside: the key is taken before, with the object to answer from if the process dies.
insert into idempotency_keys (account_id, key, request_hash, request_id, created_at, state, subject)
values (%(account)s, %(key)s, %(hash)s, %(request)s, to_timestamp(%(wall)s), 'running', %(subject)s);

-- name: finish
-- The answer of a request that went outside.
update idempotency_keys set state = 'done', status = %(status)s, body = %(body)s
 where account_id = %(account)s and key = %(key)s and state = 'running';

-- name: prune
-- Keys are remembered for a day at least.
delete from idempotency_keys where created_at < to_timestamp(%(before)s);
