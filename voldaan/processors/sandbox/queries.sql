-- name: file
-- Writes a group of operations at once; what was filed before, under the same reference or key, is left out of the answer.
insert into sandbox_network.operations (
    processor_id, account_id, reference, idempotency_key, copy, flow, original, amount, currency, instrument, capture,
    state, decline, becomes, becomes_decline, becomes_at, fee, authentication, return_url, at)
select processor_id, account_id, reference, idempotency_key, copy, flow, original, amount, currency, instrument, capture,
       state, decline, becomes, becomes_decline, becomes_at, fee, authentication, return_url, at
  from json_to_recordset(%(operations)s::json) as o (
    processor_id text, account_id text, reference text, idempotency_key text, copy integer, flow text, original text,
    amount bigint, currency text, instrument text, capture text, state text, decline text, becomes text,
    becomes_decline text, becomes_at bigint, fee bigint, authentication text, return_url text, at bigint)
 order by account_id, reference
    on conflict do nothing
returning processor_id;

-- name: filed
-- What is already filed under these references or keys.
select o.*
  from json_to_recordset(%(asked)s::json) as a (account_id text, reference text, flow text, idempotency_key text)
  join sandbox_network.operations o on o.account_id = a.account_id and o.reference = a.reference and o.flow = a.flow
 union
select o.*
  from json_to_recordset(%(asked)s::json) as a (account_id text, reference text, flow text, idempotency_key text)
  join sandbox_network.operations o on o.account_id = a.account_id and o.idempotency_key = a.idempotency_key;

-- name: by_reference
-- One operation by the caller's reference; the first, should there be copies.
select *
  from sandbox_network.operations
 where account_id = %(account_id)s and reference = %(reference)s and flow = %(flow)s
 order by recorded_at, processor_id
 limit 1;

-- name: by_id
-- One operation.
select * from sandbox_network.operations where processor_id = %(processor_id)s;

-- name: lock_payments
-- The payments that these ids mean (a capture means the payment it captured), locked in id order.
select p.*
  from sandbox_network.operations p
 where p.processor_id in (
       select coalesce(case when o.flow = 'capture' then o.original end, o.processor_id)
         from sandbox_network.operations o
        where o.processor_id = any(%(ids)s))
 order by p.processor_id
   for update;

-- name: children
-- All captures, voids and refunds of these payments.
select * from sandbox_network.operations where original = any(%(ids)s) order by recorded_at, processor_id;

-- name: answers
-- What was said about these subjects, and about the disputes of these payments.
select subject, seq, kind, answer, at
  from sandbox_network.answers
 where subject = any(%(subjects)s)
 order by subject, seq;

-- name: answer
-- Adds an answer after those given before.
insert into sandbox_network.answers (subject, seq, kind, answer, at)
select %(subject)s, coalesce(max(seq), 0) + 1, %(kind)s, %(answer)s, %(at)s
  from sandbox_network.answers where subject = %(subject)s;

-- name: answer_once
-- Adds an answer that can be given only once: the first stands.
insert into sandbox_network.answers (subject, seq, kind, answer, at)
values (%(subject)s, 1, %(kind)s, %(answer)s, %(at)s)
    on conflict do nothing;

-- name: setups
-- Every setup of these payment methods, whatever became of it.
select * from sandbox_network.operations
 where flow = 'setup' and (account_id, instrument) in (
       select a.account_id, a.instrument
         from json_to_recordset(%(asked)s::json) as a (account_id text, instrument text));

-- name: account
-- Everything of one account, in the order it was recorded.
select * from sandbox_network.operations where account_id = %(account_id)s order by recorded_at, processor_id;
