-- name: insert
-- Adds due work, given as a JSON array of arrays; what is already there stays as it is.
insert into due (account_id, kind, subject, due_at, clock_id)
select %(account)s, d->>0, d->>1, to_timestamp((d->>2)::bigint), d->>3
  from jsonb_array_elements(%(rows)s) d
    on conflict do nothing;

-- name: insert_joined
-- Adds work that is one row for many, named after the first; given as a JSON array of [kind, instant, subjects].
insert into due (account_id, kind, subject, due_at, subjects)
select %(account)s, d->>0, d->2->>0, to_timestamp((d->>1)::bigint), array(select jsonb_array_elements_text(d->2))
  from jsonb_array_elements(%(rows)s) d
    on conflict do nothing;

-- name: cancel
-- Takes back due work that has lost its reason.
delete from due d
 using unnest(%(kinds)s::text[], %(subjects)s::text[]) as c(kind, subject)
 where d.account_id = %(account)s and d.kind = c.kind and d.subject = c.subject;

-- name: next_account
-- An account with work of a kind in real time that is due and free, what has been for longest first, from `skip` on (other
-- workers may hold the first). Work is found by when it became free, as the index due_by_time has it: what was tried and waits
-- is as if it were due later.
select account_id from due
 where kind = %(kind)s and clock_id is null and parked_at is null and greatest(due_at, leased_until) <= to_timestamp(%(now)s)
   and (leased_until is null or leased_until < to_timestamp(%(now)s))
   and account_id <> all(%(skip)s)
 order by greatest(due_at, leased_until) limit 1;

-- name: claim
-- Takes due work of one kind for this transaction: what another worker holds is skipped. No second column orders it:
-- a million renewals of one instant would be sorted for each batch. A locked row stays at its place.
select subject, due_at, subjects, ctid::text from due
 where account_id = %(account)s and kind = %(kind)s and clock_id is null and parked_at is null
   and greatest(due_at, leased_until) <= to_timestamp(%(now)s)
   and (leased_until is null or leased_until < to_timestamp(%(now)s))
 order by greatest(due_at, leased_until) limit %(limit)s
   for update skip locked;

-- name: claim_again
-- Takes those of a batch that failed which are still there, and free.
select d.subject, d.due_at, d.subjects, d.ctid::text
  from unnest(%(subjects)s::text[], %(times)s::bigint[]) as c(subject, at)
  join due d on d.account_id = %(account)s and d.kind = %(kind)s and d.subject = c.subject and d.due_at = to_timestamp(c.at)
 where d.parked_at is null and (d.leased_until is null or d.leased_until < to_timestamp(%(now)s))
   for update of d skip locked;

-- name: lease
-- Takes due work that calls the outside: the lease outlives the transaction, and ends by itself if the worker dies.
-- Materialized: it is taken once, whatever the planner thinks of the order of things.
with taken as materialized (
  select subject, due_at from due
   where account_id = %(account)s and kind = %(kind)s and clock_id is null and parked_at is null
     and greatest(due_at, leased_until) <= to_timestamp(%(now)s)
     and (leased_until is null or leased_until < to_timestamp(%(now)s))
   order by greatest(due_at, leased_until) limit %(limit)s for update skip locked)
update due d set lease = %(lease)s, leased_until = to_timestamp(%(until)s), tries = d.tries + 1
  from taken t
 where d.account_id = %(account)s and d.kind = %(kind)s and d.subject = t.subject and d.due_at = t.due_at
returning d.subject, d.due_at, d.tries;

-- name: done
-- Ends claimed work, in the transaction of the work: whoever asks for the same meanwhile finds it there until then, and need not wait.
delete from due
 where ctid = any(%(places)s::text[]::tid[]) and account_id = %(account)s and kind = %(kind)s;

-- name: done_on_clock
-- Ends work of a test clock.
delete from due d using unnest(%(subjects)s::text[], %(times)s::bigint[]) as c(subject, at)
 where d.account_id = %(account)s and d.kind = %(kind)s and d.subject = c.subject and d.due_at = to_timestamp(c.at);

-- name: done_leased
-- Ends leased work that is still ours.
delete from due where account_id = %(account)s and kind = %(kind)s and subject = any(%(subjects)s) and lease = %(lease)s;

-- name: postpone
-- Leased work that must be tried again later keeps its row.
update due d set leased_until = to_timestamp(c.until), lease = null, error = c.error
  from unnest(%(subjects)s::text[], %(until)s::bigint[], %(errors)s::text[]) as c(subject, until, error)
 where d.account_id = %(account)s and d.kind = %(kind)s and d.subject = c.subject and d.lease = %(lease)s;

-- name: failed
-- A row whose work raised: tried again after a pause that doubles, parked for a person after too many tries.
update due set tries = tries + 1, error = %(error)s, lease = null,
       leased_until = to_timestamp(%(now)s + least(2 ^ least(tries + 1, 30), %(pause_max)s)),
       parked_at = case when tries + 1 >= %(tries_max)s then to_timestamp(%(now)s) end
 where account_id = %(account)s and kind = %(kind)s and subject = %(subject)s and due_at = to_timestamp(%(due)s);

-- name: failed_leased
-- The same for leased work, which has counted its try already.
update due set error = %(error)s, lease = null,
       leased_until = to_timestamp(%(now)s + least(2 ^ least(tries, 30), %(pause_max)s)),
       parked_at = case when tries >= %(tries_max)s then to_timestamp(%(now)s) end
 where account_id = %(account)s and kind = %(kind)s and subject = %(subject)s and lease = %(lease)s;

-- name: clock_next
-- The earliest work on a test clock up to an instant; at one instant the kinds run in a fixed order.
select kind, due_at from due
 where account_id = %(account)s and clock_id = %(clock)s and parked_at is null and due_at <= to_timestamp(%(until)s)
 order by due_at, array_position(%(order)s::text[], kind), kind limit 1;

-- name: clock_claim
-- All work of one kind at one instant of a test clock.
select subject from due
 where account_id = %(account)s and clock_id = %(clock)s and kind = %(kind)s and parked_at is null
   and due_at = to_timestamp(%(at)s)
 order by subject limit %(limit)s
   for update;

-- name: clock_holds_lease
-- The advancing worker checks in each transaction that nobody took over, and stays the holder.
update due set leased_until = to_timestamp(%(until)s)
 where account_id = %(account)s and kind = 'test_clock.advance' and subject = %(clock)s and lease = %(lease)s;

-- name: clock_drop
-- A deleted test clock takes its future with it.
delete from due where account_id = %(account)s and clock_id = %(clock)s;

-- name: overview
-- The next due work, for people.
select kind, count(*), min(due_at), count(*) filter (where parked_at is not null), max(error)
  from due where account_id = %(account)s group by kind order by min(due_at);
