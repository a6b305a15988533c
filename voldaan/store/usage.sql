-- name: standing
-- For each (customer, meter, dimensions) of a batch whose customer is there: its series if it has one, its clock's time.
select a.place, s.id, t.frozen_at
  from unnest(%(customers)s::text[], %(meters)s::text[], %(keys)s::text[]) with ordinality as a(customer, meter, key, place)
  join customers c on c.account_id = %(account)s and c.id = a.customer and c.deleted_at is null
  left join test_clocks t on t.account_id = c.account_id and t.id = c.test_clock_id
  left join usage_series s on s.account_id = c.account_id and s.customer_id = c.id and s.meter_id = a.meter
   and s.dimensions_key = a.key;

-- name: open_series
-- Makes series that are not there yet; another transaction may do so at the same time.
insert into usage_series (account_id, customer_id, meter_id, dimensions_key, dimensions)
select %(account)s, a.customer, a.meter, a.key, a.dimensions::jsonb
  from unnest(%(customers)s::text[], %(meters)s::text[], %(keys)s::text[], %(dimensions)s::text[])
       as a(customer, meter, key, dimensions)
 order by 2, 3, 4
    on conflict do nothing;

-- name: find_series
-- The series that were just made.
select a.place, s.id
  from unnest(%(customers)s::text[], %(meters)s::text[], %(keys)s::text[]) with ordinality as a(customer, meter, key, place)
  join usage_series s on s.account_id = %(account)s and s.customer_id = a.customer and s.meter_id = a.meter
   and s.dimensions_key = a.key;

-- name: record
-- Writes events, given in the order of their identifiers, and adds those that are new to their hours: key, event and sum
-- in one statement. Returns the identifiers that were there before.
with given as materialized (
  select * from unnest(%(identifiers)s::text[], %(places)s::smallint[], %(series)s::bigint[], %(at)s::bigint[],
                       %(received)s::bigint[], %(values)s::text[], %(texts)s::text[])
           as g(identifier, place, series_id, at, received, value, text_value)
), fresh as (
  insert into meter_events (account_id, identifier, place, series_id, at, received_at, value, text_value)
  select %(account)s, identifier, place, series_id, to_timestamp(at),
         timestamptz 'epoch' + received * interval '1 microsecond', value::numeric, text_value
    from given
      on conflict do nothing
  returning identifier, series_id, at, received_at, value
), cells as (
  insert into usage_rollups as c (account_id, series_id, hour_at, events, total, most, last)
  select %(account)s, series_id, date_bin('1 hour', at, timestamptz 'epoch'), count(*), sum(value), max(value),
         max(array[extract(epoch from at), extract(epoch from received_at), value])
    from fresh where series_id is not null
   group by 2, 3 order by 2, 3
      on conflict (account_id, series_id, hour_at) do update
     set events = c.events + excluded.events, total = c.total + excluded.total,
         most = greatest(c.most, excluded.most), last = greatest(c.last, excluded.last)
)
select g.identifier from given g where not exists (select from fresh f where f.identifier = g.identifier);

-- name: record_values
-- Adds to the different values of hours.
insert into usage_values as v (account_id, series_id, hour_at, value, events)
select %(account)s, series, to_timestamp(hour), value, events
  from unnest(%(series)s::bigint[], %(hours)s::bigint[], %(values)s::text[], %(events)s::bigint[]) as a(series, hour, value, events)
 order by 2, 3, 4
    on conflict (account_id, series_id, hour_at, value) do update set events = v.events + excluded.events;

-- name: totals
-- What the events of each window add up to: whole hours out of the sums, parts of hours out of the events.
with asked as materialized (
  select a.place, s.id as series
    from unnest(%(customers)s::text[], %(meters)s::text[], %(dimensions)s::text[]) with ordinality
         as a(customer, meter, dimensions, place)
    join usage_series s on s.account_id = %(account)s and s.customer_id = a.customer and s.meter_id = a.meter
     and s.dimensions @> a.dimensions::jsonb
), pieces as (
  select a.place, r.events, r.total, r.most, r.last
    from unnest(%(places)s::bigint[], %(since)s::bigint[], %(until)s::bigint[]) as h(place, since, until)
    join asked a on a.place = h.place
    join usage_rollups r on r.account_id = %(account)s and r.series_id = a.series
     and r.hour_at >= to_timestamp(h.since) and r.hour_at < to_timestamp(h.until)
  union all
  select a.place, 1, e.value, e.value, array[extract(epoch from e.at), extract(epoch from e.received_at), e.value]
    from unnest(%(edge_places)s::bigint[], %(edge_since)s::bigint[], %(edge_until)s::bigint[]) as h(place, since, until)
    join asked a on a.place = h.place
    join meter_events e on e.account_id = %(account)s and e.series_id = a.series and e.canceled_at is null
     and e.at >= to_timestamp(h.since) and e.at < to_timestamp(h.until)
)
select place, sum(events)::bigint, sum(total), max(most), (max(last))[3] from pieces group by place;

-- name: windowed
-- The same for meters of which only the last event of each hour or day counts, each series by itself.
with asked as materialized (
  select a.place, a.step::interval as step, s.id as series
    from unnest(%(customers)s::text[], %(meters)s::text[], %(dimensions)s::text[], %(steps)s::text[]) with ordinality
         as a(customer, meter, dimensions, step, place)
    join usage_series s on s.account_id = %(account)s and s.customer_id = a.customer and s.meter_id = a.meter
     and s.dimensions @> a.dimensions::jsonb
), pieces as (
  select a.place, a.series, date_bin(a.step, r.hour_at, timestamptz 'epoch') as step_at, r.last
    from unnest(%(places)s::bigint[], %(since)s::bigint[], %(until)s::bigint[]) as h(place, since, until)
    join asked a on a.place = h.place
    join usage_rollups r on r.account_id = %(account)s and r.series_id = a.series
     and r.hour_at >= to_timestamp(h.since) and r.hour_at < to_timestamp(h.until)
  union all
  select a.place, a.series, date_bin(a.step, e.at, timestamptz 'epoch'),
         array[extract(epoch from e.at), extract(epoch from e.received_at), e.value]
    from unnest(%(edge_places)s::bigint[], %(edge_since)s::bigint[], %(edge_until)s::bigint[]) as h(place, since, until)
    join asked a on a.place = h.place
    join meter_events e on e.account_id = %(account)s and e.series_id = a.series and e.canceled_at is null
     and e.at >= to_timestamp(h.since) and e.at < to_timestamp(h.until)
), steps as (
  select place, max(last) as last from pieces group by place, series, step_at
)
select place, count(*), sum(last[3]), max(last[3]), (max(last))[3] from steps group by place;

-- name: different
-- How many different values the events of each window have.
with asked as materialized (
  select a.place, s.id as series
    from unnest(%(customers)s::text[], %(meters)s::text[], %(dimensions)s::text[]) with ordinality
         as a(customer, meter, dimensions, place)
    join usage_series s on s.account_id = %(account)s and s.customer_id = a.customer and s.meter_id = a.meter
     and s.dimensions @> a.dimensions::jsonb
), pieces as (
  select a.place, v.value
    from unnest(%(places)s::bigint[], %(since)s::bigint[], %(until)s::bigint[]) as h(place, since, until)
    join asked a on a.place = h.place
    join usage_values v on v.account_id = %(account)s and v.series_id = a.series and v.events > 0
     and v.hour_at >= to_timestamp(h.since) and v.hour_at < to_timestamp(h.until)
  union all
  select a.place, e.text_value
    from unnest(%(edge_places)s::bigint[], %(edge_since)s::bigint[], %(edge_until)s::bigint[]) as h(place, since, until)
    join asked a on a.place = h.place
    join meter_events e on e.account_id = %(account)s and e.series_id = a.series and e.canceled_at is null
     and e.at >= to_timestamp(h.since) and e.at < to_timestamp(h.until)
)
select place, count(distinct value) from pieces group by place;
