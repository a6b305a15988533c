-- name: insert
-- Writes thin events.
insert into core_events (account_id, id, type, created_at, related_type, related_id, data)
select %(account)s, x->>0, x->>1, to_timestamp(%(now)s), x->>2, x->>3, x->4
  from jsonb_array_elements(%(rows)s) x;

-- name: insert_deliveries
-- A due delivery for every endpoint that asks for the type by name: who asks for everything does not expect thin events.
insert into due (account_id, kind, subject, due_at)
select %(account)s, 'webhook.deliver', e.id || ':' || w.id, to_timestamp(%(wall)s)
  from unnest(%(ids)s::text[], %(types)s::text[]) as e(id, type)
  join webhook_endpoints w on w.account_id = %(account)s and w.status = 'enabled' and w.enabled_events ? e.type;

-- name: read
-- Thin events by id.
select id, type, created_at, related_type, related_id, data from core_events
 where account_id = %(account)s and id = any(%(ids)s);

-- name: page
-- Thin events, newest first, from one on.
select id, type, created_at, related_type, related_id, data from core_events
 where account_id = %(account)s
   and (%(types)s::text[] is null or type = any(%(types)s))
   and (%(object)s::text is null or related_id = %(object)s)
   and id < %(after)s
   and (%(gte)s::bigint is null or created_at >= to_timestamp(%(gte)s))
   and (%(lt)s::bigint is null or created_at < to_timestamp(%(lt)s))
 order by id desc limit %(limit)s;
