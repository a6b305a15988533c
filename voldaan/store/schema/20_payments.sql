-- ── payments: how customers pay, what was tried, what it came to ────────────────────────────────────────────────────

create table payment_methods (
  account_id  text not null constraint payment_methods_account references accounts,
  id          text not null,
  type        text not null,
  customer_id text,                          -- null: not attached, or no longer
  created_at  timestamptz not null,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint payment_methods_customer foreign key (account_id, customer_id) references customers
);
create index payment_methods_by_customer on payment_methods (account_id, customer_id, id)
  where customer_id is not null;             -- lists

create table mandates (
  account_id        text not null constraint mandates_account references accounts,
  id                text not null,
  payment_method_id text not null,
  type              text not null check (type in ('multi_use', 'single_use')),
  status            text not null check (status in ('active', 'inactive', 'pending')),
  created_at        timestamptz not null,
  doc               jsonb not null,
  primary key (account_id, id),
  constraint mandates_payment_method foreign key (account_id, payment_method_id) references payment_methods
);

create table setup_intents (
  account_id        text not null constraint setup_intents_account references accounts,
  id                text not null,
  status            text not null constraint setup_intents_status check (status in
    ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing', 'succeeded', 'canceled')),
  customer_id       text,
  payment_method_id text,
  created_at        timestamptz not null,
  doc               jsonb not null,
  primary key (account_id, id),
  constraint setup_intents_customer foreign key (account_id, customer_id) references customers,
  constraint setup_intents_payment_method foreign key (account_id, payment_method_id) references payment_methods
);
create index setup_intents_by_customer on setup_intents (account_id, customer_id, id)
  where customer_id is not null;             -- lists

create table payment_intents (
  account_id        text not null,
  id                text not null,
  status            text not null constraint payment_intents_status check (status in
    ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing', 'requires_capture',
     'succeeded', 'canceled')),
  amount            bigint not null constraint payment_intents_amount check (amount > 0),
  amount_capturable bigint not null check (amount_capturable >= 0),
  amount_received   bigint not null check (amount_received >= 0),
  currency          text not null,
  customer_id       text,
  payment_method_id text,
  invoice_id        text,
  created_at        timestamptz not null,
  canceled_at       timestamptz,
  doc               jsonb not null,
  primary key (account_id, id),
  constraint payment_intents_customer foreign key (account_id, customer_id) references customers,
  constraint payment_intents_canceled check ((status = 'canceled') = (canceled_at is not null)),
  constraint payment_intents_held check ((status = 'requires_capture') = (amount_capturable > 0)),
  constraint payment_intents_never_too_much check (amount_received <= amount),
  constraint payment_intents_received check (status <> 'succeeded' or amount_received > 0)
) with (fillfactor = 50);
create index payment_intents_by_customer on payment_intents (account_id, customer_id, id)
  where customer_id is not null;             -- lists

create table charges (
  account_id        text not null,
  id                text not null,
  status            text not null check (status in ('failed', 'pending', 'succeeded')),
  amount            bigint not null constraint charges_amount check (amount > 0),
  amount_captured   bigint not null check (amount_captured >= 0),
  amount_refunded   bigint not null check (amount_refunded >= 0),  -- refunds under way included
  amount_disputed   bigint not null check (amount_disputed >= 0),  -- withdrawn and not reinstated
  captured          boolean not null,
  currency          text not null,
  customer_id       text,
  payment_intent_id text,
  payment_method_id text,
  failure_code      text,
  transfer_group    text,
  created_at        timestamptz not null,
  doc               jsonb not null,
  primary key (account_id, id),
  constraint charges_customer foreign key (account_id, customer_id) references customers,
  constraint charges_payment_intent foreign key (account_id, payment_intent_id) references payment_intents,
  constraint charges_captured check (amount_captured <= amount),
  constraint charges_refunded check (amount_refunded <= amount_captured),
  constraint charges_failed check (status <> 'failed' or failure_code is not null)
);
create index charges_by_customer on charges (account_id, customer_id, id) where customer_id is not null;  -- lists
create index charges_by_payment_intent on charges (account_id, payment_intent_id, id)
  where payment_intent_id is not null;       -- lists
create index charges_by_transfer_group on charges (account_id, transfer_group, id) where transfer_group is not null;  -- lists

create table refunds (
  account_id        text not null constraint refunds_account references accounts,
  id                text not null,
  status            text not null check (status in ('canceled', 'failed', 'pending', 'requires_action', 'succeeded')),
  amount            bigint not null constraint refunds_amount check (amount > 0),
  currency          text not null,
  charge_id         text,
  payment_intent_id text,
  customer_id       text,
  created_at        timestamptz not null,
  doc               jsonb not null,
  primary key (account_id, id),
  constraint refunds_charge foreign key (account_id, charge_id) references charges
);
create index refunds_by_charge on refunds (account_id, charge_id, id);                                    -- lists
create index refunds_by_payment_intent on refunds (account_id, payment_intent_id, id)
  where payment_intent_id is not null;       -- lists

create table disputes (
  account_id        text not null constraint disputes_account references accounts,
  id                text not null,
  status            text not null,
  reason            text not null,
  amount            bigint not null constraint disputes_amount check (amount > 0),
  amount_withdrawn  bigint not null check (amount_withdrawn >= 0),
  currency          text not null,
  charge_id         text not null,
  payment_intent_id text,
  customer_id       text,
  processor         text not null,
  processor_id      text not null,
  created_at        timestamptz not null,
  doc               jsonb not null,
  primary key (account_id, id),
  constraint disputes_charge foreign key (account_id, charge_id) references charges,
  constraint disputes_of_processor unique (account_id, processor, processor_id)
);
create index disputes_by_charge on disputes (account_id, charge_id, id);                                  -- lists
create index disputes_by_payment_intent on disputes (account_id, payment_intent_id, id)
  where payment_intent_id is not null;       -- lists

create table payouts (
  account_id     text not null constraint payouts_account references accounts,
  id             text not null,
  status         text not null check (status in ('canceled', 'failed', 'in_transit', 'paid', 'pending')),
  amount         bigint not null,            -- negative: a payout that was reversed
  automatic      boolean not null,
  currency       text not null,
  destination_id text,
  clock_id       text,
  arrival_at     timestamptz not null,
  created_at     timestamptz not null,
  doc            jsonb not null,
  primary key (account_id, id),
  constraint payouts_amount check (amount <> 0)
);

create table balance_transactions (
  account_id   text not null,
  id           text not null,
  type         text not null,
  status       text not null check (status in ('available', 'pending')),
  amount       bigint not null,              -- minor units; negative when it leaves
  fee          bigint not null,
  net          bigint not null,
  currency     text not null,
  source_id    text,
  payout_id    text,                         -- the automatic payout that took it
  clock_id     text,
  available_on timestamptz not null,
  created_at   timestamptz not null,
  doc          jsonb not null,
  primary key (account_id, id),
  constraint balance_transactions_payout foreign key (account_id, payout_id) references payouts,
  constraint balance_transactions_net check (net = amount - fee)
);
create index balance_transactions_by_source on balance_transactions (account_id, source_id, id);          -- lists
create index balance_transactions_by_payout on balance_transactions (account_id, payout_id, id)
  where payout_id is not null;               -- lists: what a payout is made of
create index balance_transactions_pending on balance_transactions (account_id, currency, available_on) include (net)
  where status = 'pending';                  -- the balance; make_available
create index balance_transactions_to_pay_out on balance_transactions (account_id, currency) include (net)
  where status = 'available' and payout_id is null;                                                       -- the balance; sweep

-- ── attempts: what was asked of processors ──────────────────────────────────────────────────────────────────────────

create table attempts (
  account_id        text not null,
  id                text not null,
  flow              text not null check (flow in ('authorize', 'capture', 'void', 'refund', 'setup', 'payout', 'dispute')),
  state             text not null constraint attempts_state check (state in
    ('dispatched', 'requires_action', 'processing', 'authorized', 'succeeded', 'declined', 'not_sent', 'unknown',
     'voided', 'needs_reconciliation')),
  processor         text not null,
  processor_id      text,
  idempotency_key   text not null,
  amount            bigint not null check (amount >= 0),
  currency          text not null,
  customer_id       text,
  invoice_id        text,
  payment_intent_id text,
  setup_intent_id   text,
  charge_id         text,
  refund_id         text,
  payout_id         text,
  payment_method_id text,
  clock_id          text,
  at                timestamptz not null,
  dispatched_at     timestamptz not null,
  resolved_at       timestamptz,
  tries             bigint not null,
  decline_code      text,
  doc               jsonb not null,
  primary key (account_id, id),
  constraint attempts_payment_intent foreign key (account_id, payment_intent_id) references payment_intents,
  constraint attempts_refund foreign key (account_id, refund_id) references refunds,
  constraint attempts_payout foreign key (account_id, payout_id) references payouts,
  constraint attempts_resolved check ((resolved_at is null) =
    (state in ('dispatched', 'requires_action', 'processing', 'unknown', 'needs_reconciliation'))),
  constraint attempts_declined check (state <> 'declined' or decline_code is not null)
);
-- Never two tries at once: a second one waits until the first is known to have failed. A void takes no money.
create unique index attempts_one_live_per_invoice on attempts (account_id, invoice_id)
  where invoice_id is not null and flow <> 'void' and state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation');
create unique index attempts_one_live_per_payment_intent on attempts (account_id, payment_intent_id)
  where payment_intent_id is not null and flow <> 'void' and state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation');
create unique index attempts_one_live_per_setup_intent on attempts (account_id, setup_intent_id)
  where setup_intent_id is not null and state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation');
create unique index attempts_one_live_per_charge on attempts (account_id, charge_id)
  where flow in ('capture', 'void') and charge_id is not null
    and state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation');
create index attempts_live_voids on attempts (account_id, payment_intent_id)
  where flow = 'void' and state in ('dispatched', 'processing', 'unknown', 'needs_reconciliation');       -- live_of_intents
create unique index attempts_one_per_refund on attempts (account_id, refund_id) where refund_id is not null;
create unique index attempts_one_per_payout on attempts (account_id, payout_id) where payout_id is not null;
create index attempts_on_clock on attempts (account_id, clock_id)
  where clock_id is not null and state in ('dispatched', 'unknown', 'processing');                         -- on_clock
create index attempts_to_reconcile on attempts (account_id, id) where state = 'needs_reconciliation';     -- doctor, verify

-- What processors told by themselves, so that nothing is applied twice.
create table processor_events (
  account_id   text not null constraint processor_events_account references accounts,
  processor    text not null,
  event_id     text not null,
  type         text not null,
  processor_id text not null,               -- the payment, refund or payout it is about
  happened_at  timestamptz not null,
  recorded_at  timestamptz not null,
  primary key (account_id, processor, event_id)
);
