-- Voldaan's schema: the present truth, readable from top to bottom. migrations/ says how an older database gets here.

-- The role that business transactions run as: it owns nothing, so row-level security binds it.
do $$ begin
  if not exists (select from pg_roles where rolname = 'voldaan_app') then
    create role voldaan_app nologin;
  end if;
  execute format('grant voldaan_app to %I', current_user);
end $$;

-- What the billing run writes has no foreign key to accounts: its rows are written in a transaction of an account that was
-- read, no account is ever deleted, and a key costs 5 µs a row. What it changes has room left on its pages (fillfactor), so
-- that the new version lies beside the old one and no index is touched (docs/performance.md).

-- ── accounts: one book each ─────────────────────────────────────────────────────────────────────────────────────────

create table accounts (
  id               text primary key,
  account_id       text not null constraint accounts_is_itself check (account_id = id),
  livemode         boolean not null,
  business_name    text,
  country          text not null,
  default_currency text not null,
  created_at       timestamptz not null,
  doc              jsonb not null
);

create table api_keys (
  account_id  text not null constraint api_keys_account references accounts,
  id          text not null,
  kind        text not null check (kind in ('secret', 'publishable', 'restricted')),
  hash        bytea not null constraint api_keys_hash unique,   -- sha-256 of the key: looked up before the account is known
  prefix      text not null,                                    -- shown to people: sk_test_…abcd
  created_at  timestamptz not null,
  revoked_at  timestamptz,
  primary key (account_id, id)
);

create table idempotency_keys (
  account_id   text not null constraint idempotency_keys_account references accounts,
  key          text not null,
  request_hash bytea not null,       -- of method, path and parameters
  request_id   text not null,        -- of the request that ran
  created_at   timestamptz not null,
  state        text not null check (state in ('running', 'done')),
  subject      text,                 -- what the request made, to answer from when the process died before it could
  status       int,
  body         bytea,
  primary key (account_id, key),
  constraint idempotency_keys_done check ((state = 'done') = (status is not null and body is not null))
);

-- ── events: what happened, each with a snapshot of the object ───────────────────────────────────────────────────────

create table events (
  account_id      text not null,
  id              text not null,
  type            text not null,
  created_at      timestamptz not null,   -- business time
  recorded_at     timestamptz not null,
  object_id       text not null,
  request_id      text,
  idempotency_key text,
  data            bytea not null,         -- compressed JSON: {"object": …, "previous_attributes": …}
  primary key (account_id, id)
);
create index events_by_object on events (account_id, object_id, id);  -- one object's history

create table webhook_endpoints (
  account_id     text not null constraint webhook_endpoints_account references accounts,
  id             text not null,
  status         text not null check (status in ('enabled', 'disabled')),
  url            text not null,
  enabled_events jsonb not null,
  created_at     timestamptz not null,
  doc            jsonb not null,
  primary key (account_id, id)
);

-- One row per try; what is still to be tried is due work.
create table webhook_deliveries (
  account_id   text not null,
  event_id     text not null,
  endpoint_id  text not null,
  try          int not null,
  at           timestamptz not null,
  result       text not null,         -- delivered, refused, timed_out, …
  status       int,                   -- the HTTP status, if there was one
  elapsed_ms   int not null,
  primary key (account_id, event_id, endpoint_id, try),
  constraint webhook_deliveries_event foreign key (account_id, event_id) references events
);

-- ── due work: whatever happens by itself is a row that people can see ───────────────────────────────────────────────

create table due (
  account_id  text not null,
  kind        text not null,
  subject     text not null,
  due_at      timestamptz not null,
  clock_id    text,                    -- null: the wall clock; else a test clock, whose work runs strictly in order
  tries       int not null default 0,
  lease       text,                    -- token of the worker that has it, for work with a call to the outside
  leased_until timestamptz,
  error       text,                    -- why the last try failed
  parked_at   timestamptz,             -- given up: a person must look
  primary key (account_id, kind, subject, due_at)
);
-- Claims: the wall clock's next work of a kind, and a test clock's next work of any kind.
create index due_by_time on due (kind, due_at) where clock_id is null and parked_at is null;
create index due_by_clock on due (account_id, clock_id, due_at) where clock_id is not null and parked_at is null;

create table test_clocks (
  account_id   text not null constraint test_clocks_account references accounts,
  id           text not null,
  status       text not null check (status in ('ready', 'advancing', 'internal_failure')),
  frozen_at    timestamptz not null,
  target_at    timestamptz,
  created_at   timestamptz not null,
  deleted_at   timestamptz,
  doc          jsonb not null,
  primary key (account_id, id),
  constraint test_clocks_advancing check ((status = 'advancing') = (target_at is not null))
);

-- ── the ledger: append-only, one debit and one credit each ──────────────────────────────────────────────────────────

create table postings (
  account_id   text not null,
  source       text not null,          -- the object that caused it
  fact         text not null,
  leg          smallint not null,
  debit        text not null,
  credit       text not null,
  amount       bigint not null constraint postings_positive check (amount > 0),
  currency     text not null,
  effective_at timestamptz not null,   -- when it counts
  recorded_at  timestamptz not null,   -- when we knew
  customer_id  text,
  invoice_id   text,
  primary key (account_id, source, fact, leg),
  constraint postings_two_sides check (debit <> credit)
);
create index postings_by_time on postings using brin (recorded_at);  -- the tail after the last rollup

-- Balances up to and including `through`; today's tail is summed from postings.
create table ledger_rollups (
  account_id     text not null,
  ledger_account text not null,
  currency       text not null,
  through        timestamptz not null, -- of recorded_at
  debits         numeric not null,
  credits        numeric not null,
  primary key (account_id, ledger_account, currency, through)
);
