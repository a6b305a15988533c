-- The books of the sandbox network: a card network and a bank outside Voldaan. It has its own schema, its own connections
-- and its own commits, it knows no table of Voldaan's, and Voldaan knows none of these. Rows are only ever added: what a
-- payment has become is read from the operations about it, the answers given, and the time asked for.
-- Business time is bigint epoch seconds, as the caller says it; recorded_at is the network's own clock.

create schema if not exists sandbox_network;

create table if not exists sandbox_network.operations (
    processor_id     text    primary key,
    account_id       text    not null,
    reference        text    not null,              -- the caller's attempt id
    idempotency_key  text    not null,
    copy             integer not null default 0,    -- not 0 only where the network was told to forget its keys
    flow             text    not null check (flow in ('authorize', 'capture', 'void', 'refund', 'setup', 'payout')),
    original         text    references sandbox_network.operations,   -- the payment a capture, void or refund is about
    amount           bigint  not null check (amount >= 0),
    currency         text    not null,
    instrument       text,                          -- token of a payment method, or the number paid out to
    capture          text    check (capture in ('automatic', 'manual')),
    state            text    not null check (
        state in ('succeeded', 'authorized', 'processing', 'requires_action', 'declined', 'canceled')),
    decline          text,                          -- a code of voldaan.processors.declines
    becomes          text    check (becomes in ('succeeded', 'declined')),
    becomes_decline  text,
    becomes_at       bigint,
    fee              bigint  not null default 0,
    authentication   text,                          -- how 3D Secure went, when there was no need to wait for the customer
    return_url       text,
    at               bigint  not null,
    recorded_at      timestamptz not null default clock_timestamp(),
    constraint declined_has_a_code check ((state = 'declined') = (decline is not null)),
    constraint becomes_at_a_time check ((becomes is null) = (becomes_at is null)),
    constraint charged_once unique (account_id, reference, flow, copy),
    constraint key_used_once unique (account_id, idempotency_key, copy)
);

create index if not exists operations_by_original on sandbox_network.operations (original) where original is not null;
create index if not exists operations_set_up on sandbox_network.operations (account_id, instrument) where flow = 'setup';

-- What somebody said about an operation, a dispute or a payment method, in the order they said it.
create table if not exists sandbox_network.answers (
    subject      text    not null,                  -- processor id, dispute id or token
    seq          integer not null,
    kind         text    not null check (kind in ('authentication', 'evidence', 'close', 'revocation')),
    answer       text    not null,
    at           bigint  not null,
    recorded_at  timestamptz not null default clock_timestamp(),
    primary key (subject, seq)
);
