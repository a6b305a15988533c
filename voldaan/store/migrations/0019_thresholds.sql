-- Billing thresholds: subscriptions whose usage is looked at as it comes in.

alter table subscriptions add column has_thresholds boolean not null default false;
create index subscriptions_thresholds on subscriptions (account_id, customer_id) where has_thresholds;
