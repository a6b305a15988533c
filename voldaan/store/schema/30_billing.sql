-- ── billing: what was agreed, what is owed for it, and what waits to be billed ──────────────────────────────────────

create table subscriptions (
  account_id                           text not null constraint subscriptions_account references accounts,
  id                                   text not null,
  customer_id                          text not null,
  status                               text not null check (status in ('incomplete', 'incomplete_expired', 'trialing',
                                         'active', 'past_due', 'canceled', 'unpaid', 'paused')),
  collection_method                    text not null check (collection_method in ('charge_automatically', 'send_invoice')),
  currency                             text not null,
  billing_cycle_anchor_at              timestamptz not null,
  current_period_start_at              timestamptz not null,   -- the latest of its items
  current_period_end_at                timestamptz not null,   -- the earliest of its items
  trial_start_at                       timestamptz,
  trial_end_at                         timestamptz,
  cancel_at                            timestamptz,
  cancel_at_period_end                 boolean not null,
  canceled_at                          timestamptz,
  started_at                           timestamptz not null,
  ended_at                             timestamptz,
  default_payment_method_id            text,
  latest_invoice_id                    text,                   -- no foreign key: the invoice points here already
  next_pending_invoice_item_invoice_at timestamptz,
  schedule_id                          text,
  test_clock_id                        text,
  created_at                           timestamptz not null,
  doc                                  jsonb not null,
  primary key (account_id, id),
  constraint subscriptions_customer foreign key (account_id, customer_id) references customers,
  constraint subscriptions_ended check ((status in ('canceled', 'incomplete_expired')) = (ended_at is not null)),
  constraint subscriptions_canceled check (status <> 'canceled' or canceled_at is not null),
  constraint subscriptions_trial check ((trial_start_at is null) = (trial_end_at is null)),
  constraint subscriptions_trialing check (status <> 'trialing' or trial_end_at is not null)
) with (fillfactor = 80);
create index subscriptions_by_customer on subscriptions (account_id, customer_id, id);  -- lists, and the customer's own

create table subscription_items (
  account_id              text not null,
  id                      text not null,
  subscription_id         text not null,
  price_id                text not null,
  quantity                bigint check (quantity >= 0),
  current_period_start_at timestamptz not null,
  current_period_end_at   timestamptz not null,
  created_at              timestamptz not null,
  doc                     jsonb not null,
  primary key (account_id, id),
  constraint subscription_items_subscription foreign key (account_id, subscription_id) references subscriptions,
  constraint subscription_items_price foreign key (account_id, price_id) references prices,
  constraint subscription_items_period check (current_period_start_at <= current_period_end_at)
) with (fillfactor = 80);
create index subscription_items_by_subscription on subscription_items (account_id, subscription_id);  -- every load

-- Makes renewal happen once: a second run that bills the same period of an item breaks the primary key, because the id
-- is the item and the period's start.
create table billed_periods (
  account_id           text not null,
  id                   text not null,
  subscription_item_id text not null,
  period_start_at      timestamptz not null,
  period_end_at        timestamptz not null,
  invoice_id           text not null,
  doc                  jsonb not null,
  primary key (account_id, id)
);

create table invoices (
  account_id                       text not null,
  id                               text not null,
  customer_id                      text not null,
  subscription_id                  text,
  status                           text not null check (status in ('draft', 'open', 'paid', 'uncollectible', 'void')),
  number                           text,
  currency                         text not null,
  collection_method                text not null check (collection_method in ('charge_automatically', 'send_invoice')),
  billing_reason                   text,
  -- minor units
  subtotal                         bigint not null,
  subtotal_excluding_tax           bigint,
  tax                              bigint not null,
  total                            bigint not null,
  total_excluding_tax              bigint,
  starting_balance                 bigint not null,
  ending_balance                   bigint,
  applied_balance                  bigint not null,   -- from the customer's balance: positive paid, negative was billed
  amount_due                       bigint not null,
  amount_paid                      bigint not null,
  amount_paid_out_of_band          bigint not null,
  amount_overpaid                  bigint not null,
  amount_remaining                 bigint not null,
  pre_payment_credit_notes_amount  bigint not null,
  post_payment_credit_notes_amount bigint not null,
  attempt_count                    bigint not null,
  attempted                        boolean not null,
  auto_advance                     boolean not null,
  default_payment_method_id        text,
  test_clock_id                    text,
  period_start_at                  timestamptz not null,
  period_end_at                    timestamptz not null,
  created_at                       timestamptz not null,
  automatically_finalizes_at       timestamptz,
  effective_at                     timestamptz,
  due_at                           timestamptz,
  next_payment_attempt_at          timestamptz,
  finalized_at                     timestamptz,
  paid_at                          timestamptz,
  voided_at                        timestamptz,
  marked_uncollectible_at          timestamptz,
  doc                              jsonb not null,
  primary key (account_id, id),
  constraint invoices_customer foreign key (account_id, customer_id) references customers,
  constraint invoices_subscription foreign key (account_id, subscription_id) references subscriptions,
  constraint invoices_finalized check ((status = 'draft') = (finalized_at is null)),
  constraint invoices_numbered check (status = 'draft' or number is not null),
  constraint invoices_paid check ((status = 'paid') = (paid_at is not null)),
  constraint invoices_void check ((status = 'void') = (voided_at is not null)),
  constraint invoices_uncollectible check (status <> 'uncollectible' or marked_uncollectible_at is not null),
  constraint invoices_nothing_left check (status <> 'paid' or amount_remaining = 0),
  constraint invoices_amounts check (amount_due >= 0 and amount_paid >= 0 and amount_remaining >= 0)
) with (fillfactor = 50);
create unique index invoices_number on invoices (account_id, number) where number is not null;  -- never twice
create index invoices_by_customer on invoices (account_id, customer_id, id);                     -- lists, portal
create index invoices_by_subscription on invoices (account_id, subscription_id, id) where subscription_id is not null;

-- The next number of a book whose invoices have one series; else each customer has a counter of its own.
create table invoice_counters (
  account_id text primary key constraint invoice_counters_account references accounts,
  prefix     text not null,
  next       bigint not null check (next > 0)
);

create table invoice_line_items (
  account_id           text not null,
  id                   text not null,
  invoice_id           text not null,
  subscription_id      text,
  subscription_item_id text,
  invoice_item_id      text,
  price_id             text,
  product_id           text,
  currency             text not null,
  -- minor units
  subtotal             bigint not null,
  amount               bigint not null,
  discount             bigint not null,
  tax                  bigint not null,   -- inclusive and exclusive
  net                  bigint not null,   -- after discounts, without tax: what it earns
  quantity             numeric,
  proration            boolean not null,
  period_start_at      timestamptz not null,
  period_end_at        timestamptz not null,
  doc                  jsonb not null,
  primary key (account_id, id),
  constraint invoice_line_items_invoice foreign key (account_id, invoice_id) references invoices
);
create index invoice_line_items_by_invoice on invoice_line_items (account_id, invoice_id);  -- every load of an invoice

create table invoice_items (
  account_id           text not null,
  id                   text not null,
  customer_id          text not null,
  subscription_id      text,
  subscription_item_id text,
  invoice_id           text,              -- null: pending
  price_id             text,
  currency             text not null,
  amount               bigint not null,
  quantity             numeric not null,
  proration            boolean not null,
  period_start_at      timestamptz not null,
  period_end_at        timestamptz not null,
  test_clock_id        text,
  created_at           timestamptz not null,
  doc                  jsonb not null,
  primary key (account_id, id),
  constraint invoice_items_customer foreign key (account_id, customer_id) references customers,
  constraint invoice_items_invoice foreign key (account_id, invoice_id) references invoices
);
create index invoice_items_by_customer on invoice_items (account_id, customer_id, id);                            -- lists
create index invoice_items_by_invoice on invoice_items (account_id, invoice_id, id) where invoice_id is not null; -- lists
create index invoice_items_pending on invoice_items (account_id, customer_id) where invoice_id is null;           -- renewal

create table invoice_payments (
  account_id        text not null,
  id                text not null,
  invoice_id        text not null,
  payment_intent_id text not null,
  amount_requested  bigint not null check (amount_requested >= 0),
  amount_paid       bigint check (amount_paid >= 0),
  currency          text not null,
  is_default        boolean not null,
  status            text not null check (status in ('open', 'paid', 'canceled')),
  created_at        timestamptz not null,
  paid_at           timestamptz,
  canceled_at       timestamptz,
  doc               jsonb not null,
  primary key (account_id, id),
  constraint invoice_payments_invoice foreign key (account_id, invoice_id) references invoices,
  constraint invoice_payments_paid check ((status = 'paid') = (paid_at is not null and amount_paid is not null)),
  constraint invoice_payments_canceled check ((status = 'canceled') = (canceled_at is not null))
) with (fillfactor = 50);
create index invoice_payments_by_invoice on invoice_payments (account_id, invoice_id);                -- collection
create index invoice_payments_by_payment_intent on invoice_payments (account_id, payment_intent_id);  -- settling

-- What was deferred and earned of an invoice: recognition, voids, write-offs, refunds.
create index postings_deferred on postings (account_id, invoice_id)
  where invoice_id is not null and (debit = 'deferred_revenue' or credit = 'deferred_revenue');
-- Which lines still earn in a month: lines arrive in the order of time, so a summary of the pages is enough.
create index invoice_line_items_by_period_end on invoice_line_items using brin (period_end_at);
