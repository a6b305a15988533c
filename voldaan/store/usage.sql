-- name: standing
-- For each (customer, meter, dimensions) of a batch whose customer is there: its series if it has one, its clock's time. The series
-- is looked up by itself (`offset 0`), so that not all series of a customer are read for one, whatever the planner expects.
select a.place, s.id, t.frozen_at
  from unnest(%(customers)s::text[], %(meters)s::text[], %(keys)s::text[]) with ordinality as a(customer, meter, key, place)
  join customers c on c.account_id = %(account)s and c.id = a.customer and c.deleted_at is null
  left join test_clocks t on t.account_id = c.account_id and t.id = c.test_clock_id
  left join lateral (
    select s.id from usage_series s
     where s.account_id = %(account)s and s.customer_id = a.customer and s.meter_id = a.meter and s.dimensions_key = a.key
    offset 0) s on true;

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
-- Writes new events, given in the order of their identifiers, and adds them to their hours: key, event and sum in one statement,
-- which fails as a whole (unique violation) if one is there already. An array that is shorter than the others is filled up with
-- nulls: places and texts may be left empty.
with given as materialized (
  select * from unnest(%(identifiers)s::text[], %(places)s::smallint[], %(series)s::bigint[], %(at)s::bigint[],
                       %(received)s::bigint[], %(values)s::text[], %(texts)s::text[])
           as g(identifier, place, series_id, at, received, value, text_value)
), events as (
  insert into meter_events (account_id, identifier, place, series_id, at, received_at, value, text_value)
  select %(account)s, identifier, coalesce(place, 0), series_id, to_timestamp(at),
         timestamptz 'epoch' + received * interval '1 microsecond', value::numeric, text_value
    from given
)
insert into usage_rollups as c (account_id, series_id, hour_at, events, total, most, last)
select %(account)s, series_id, to_timestamp(at - mod(at, 3600)), count(*), sum(value::numeric), max(value::numeric),
       max(array[at, received / 1000000.0, value::numeric])
  from given where series_id is not null
 group by 2, 3 order by 2, 3
    on conflict (account_id, series_id, hour_at) do update
   set events = c.events + excluded.events, total = c.total + excluded.total,
       most = greatest(c.most, excluded.most), last = greatest(c.last, excluded.last);

-- name: known
-- Which of these identifiers are there. Wherever an event is, its first place is.
with asked as materialized (  -- worked out beforehand: under row-level security only a bare comparison finds its index
  select identifier, event_digest(%(account)s, identifier, 0::smallint) as digest from unnest(%(identifiers)s::text[]) as a(identifier)
)
select a.identifier from asked a join meter_events e on e.account_id = %(account)s and e.digest = a.digest;

-- name: record_values
-- Adds to the different values of hours.
insert into usage_values as v (account_id, series_id, hour_at, value, events)
select %(account)s, series, to_timestamp(hour), value, events
  from unnest(%(series)s::bigint[], %(hours)s::bigint[], %(values)s::text[], %(events)s::bigint[]) as a(series, hour, value, events)
 order by 2, 3, 4
    on conflict (account_id, series_id, hour_at, value) do update set events = v.events + excluded.events;

-- piece: asked
-- The series of each place whose events are wanted.
asked as materialized (
  select a.place, s.id as series
    from unnest(%(customers)s::text[], %(meters)s::text[], %(dimensions)s::text[]) with ordinality
         as a(customer, meter, dimensions, place)
    join usage_series s on s.account_id = %(account)s and s.customer_id = a.customer and s.meter_id = a.meter
     and s.dimensions @> a.dimensions::jsonb
)

-- piece: windows
-- Of what is `asked`, the whole `hours` between two instants, and the `parts` of hours at the edges.
hours as materialized (  -- worked out beforehand: under row-level security only a bare comparison finds its index
  select a.*, to_timestamp(h.since) as since, to_timestamp(h.until) as until
    from unnest(%(places)s::bigint[], %(since)s::bigint[], %(until)s::bigint[]) as h(place, since, until)
    join asked a on a.place = h.place
), edges as materialized (
  select a.*, to_timestamp(h.since) as since, to_timestamp(h.until) as until,
         to_timestamp(h.since - mod(h.since, 3600)) as hour_at, to_timestamp(h.since - mod(h.since, 3600) + 3600) as next_at
    from unnest(%(edge_places)s::bigint[], %(edge_since)s::bigint[], %(edge_until)s::bigint[]) as h(place, since, until)
    join asked a on a.place = h.place
), parts as materialized (  -- where the rest of its hour has no event, its sum is the hour's: so it is until now
  select a.*,
         not exists (select from meter_events e where e.account_id = %(account)s and e.series_id = a.series
                        and e.canceled_at is null and e.at >= a.hour_at and e.at < a.since offset 0)
         and not exists (select from meter_events e where e.account_id = %(account)s and e.series_id = a.series
                            and e.canceled_at is null and e.at >= a.until and e.at < a.next_at offset 0) as whole
    from edges a
)

-- name: totals
-- What the events of each window add up to: whole hours out of the sums, parts of hours out of the events.
with {asked}, {windows}, pieces as (
  select a.place, r.events, r.total, r.most, r.last
    from hours a
    join usage_rollups r on r.account_id = %(account)s and r.series_id = a.series
     and r.hour_at >= a.since and r.hour_at < a.until
  union all
  select a.place, r.events, r.total, r.most, r.last
    from parts a
    join usage_rollups r on r.account_id = %(account)s and r.series_id = a.series and r.hour_at = a.hour_at
   where a.whole
  union all
  select a.place, 1, e.value, e.value, array[extract(epoch from e.at), extract(epoch from e.received_at), e.value]
    from parts a
    join meter_events e on e.account_id = %(account)s and e.series_id = a.series and e.canceled_at is null
     and e.at >= a.since and e.at < a.until
   where not a.whole
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
), {windows}, pieces as (
  select a.place, a.series, date_bin(a.step, r.hour_at, timestamptz 'epoch') as step_at, r.last
    from hours a
    join usage_rollups r on r.account_id = %(account)s and r.series_id = a.series
     and r.hour_at >= a.since and r.hour_at < a.until
  union all
  select a.place, a.series, date_bin(a.step, r.hour_at, timestamptz 'epoch'), r.last
    from parts a
    join usage_rollups r on r.account_id = %(account)s and r.series_id = a.series and r.hour_at = a.hour_at
   where a.whole
  union all
  select a.place, a.series, date_bin(a.step, e.at, timestamptz 'epoch'),
         array[extract(epoch from e.at), extract(epoch from e.received_at), e.value]
    from parts a
    join meter_events e on e.account_id = %(account)s and e.series_id = a.series and e.canceled_at is null
     and e.at >= a.since and e.at < a.until
   where not a.whole
), steps as (
  select place, max(last) as last from pieces group by place, series, step_at
)
select place, count(*), sum(last[3]), max(last[3]), (max(last))[3] from steps group by place;

-- name: different
-- How many different values the events of each window have.
with {asked}, {windows}, pieces as (
  select a.place, v.value
    from hours a
    join usage_values v on v.account_id = %(account)s and v.series_id = a.series and v.events > 0
     and v.hour_at >= a.since and v.hour_at < a.until
  union all
  select a.place, v.value
    from parts a
    join usage_values v on v.account_id = %(account)s and v.series_id = a.series and v.events > 0 and v.hour_at = a.hour_at
   where a.whole
  union all
  select a.place, e.text_value
    from parts a
    join meter_events e on e.account_id = %(account)s and e.series_id = a.series and e.canceled_at is null
     and e.at >= a.since and e.at < a.until
   where not a.whole
)
select place, count(distinct value) from pieces group by place;

-- name: event_to_cancel
-- An event with all its rows, locked, and the event name of a meter that counts it. Its places are neighbours in the index.
select e.place, e.series_id, e.at, e.text_value, e.received_at, e.canceled_at is not null, m.event_name
  from meter_events e
  left join usage_series s on s.account_id = e.account_id and s.id = e.series_id
  left join meters m on m.account_id = s.account_id and m.id = s.meter_id
 where e.account_id = %(account)s and e.identifier = %(identifier)s
   and e.digest between event_digest(%(account)s, %(identifier)s, 0::smallint)
                    and event_digest(%(account)s, %(identifier)s, 32767::smallint)
 order by e.place
   for update of e;

-- name: cancel
-- The event counts no more.
update meter_events set canceled_at = to_timestamp(%(wall)s)
 where account_id = %(account)s and identifier = %(identifier)s and canceled_at is null
   and digest between event_digest(%(account)s, %(identifier)s, 0::smallint)
                  and event_digest(%(account)s, %(identifier)s, 32767::smallint);

-- name: lock_hours
-- The sums of these hours, locked: who is adding to them now is waited for, who comes later adds to what is written here.
with hours as materialized (
  select series, to_timestamp(hour) as since from unnest(%(series)s::bigint[], %(hours)s::bigint[]) as h(series, hour)
)
select 1 from hours h
  join usage_rollups r on r.account_id = %(account)s and r.series_id = h.series and r.hour_at = h.since
 order by r.series_id, r.hour_at
   for update of r;

-- name: count_hours_again
-- Adds these hours up anew from their events.
with hours as materialized (
  select series, to_timestamp(hour) as since, to_timestamp(hour) + interval '1 hour' as until
    from unnest(%(series)s::bigint[], %(hours)s::bigint[]) as h(series, hour)
), counted as materialized (
  select h.series, h.since, count(*) as events, sum(e.value) as total, max(e.value) as most,
         max(array[extract(epoch from e.at), extract(epoch from e.received_at), e.value]) as last
    from hours h
    join meter_events e on e.account_id = %(account)s and e.series_id = h.series and e.canceled_at is null
     and e.at >= h.since and e.at < h.until
   group by 1, 2
)
update usage_rollups r set events = c.events, total = c.total, most = c.most, last = c.last
  from counted c
 where r.account_id = %(account)s and r.series_id = c.series and r.hour_at = c.since;

-- name: drop_empty_hours
-- Hours whose last event was taken back.
with hours as materialized (
  select series, to_timestamp(hour) as since, to_timestamp(hour) + interval '1 hour' as until
    from unnest(%(series)s::bigint[], %(hours)s::bigint[]) as h(series, hour)
), empty as materialized (
  select series, since from hours h
   where not exists (select from meter_events e where e.account_id = %(account)s and e.series_id = h.series
                        and e.canceled_at is null and e.at >= h.since and e.at < h.until)
)
delete from usage_rollups r using empty h
 where r.account_id = %(account)s and r.series_id = h.series and r.hour_at = h.since;

-- name: take_value_back
-- One event less for a value of an hour; at none it is no longer counted.
update usage_values set events = events - 1
 where account_id = %(account)s and series_id = %(series)s and hour_at = to_timestamp(%(hour)s) and value = %(value)s;

-- name: keep_errors
-- Remembers events that could not be counted.
insert into meter_event_errors (account_id, id, code, message, meter_id, event_name, identifier, payload, received_at)
select %(account)s, x->>0, x->>1, x->>2, x->>3, x->>4, x->>5, x->6, to_timestamp(%(wall)s)
  from jsonb_array_elements(%(rows)s) x;

-- name: report_errors
-- What is to be told of each meter and each kind of error since the last report, which is this one from now on.
with told as (
  update meter_event_errors set reported_at = to_timestamp(%(wall)s)
   where account_id = %(account)s and reported_at is null
  returning id, meter_id, code, message, identifier, received_at
)
select meter_id, code, count(*), min(received_at), max(received_at),
       (array_agg(message order by id))[1:%(samples)s], (array_agg(identifier order by id))[1:%(samples)s]
  from told group by meter_id, code order by meter_id, code;

-- piece: errors
-- Events that could not be counted, of one kind.
select id, code, message, meter_id, event_name, identifier, payload, received_at, reported_at
  from meter_event_errors
 where account_id = %(account)s
   and (%(code)s::text is null or code = %(code)s) and (%(event_name)s::text is null or event_name = %(event_name)s)
   and (%(meter)s::text is null or meter_id = %(meter)s)

-- name: errors_page
-- A page of them, newest first, from one on.
{errors}
   and id < %(after)s
 order by id desc limit %(limit)s;

-- name: errors_page_back
-- Those before (newer than) one, oldest first.
{errors}
   and id > %(before)s
 order by id limit %(limit)s;

-- name: error_exists
-- Whether a cursor is one of this account's errors.
select 1 from meter_event_errors where account_id = %(account)s and id = %(id)s;

-- name: open_session
-- A token for the stream of events; the token itself is not stored. Those that are over make room.
with gone as (delete from meter_event_sessions where account_id = %(account)s and expires_at < to_timestamp(%(wall)s))
insert into meter_event_sessions (account_id, id, hash, created_at, expires_at)
values (%(account)s, %(id)s, %(hash)s, to_timestamp(%(wall)s), to_timestamp(%(expires)s));

-- name: watched
-- Who waits for usage of these meters by these customers: alerts that have not been told to them yet, and subscriptions that
-- are billed for it as soon as a threshold is reached, with their clocks. It is asked with every batch of events. So each place
-- is looked up by itself (`offset 0`), whatever the planner expects, and only if there is a first one (`min`) who waits.
with used as materialized (
  select u.meter, u.customer from unnest(%(meters)s::text[], %(customers)s::text[]) as u(meter, customer)
), meters_used as materialized (
  select m.meter,
         (select min(a.customer_id) from billing_alerts a
           where a.account_id = %(account)s and a.meter_id = m.meter and a.status = 'active') as watched
    from (select distinct meter from used) m
), alerts as materialized (  -- with the id under which it would have been told: put together here, it finds its index below
  select u.meter, u.customer, a.id || '/' || u.customer as told
    from meters_used m
    join used u on u.meter = m.meter
   cross join lateral (
     select a.id from billing_alerts a
      where a.account_id = %(account)s and a.meter_id = u.meter and a.status = 'active' and a.customer_id = u.customer
     offset 0) a
   where m.watched is not null
   union all
  select u.meter, u.customer, a.id || '/' || u.customer
    from meters_used m
   cross join lateral (
     select a.id from billing_alerts a
      where a.account_id = %(account)s and a.meter_id = m.meter and a.status = 'active' and a.customer_id is null
     offset 0) a
    join used u on u.meter = m.meter
)
select distinct a.meter, a.customer, null, null, null::timestamptz
  from alerts a
 where not exists (select from billing_alert_triggers t where t.account_id = %(account)s and t.id = a.told offset 0)
union all
select distinct null, u.customer, s.id, s.test_clock_id, s.frozen_at
  from used u
 cross join lateral (
   select s.id, s.test_clock_id, t.frozen_at
     from subscriptions s
     left join test_clocks t on t.account_id = %(account)s and t.id = s.test_clock_id
    where s.account_id = %(account)s and s.customer_id = u.customer and s.has_thresholds and s.status in ('active', 'past_due')
      and exists (select from subscription_items i
                    join prices p on p.account_id = %(account)s and p.id = i.price_id and p.meter_id = u.meter
                   where i.account_id = %(account)s and i.subscription_id = s.id)
   offset 0) s
 where (select min(s.customer_id) from subscriptions s where s.account_id = %(account)s and s.has_thresholds) is not null;
