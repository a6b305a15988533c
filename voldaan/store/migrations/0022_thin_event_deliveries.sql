-- Tries are remembered of thin events (core_events) too.
alter table webhook_deliveries drop constraint webhook_deliveries_event;
