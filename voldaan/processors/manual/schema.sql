-- What people were asked to pay or to send, and what came in. Its own schema, reached through its own connections.
-- Business time is bigint epoch seconds.

create schema if not exists processor_manual;

create table if not exists processor_manual.operations (
    processor_id     text    primary key,
    account_id       text    not null,
    reference        text    not null,              -- our attempt id
    idempotency_key  text    not null,
    flow             text    not null check (flow in ('authorize', 'refund', 'setup', 'payout', 'void')),
    original         text    references processor_manual.operations,
    method           text,                          -- payment method type, or where a payout goes
    amount           bigint  not null check (amount >= 0),
    currency         text    not null,
    creditor_number  bigint  not null generated always as identity (start with 100000) unique,
    decided          text    check (decided in ('confirmed', 'failed', 'canceled')),     -- by a person
    decided_at       bigint,
    failure          text,
    at               bigint  not null,
    recorded_at      timestamptz not null default clock_timestamp(),
    constraint decided_at_a_time check ((decided is null) = (decided_at is null)),
    constraint asked_once unique (account_id, reference, flow)
);

create index if not exists operations_by_original on processor_manual.operations (original) where original is not null;

-- Lines of bank statements, and money handed over. Never dropped, whether or not they belong to anything.
create table if not exists processor_manual.lines (
    account_id   text    not null,
    line_id      text    not null,                  -- the bank's id of the line: importing it twice counts it once
    written      text    not null,                  -- the reference as the payer wrote it
    operation    text    references processor_manual.operations,
    amount       bigint  not null check (amount > 0),
    currency     text    not null,
    at           bigint  not null,
    recorded_at  timestamptz not null default clock_timestamp(),
    primary key (account_id, line_id)
);

create index if not exists lines_by_operation on processor_manual.lines (operation);
