-- What was billed of a meter for a subscription item and a stretch of time: usage that arrives later is the difference.
create table usage_periods (
  account_id           text not null,
  id                   text not null,    -- the item and the start: billed once
  customer_id          text not null,
  subscription_id      text not null,
  subscription_item_id text not null,    -- which may be gone by now
  meter_id             text not null,
  price_id             text not null,
  currency             text not null,
  period_start_at      timestamptz not null,
  period_end_at        timestamptz not null,
  quantity             numeric not null, -- what the meter said when it was last billed
  amount               bigint not null,  -- minor units, before discounts and tax: what was billed in all
  open                 boolean not null, -- something may still arrive
  doc                  jsonb not null,
  primary key (account_id, id),
  constraint usage_periods_customer foreign key (account_id, customer_id) references customers,
  constraint usage_periods_subscription foreign key (account_id, subscription_id) references subscriptions,
  constraint usage_periods_price foreign key (account_id, price_id) references prices,
  constraint usage_periods_time check (period_start_at < period_end_at)
);
create index usage_periods_open on usage_periods (account_id, subscription_id) where open;  -- late usage

alter table usage_periods enable row level security;
create policy usage_periods_account on usage_periods using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on usage_periods to voldaan_app;

-- Alerts: told once for each customer whose usage of a meter reaches a threshold.
create table billing_alerts (
  account_id  text not null constraint billing_alerts_account references accounts,
  id          text not null,
  alert_type  text not null check (alert_type = 'usage_threshold'),
  status      text not null check (status in ('active', 'archived', 'inactive')),
  meter_id    text not null,
  customer_id text,                  -- null: every customer
  created_at  timestamptz not null,  -- usage before it does not count
  doc         jsonb not null,
  primary key (account_id, id),
  constraint billing_alerts_meter foreign key (account_id, meter_id) references meters,
  constraint billing_alerts_customer foreign key (account_id, customer_id) references customers
);
create index billing_alerts_active on billing_alerts (account_id, meter_id) where status = 'active';  -- every batch of events

-- That an alert was told for a customer: there is only one.
create table billing_alert_triggers (
  account_id  text not null,
  id          text not null,         -- the alert and the customer
  alert_id    text not null,
  customer_id text not null,
  created_at  timestamptz not null,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint billing_alert_triggers_alert foreign key (account_id, alert_id) references billing_alerts,
  constraint billing_alert_triggers_customer foreign key (account_id, customer_id) references customers
);

alter table billing_alerts enable row level security;
create policy billing_alerts_account on billing_alerts using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on billing_alerts to voldaan_app;

alter table billing_alert_triggers enable row level security;
create policy billing_alert_triggers_account on billing_alert_triggers using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on billing_alert_triggers to voldaan_app;
