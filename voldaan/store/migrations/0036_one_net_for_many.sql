-- Attempts that are dispatched together are looked after by one row of due work. Those that have one each keep it.

alter table due add column subjects text[];
