-- Price migrations: cohorts of subscriptions that move to another price, and how far each has come.

create table price_migrations (
  account_id  text not null constraint price_migrations_account references accounts,
  id          text not null,
  status      text not null constraint price_migrations_status check (status in ('draft', 'running', 'completed', 'canceled')),
  to_price_id text not null,
  created_at  timestamptz not null,
  started_at  timestamptz,
  ended_at    timestamptz,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint price_migrations_to foreign key (account_id, to_price_id) references prices,
  constraint price_migrations_started check (status = 'draft' or started_at is not null or status = 'canceled'),
  constraint price_migrations_ended check ((status in ('completed', 'canceled')) = (ended_at is not null))
);
create table price_migration_subscriptions (
  account_id      text not null,
  id              text not null,
  migration_id    text not null,
  subscription_id text not null,
  customer_id     text not null,
  status          text not null constraint price_migration_subscriptions_status
                    check (status in ('pending', 'moved', 'failed', 'skipped')),
  test_clock_id   text,
  doc             jsonb not null,
  primary key (account_id, id),
  constraint price_migration_subscriptions_once unique (account_id, migration_id, subscription_id),
  constraint price_migration_subscriptions_migration foreign key (account_id, migration_id) references price_migrations,
  constraint price_migration_subscriptions_subscription foreign key (account_id, subscription_id) references subscriptions
);
create index price_migration_subscriptions_pending on price_migration_subscriptions (account_id, migration_id, id)
  where status = 'pending';
create index price_migration_subscriptions_of on price_migration_subscriptions (account_id, migration_id, id);

alter table price_migrations enable row level security;
create policy price_migrations_account on price_migrations using (account_id = current_setting('voldaan.account', true));
alter table price_migration_subscriptions enable row level security;
create policy price_migration_subscriptions_account on price_migration_subscriptions
  using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on price_migrations, price_migration_subscriptions to voldaan_app;
