-- A renewal changes every subscription of a page, its items and its customers in one batch: each row needs room for its new
-- version on the same page, else every index of the table gets another entry.
alter table customers set (fillfactor = 50);
alter table subscriptions set (fillfactor = 50);
alter table subscription_items set (fillfactor = 50);
