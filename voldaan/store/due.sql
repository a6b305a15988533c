-- name: insert
-- Adds due work, given as a JSON array of arrays; what is already there stays as it is.
insert into due (account_id, kind, subject, due_at, clock_id)
select %(account)s, d->>0, d->>1, to_timestamp((d->>2)::bigint), d->>3
  from jsonb_array_elements(%(rows)s) d
    on conflict do nothing;

-- name: cancel
-- Takes back due work that has lost its reason.
delete from due d
 using unnest(%(kinds)s::text[], %(subjects)s::text[]) as c(kind, subject)
 where d.account_id = %(account)s and d.kind = c.kind and d.subject = c.subject;
