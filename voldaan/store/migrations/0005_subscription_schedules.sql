-- Subscription schedules: the phases that a subscription goes through.
create table subscription_schedules (
  account_id               text not null,
  id                       text not null,
  customer_id              text not null,
  subscription_id          text,                          -- which it manages, or managed until its end
  released_subscription_id text,                          -- which it managed until it was released
  status                   text not null check (status in ('not_started', 'active', 'completed', 'released', 'canceled')),
  end_behavior             text not null check (end_behavior in ('cancel', 'release')),
  next_at                  timestamptz,                   -- when the next phase begins, or the last one ends
  canceled_at              timestamptz,
  completed_at             timestamptz,
  released_at              timestamptz,
  test_clock_id            text,
  created_at               timestamptz not null,
  doc                      jsonb not null,
  primary key (account_id, id),
  constraint subscription_schedules_customer foreign key (account_id, customer_id) references customers,
  constraint subscription_schedules_subscription foreign key (account_id, subscription_id) references subscriptions,
  constraint subscription_schedules_released_subscription
    foreign key (account_id, released_subscription_id) references subscriptions,
  constraint subscription_schedules_running check (status <> 'active' or (subscription_id is not null and next_at is not null)),
  constraint subscription_schedules_waiting check (status <> 'not_started' or (subscription_id is null and next_at is not null)),
  constraint subscription_schedules_over check (status in ('not_started', 'active') or next_at is null),
  constraint subscription_schedules_canceled check ((status = 'canceled') = (canceled_at is not null)),
  constraint subscription_schedules_completed check ((status = 'completed') = (completed_at is not null)),
  constraint subscription_schedules_released check ((status = 'released') = (released_at is not null))
) with (fillfactor = 80);
create index subscription_schedules_by_customer on subscription_schedules (account_id, customer_id, id);
create index subscription_schedules_by_subscription on subscription_schedules (account_id, subscription_id)
  where subscription_id is not null;

alter table subscription_schedules enable row level security;
create policy subscription_schedules_account on subscription_schedules
  using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on subscription_schedules to voldaan_app;
