-- name: make_secret
-- A secret of the pages, made once: whoever comes first.
insert into web_secrets (name, secret, created_at) values (%(name)s, %(secret)s, to_timestamp(%(now)s)) on conflict do nothing;

-- name: secret
-- A secret of the pages.
select secret from web_secrets where name = %(name)s;

-- name: begin_session
-- Somebody has signed in.
insert into web_sessions (account_id, hash, created_at, seen_at, expires_at)
values (%(account)s, %(hash)s, to_timestamp(%(now)s), to_timestamp(%(now)s), to_timestamp(%(expires)s));

-- name: session
-- A session that is still good: not too old, and used lately.
select created_at, seen_at from web_sessions
 where account_id = %(account)s and hash = %(hash)s
   and expires_at > to_timestamp(%(now)s) and seen_at > to_timestamp(%(idle_since)s);

-- name: seen
-- A person has used the session.
update web_sessions set seen_at = to_timestamp(%(now)s) where account_id = %(account)s and hash = %(hash)s;

-- name: end_session
-- Signed out; sessions of the account that have ended by themselves go with it.
delete from web_sessions where account_id = %(account)s and (hash = %(hash)s or expires_at <= to_timestamp(%(now)s));
