-- name: insert_events
-- Writes the rows of a small batch of events, given as a JSON array of arrays; the snapshots arrive in base64.
insert into events (account_id, created_at, recorded_at, id, type, object_id, request_id, idempotency_key, data, held_by, place,
                    more_types, more_objects)
select %(account)s, to_timestamp(%(now)s), to_timestamp(%(wall)s), e->>0, e->>1, e->>2, e->>3, e->>4,
       decode(e->>5, 'base64'), e->>6, (e->>7)::smallint,
       case when e->8 <> 'null' then array(select jsonb_array_elements_text(e->8)) end,
       case when e->9 <> 'null' then array(select jsonb_array_elements_text(e->9)) end
  from jsonb_array_elements(%(rows)s) e;

-- name: insert_deliveries
-- Makes a due delivery for every new event and every enabled endpoint that wants its type. Deliveries run in real time.
insert into due (account_id, kind, subject, due_at)
select %(account)s, 'webhook.deliver', e.id || ':' || w.id, to_timestamp(%(wall)s)
  from unnest(%(ids)s::text[], %(types)s::text[]) as e(id, type)
  join webhook_endpoints w on w.account_id = %(account)s and w.status = 'enabled'
   and (w.enabled_events ? '*' or w.enabled_events ? e.type);

-- name: has_endpoints
-- Whether anybody wants to be told of events at all.
select 1 from webhook_endpoints where account_id = %(account)s and status = 'enabled' limit 1;

-- name: insert_tries
-- Remembers tries of webhook deliveries.
insert into webhook_deliveries (account_id, event_id, endpoint_id, try, at, result, status, elapsed_ms)
select %(account)s, d.event, d.endpoint, d.try, to_timestamp(%(now)s), d.result, d.status, d.elapsed
  from unnest(%(events)s::text[], %(endpoints)s::text[], %(tries)s::int[], %(results)s::text[], %(statuses)s::int[], %(elapsed)s::int[])
       as d(event, endpoint, try, result, status, elapsed)
    on conflict do nothing;

-- name: read
-- Events with the number of deliveries that are still to be made. Their subjects are put together beforehand (`offset 0`):
-- under row-level security only a bare comparison finds its index.
select e.id, e.type, e.created_at, e.request_id, e.idempotency_key, e.data, e.place,
       (select count(*)
          from (select e.id || ':' || w.id as subject from webhook_endpoints w where w.account_id = %(account)s offset 0) s
          join due d on d.account_id = %(account)s and d.kind = 'webhook.deliver' and d.subject = s.subject
         where d.parked_at is null)
  from each_event e
 where e.account_id = %(account)s and e.row_id = any(array(select event_row(i) from unnest(%(ids)s::text[]) i)) and e.id = any(%(ids)s);

-- name: exists
-- Whether a cursor is an event of this account.
select 1 from each_event where account_id = %(account)s and row_id = event_row(%(id)s) and id = %(id)s;

-- name: page
-- Ids of events from one on, newest first.
select e.id from each_event e
 where e.account_id = %(account)s
   and (%(types)s::text[] is null or e.type like any(%(types)s))
   and e.row_id <= %(after)s and e.id < %(after)s
   and (%(gte)s::bigint is null or e.created_at >= to_timestamp(%(gte)s))
   and (%(lt)s::bigint is null or e.created_at < to_timestamp(%(lt)s))
   and (%(delivered)s::boolean is null or %(delivered)s <> (
        exists (select from (select e.id || ':' || w.id as subject from webhook_endpoints w
                              where w.account_id = %(account)s offset 0) s
                  join due d on d.account_id = %(account)s and d.kind = 'webhook.deliver' and d.subject = s.subject)
        or exists (select from webhook_deliveries w where w.account_id = e.account_id and w.event_id = e.id
                    group by w.endpoint_id having bool_and(w.result <> 'delivered'))))
 order by e.row_id desc, e.nth desc limit %(limit)s;

-- name: page_back
-- Ids of events before (newer than) one, oldest first.
select e.id from each_event e
 where e.account_id = %(account)s
   and (%(types)s::text[] is null or e.type like any(%(types)s))
   and e.row_id >= event_row(%(before)s) and e.id > %(before)s
   and (%(gte)s::bigint is null or e.created_at >= to_timestamp(%(gte)s))
   and (%(lt)s::bigint is null or e.created_at < to_timestamp(%(lt)s))
   and (%(delivered)s::boolean is null or %(delivered)s <> (
        exists (select from (select e.id || ':' || w.id as subject from webhook_endpoints w
                              where w.account_id = %(account)s offset 0) s
                  join due d on d.account_id = %(account)s and d.kind = 'webhook.deliver' and d.subject = s.subject)
        or exists (select from webhook_deliveries w where w.account_id = e.account_id and w.event_id = e.id
                    group by w.endpoint_id having bool_and(w.result <> 'delivered'))))
 order by e.row_id, e.nth limit %(limit)s;
