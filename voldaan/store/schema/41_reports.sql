-- ── reports: what is read from events once and kept (reports/mrr.py); all of it can be thrown away and read again ────

-- Monthly recurring revenue of each subscription, after the last event that was read of it.
create table mrr_subscriptions (
  account_id      text not null,
  subscription_id text not null,
  customer_id     text not null,
  currency        text not null,
  amount          bigint not null check (amount >= 0),   -- minor units a month
  event_id        text not null,                         -- the last event that was read of it
  snapshot_id     text not null,                         -- the event that shows it as it is
  primary key (account_id, subscription_id)
);
create index mrr_subscriptions_by_customer on mrr_subscriptions (account_id, customer_id);  -- a customer's total

-- Every change of it: what charts sum and what every number opens into.
create table mrr_movements (
  account_id      text not null,
  event_id        text not null,                         -- what caused it
  subscription_id text not null,
  customer_id     text not null,
  currency        text not null,
  kind            text not null check (kind in ('new', 'expansion', 'contraction', 'churn', 'reactivation')),
  amount          bigint not null check (amount > 0),    -- minor units a month; the kind says up or down
  at              timestamptz not null,                  -- business time
  primary key (account_id, event_id, subscription_id)
);
create index mrr_movements_by_customer on mrr_movements (account_id, customer_id, currency);  -- new or back again
create index mrr_movements_by_time on mrr_movements (account_id, at);                         -- sums by month

-- How far events were read. Ids are made before their transaction commits, so an event can appear behind the cursor:
-- the last minutes are read again, but for what is remembered as read.
create table mrr_cursors (
  account_id text primary key constraint mrr_cursors_account references accounts,
  event_id   text not null
);
create table mrr_read (
  account_id text not null,
  event_id   text not null,
  primary key (account_id, event_id)
);

alter table mrr_subscriptions enable row level security;
create policy mrr_subscriptions_account on mrr_subscriptions using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on mrr_subscriptions to voldaan_app;

alter table mrr_movements enable row level security;
create policy mrr_movements_account on mrr_movements using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on mrr_movements to voldaan_app;

alter table mrr_cursors enable row level security;
create policy mrr_cursors_account on mrr_cursors using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on mrr_cursors to voldaan_app;

alter table mrr_read enable row level security;
create policy mrr_read_account on mrr_read using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on mrr_read to voldaan_app;
