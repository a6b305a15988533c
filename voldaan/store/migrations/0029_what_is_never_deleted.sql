-- Customers, subscriptions and prices are never deleted. What the billing run writes for them comes from the rows that it has
-- read and locked; the keys that looked each of them up again took a seventh of PostgreSQL's time. `verify` looks (R1).

alter table invoices drop constraint invoices_customer;
alter table invoices drop constraint invoices_subscription;
alter table payment_intents drop constraint payment_intents_customer;
alter table usage_periods drop constraint usage_periods_customer;
alter table usage_periods drop constraint usage_periods_subscription;
alter table usage_periods drop constraint usage_periods_price;
revoke delete on customers, subscriptions, prices from voldaan_app;
