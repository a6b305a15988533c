-- Alerts of one customer are found among those of all others, and events by when they came.

drop index billing_alerts_active;
create index billing_alerts_active on billing_alerts (account_id, meter_id, customer_id) where status = 'active';  -- every batch of events
create index meter_events_by_receipt on meter_events using brin (received_at) with (pages_per_range = 32);  -- what came in lately, to be checked
