-- name: find
-- The key and its account, before anything else is known of the request.
select k.id, k.kind, {account}
  from api_keys k join accounts t on t.id = k.account_id
 where k.hash = %(hash)s and k.revoked_at is null;

-- name: insert
-- A new key; the key itself is not stored.
insert into api_keys (account_id, id, kind, hash, prefix, created_at)
values (%(account)s, %(id)s, %(kind)s, %(hash)s, %(prefix)s, to_timestamp(%(now)s));

-- name: find_session
-- A session of the event stream that is not over, before anything else is known of the request.
select s.id, 'session', {account}
  from meter_event_sessions s join accounts t on t.id = s.account_id
 where s.account_id = %(account)s and s.hash = %(hash)s and s.expires_at > to_timestamp(%(wall)s);
