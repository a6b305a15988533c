-- name: look
-- What is known of a key, and whether nobody else is carrying it out (the lock ends with the transaction).
select k.request_hash, k.state, k.request_id, k.status, k.body, k.subject, k.created_at,
       pg_try_advisory_xact_lock(hashtextextended(%(account)s || ' ' || %(key)s, 0)) as free
  from (select 1) one left join idempotency_keys k on k.account_id = %(account)s and k.key = %(key)s;

-- name: keep
-- The answer of a request that is done, in the transaction of its effect.
insert into idempotency_keys (account_id, key, request_hash, request_id, created_at, state, status, body)
values (%(account)s, %(key)s, %(hash)s, %(request)s, to_timestamp(%(wall)s), 'done', %(status)s, %(body)s);

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
