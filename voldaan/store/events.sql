-- name: insert_events
-- Writes a small batch of events, given as a JSON array of arrays; the snapshot arrives as hex.
insert into events (account_id, id, type, created_at, recorded_at, object_id, request_id, idempotency_key, data)
select %(account)s, e->>0, e->>1, to_timestamp((e->>2)::bigint), to_timestamp((e->>3)::bigint), e->>4, e->>5, e->>6, decode(e->>7, 'hex')
  from jsonb_array_elements(%(rows)s) e;

-- name: insert_deliveries
-- Makes a due delivery for every new event and every enabled endpoint that wants its type. Deliveries run in real time.
insert into due (account_id, kind, subject, due_at)
select %(account)s, 'webhook.deliver', e.id || ':' || w.id, to_timestamp(%(wall)s)
  from unnest(%(ids)s::text[], %(types)s::text[]) as e(id, type)
  join webhook_endpoints w on w.account_id = %(account)s and w.status = 'enabled'
   and (w.enabled_events ? '*' or w.enabled_events ? e.type);
