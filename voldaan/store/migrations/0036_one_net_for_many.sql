-- Attempts that are dispatched together are looked after by one row of due work. Those that have one each keep it.
-- Programs older than this must have ended before newer ones write: they do not know this kind of work, nor events that tell of
-- children only what was otherwise before.

alter table due add column subjects text[];
