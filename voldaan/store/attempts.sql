-- name: lock_customers
-- Locks whoever pays by these attempts, in id order: the first thing that settling does.
select c.id from customers c
 where c.account_id = %(account)s
   and c.id in (select a.customer_id from attempts a where a.account_id = %(account)s and a.id = any(%(ids)s))
 order by c.id for no key update;

-- name: on_clock
-- Attempts of a test clock whose outcome must be asked for before its time moves on.
select id from attempts a
 where a.account_id = %(account)s and a.clock_id = %(clock)s and a.state in ('dispatched', 'unknown', 'processing')
   and (a.state <> 'processing'
        or (a.doc->'outcome'->>'expected_at')::bigint <= (select extract(epoch from c.frozen_at)::bigint from test_clocks c
                                                           where c.account_id = %(account)s and c.id = %(clock)s))
 order by id;

-- name: live_of_intents
-- Attempts under way for payment intents and setup intents: while there is one, nothing else may be tried.
select a.payment_intent_id, a.id from attempts a
 where a.account_id = %(account)s and a.state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation')
   and a.payment_intent_id = any(%(ids)s) and a.flow <> 'void'
union all
select a.payment_intent_id, a.id from attempts a
 where a.account_id = %(account)s and a.state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation')
   and a.payment_intent_id = any(%(ids)s) and a.flow = 'void'
union all
select a.setup_intent_id, a.id from attempts a
 where a.account_id = %(account)s and a.state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation')
   and a.setup_intent_id = any(%(ids)s);

-- name: unheard
-- Asks for the outcome of those of these attempts of which nothing was heard.
insert into due (account_id, kind, subject, due_at)
select a.account_id, 'attempt.resolve', a.id, to_timestamp(%(now)s)
  from attempts a
 where a.account_id = %(account)s and a.id = any(%(ids)s) and a.state = 'dispatched'
    on conflict do nothing;

-- name: frozen_times
-- What time it is on these test clocks.
select id, extract(epoch from frozen_at)::bigint from test_clocks where account_id = %(account)s and id = any(%(ids)s);

-- name: hear
-- Notes events of a processor; returns those that had not been heard before.
insert into processor_events (account_id, processor, event_id, type, processor_id, happened_at, recorded_at)
select %(account)s, e->>0, e->>1, e->>2, e->>3, to_timestamp((e->>4)::bigint), to_timestamp(%(wall)s)
  from jsonb_array_elements(%(events)s) e
    on conflict do nothing
returning processor, event_id;

-- name: deferred
-- What was deferred of these invoices, earned since, and taken by whatever: refunds, disputes, credit notes.
select invoice_id, source, debit, credit, amount from postings
 where account_id = %(account)s and invoice_id = any(%(invoices)s)
   and (debit = 'deferred_revenue' or credit = 'deferred_revenue');
