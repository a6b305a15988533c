-- ── pages: who is signed in ─────────────────────────────────────────────────────────────────────────────────────────

-- What sign-in links are signed with: made at the first run, never shown. No policy follows, so business transactions
-- cannot read it; the pages do so as the owner.
create table web_secrets (
  name       text primary key,
  secret     bytea not null,
  created_at timestamptz not null
);
alter table web_secrets enable row level security;

create table web_sessions (
  account_id text not null constraint web_sessions_account references accounts,
  hash       bytea not null,              -- sha-256 of the cookie's token
  created_at timestamptz not null,
  seen_at    timestamptz not null,        -- by a person, not by a page that refreshes itself
  expires_at timestamptz not null,        -- however busy
  primary key (account_id, hash),
  constraint web_sessions_in_order check (created_at <= seen_at and created_at < expires_at)
);
alter table web_sessions enable row level security;
create policy web_sessions_account on web_sessions using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on web_sessions to voldaan_app;
