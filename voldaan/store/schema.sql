-- Voldaan's schema: the present truth, readable from top to bottom. migrations/ says how an older database gets here.

-- The role that business transactions run as: it owns nothing, so row-level security binds it.
-- It belongs to the whole server: another database may be making it at this instant.
do $$ begin
  begin
    create role voldaan_app nologin;
  exception when duplicate_object or unique_violation then null;
  end;
  execute format('grant voldaan_app to %I', current_user);
end $$;

-- What the billing run writes has no foreign key to accounts: its rows are written in a transaction of an account that was
-- read, no account is ever deleted, and a key costs 5 µs a row. What it changes has room left on its pages (fillfactor), so
-- that the new version lies beside the old one and no index is touched (docs/performance.md).

-- ── accounts: one book each ─────────────────────────────────────────────────────────────────────────────────────────

create table accounts (
  id               text primary key,
  account_id       text not null constraint accounts_is_itself check (account_id = id),
  livemode         boolean not null,
  business_name    text,
  country          text not null,
  default_currency text not null,
  created_at       timestamptz not null,
  doc              jsonb not null
);

create table api_keys (
  account_id  text not null constraint api_keys_account references accounts,
  id          text not null,
  kind        text not null check (kind in ('secret', 'publishable', 'restricted')),
  hash        bytea not null constraint api_keys_hash unique,   -- sha-256 of the key: looked up before the account is known
  prefix      text not null,                                    -- shown to people: sk_test_…abcd
  created_at  timestamptz not null,
  revoked_at  timestamptz,
  primary key (account_id, id)
);

create table idempotency_keys (
  account_id   text not null constraint idempotency_keys_account references accounts,
  key          text not null,
  request_hash bytea not null,       -- of method, path and parameters
  request_id   text not null,        -- of the request that ran
  created_at   timestamptz not null,
  state        text not null check (state in ('running', 'done')),
  subject      text,                 -- what the request made, to answer from when the process died before it could
  status       int,
  body         bytea,
  primary key (account_id, key),
  constraint idempotency_keys_done check ((state = 'done') = (status is not null and body is not null))
);

-- ── events: what happened, each with a snapshot of the object ───────────────────────────────────────────────────────

-- A row has one event or some of one transaction: the first is known by the row's id and by its type and object; those after
-- it by the id with their place in the row, 1 to f. `each_event` shows each by itself.
create table events (
  account_id      text not null,
  id              text not null,
  type            text not null,
  created_at      timestamptz not null,   -- business time
  recorded_at     timestamptz not null,
  object_id       text not null,
  request_id      text,
  idempotency_key text,
  data            bytea,                  -- compressed JSON of some events of one transaction, each a line:
                                          -- {"object": …, "previous_attributes": …}
  held_by         text,                   -- the row that has it; null: this one
  place           smallint not null default 0,  -- the line of the first event
  more_types      text[],                 -- of the other events
  more_objects    text[],
  primary key (account_id, id),
  constraint events_held check ((data is null) = (held_by is not null)),
  constraint events_more check (cardinality(more_types) is not distinct from cardinality(more_objects))
) with (toast_tuple_target = 8160);       -- a frame stays in its row
create index events_by_object on events (object_id, id);  -- one object's history: event_rows_about
create index events_by_more_objects on events using gin (more_objects) with (fastupdate = off) where more_objects is not null;

-- Each event by itself.
create view each_event with (security_invoker = true) as
select e.account_id,
       case o.nth when 1 then e.id else e.id || to_hex(o.nth - 1) end as id,
       o.type, o.object_id, e.created_at, e.recorded_at, e.request_id, e.idempotency_key,
       coalesce(e.data, h.data) as data, (e.place + o.nth - 1)::int as place,
       e.id as row_id, o.nth
  from events e
 cross join unnest(e.type || e.more_types, e.object_id || e.more_objects) with ordinality as o(type, object_id, nth)
  left join events h on h.account_id = e.account_id and h.id = e.held_by;

-- The row of an event. A query that names events names their rows as well, since only those are in an index.
create function event_row(id text) returns text
  language sql immutable parallel safe
  return left(id, 30);

-- The rows that tell of any of these objects. PostgreSQL does not trust comparisons of arrays to keep secrets, so that under
-- row-level security they find no index: this runs as the owner, within the transaction's own account.
create function event_rows_about(objects text[]) returns setof text
  language sql stable security definer
begin atomic
  select id from events where account_id = current_setting('voldaan.account') and object_id = any(objects)
  union
  select id from events where account_id = current_setting('voldaan.account') and more_objects && objects;
end;

create table webhook_endpoints (
  account_id     text not null constraint webhook_endpoints_account references accounts,
  id             text not null,
  status         text not null check (status in ('enabled', 'disabled')),
  url            text not null,
  enabled_events jsonb not null,
  created_at     timestamptz not null,
  doc            jsonb not null,
  primary key (account_id, id)
);

-- One row per try; what is still to be tried is due work.
create table webhook_deliveries (
  account_id   text not null,
  event_id     text not null,         -- of events or of core_events
  endpoint_id  text not null,
  try          int not null,
  at           timestamptz not null,
  result       text not null,         -- delivered, refused, timed_out, …
  status       int,                   -- the HTTP status, if there was one
  elapsed_ms   int not null,
  primary key (account_id, event_id, endpoint_id, try)
);

-- ── due work: whatever happens by itself is a row that people can see ───────────────────────────────────────────────

create table due (
  account_id  text not null,
  kind        text not null,
  subject     text not null,
  due_at      timestamptz not null,
  clock_id    text,                    -- null: the wall clock; else a test clock, whose work runs strictly in order
  tries       int not null default 0,
  lease       text,                    -- token of the worker that has it, for work with a call to the outside
  leased_until timestamptz,
  error       text,                    -- why the last try failed
  parked_at   timestamptz,             -- given up: a person must look
  subjects    text[],                  -- of work that is for many: all of them, `subject` being the first
  primary key (account_id, kind, subject, due_at)
);
-- Claims: the wall clock's next work of a kind, and a test clock's next work of any kind. The first serves who asks which account
-- has work, and an account that looks for its own: it goes from instant to instant, past what of others is due at the same.
create index due_by_time on due (kind, greatest(due_at, leased_until), account_id) where clock_id is null and parked_at is null;
create index due_by_clock on due (account_id, clock_id, due_at) where clock_id is not null and parked_at is null;

create table test_clocks (
  account_id   text not null constraint test_clocks_account references accounts,
  id           text not null,
  status       text not null check (status in ('ready', 'advancing', 'internal_failure')),
  frozen_at    timestamptz not null,
  target_at    timestamptz,
  created_at   timestamptz not null,
  deleted_at   timestamptz,
  doc          jsonb not null,
  primary key (account_id, id),
  constraint test_clocks_advancing check ((status = 'advancing') = (target_at is not null))
);

-- ── the ledger: append-only, one debit and one credit each ──────────────────────────────────────────────────────────

create table postings (
  account_id   text not null,
  source       text not null,          -- the object that caused it
  fact         text not null,
  leg          smallint not null,
  debit        text not null,
  credit       text not null,
  amount       bigint not null constraint postings_positive check (amount > 0),
  currency     text not null,
  effective_at timestamptz not null,   -- when it counts
  recorded_at  timestamptz not null,   -- when we knew
  customer_id  text,
  invoice_id   text,
  primary key (account_id, source, fact, leg),
  constraint postings_two_sides check (debit <> credit)
);
create index postings_by_time on postings using brin (recorded_at);  -- the tail after the last rollup

-- Balances up to and including `through`; today's tail is summed from postings.
create table ledger_rollups (
  account_id     text not null,
  ledger_account text not null,
  currency       text not null,
  through        timestamptz not null, -- of recorded_at
  debits         numeric not null,
  credits        numeric not null,
  primary key (account_id, ledger_account, currency, through)
);
-- ── the catalogue: what is sold, what it costs, what is taken off, which tax is added ───────────────────────────────

create table products (
  account_id       text not null constraint products_account references accounts,
  id               text not null,
  active           boolean not null,
  name             text not null,
  type             text not null check (type in ('good', 'service')),
  shippable        boolean,
  url              text,
  default_price_id text,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  sort_key         text not null check (sort_key <> ''),     -- sorts by time, as ids of the caller's own do not
  deleted_at       timestamptz,
  doc              jsonb not null,
  primary key (account_id, id)
);

create table prices (
  account_id          text not null constraint prices_account references accounts,
  id                  text not null,
  product_id          text not null,
  active              boolean not null,
  type                text not null check (type in ('one_time', 'recurring')),
  currency            text not null,
  unit_amount         bigint,            -- minor units; null when the decimal is not whole, or there are tiers
  unit_amount_decimal numeric,           -- minor units, up to twelve places
  lookup_key          text,
  interval            text check (interval in ('day', 'week', 'month', 'year')),
  interval_count      bigint check (interval_count > 0),
  usage_type          text check (usage_type in ('licensed', 'metered')),
  meter_id            text,
  trial_period_days   bigint,
  transform_quantity  jsonb,
  created_at          timestamptz not null,
  sort_key            text not null check (sort_key <> ''),     -- as of products
  deleted_at          timestamptz,
  doc                 jsonb not null,
  primary key (account_id, id),
  constraint prices_product foreign key (account_id, product_id) references products,
  constraint prices_recurring check (
    (type = 'recurring') = (interval is not null and interval_count is not null and usage_type is not null)
  ),
  constraint prices_metered check (meter_id is null or usage_type = 'metered')
);
create unique index prices_lookup_key on prices (account_id, lookup_key) where lookup_key is not null;
create index prices_by_product on prices (account_id, product_id, id);  -- lists, and whether a product may be deleted

alter table products
  add constraint products_default_price foreign key (account_id, default_price_id) references prices deferrable initially deferred;

create table coupons (
  account_id      text not null constraint coupons_account references accounts,
  id              text not null,
  amount_off      bigint check (amount_off > 0),
  currency        text,
  duration        text not null check (duration in ('forever', 'once', 'repeating')),
  max_redemptions bigint check (max_redemptions > 0),
  times_redeemed  bigint not null check (times_redeemed >= 0),
  redeem_by       timestamptz,
  valid           boolean not null,
  created_at      timestamptz not null,
  sort_key        text not null check (sort_key <> ''),         -- as of products
  deleted_at      timestamptz,
  doc             jsonb not null,
  primary key (account_id, id),
  constraint coupons_amount_in_currency check ((amount_off is null) = (currency is null)),
  constraint coupons_not_beyond_max check (times_redeemed <= max_redemptions)
);

create table tax_rates (
  account_id text not null constraint tax_rates_account references accounts,
  id         text not null,
  active     boolean not null,
  inclusive  boolean not null,
  created_at timestamptz not null,
  doc        jsonb not null,
  primary key (account_id, id)
);
-- ── customers: who buys and pays, and what is granted to them ───────────────────────────────────────────────────────

create table customers (
  account_id            text not null constraint customers_account references accounts,
  id                    text not null,
  email                 text,
  name                  text,
  balance               bigint not null,   -- minor units of `currency`; negative is credit
  currency              text,
  delinquent            boolean not null,
  invoice_prefix        text not null,
  next_invoice_sequence bigint not null check (next_invoice_sequence > 0),
  test_clock_id         text,
  created_at            timestamptz not null,
  deleted_at            timestamptz,
  doc                   jsonb not null,
  primary key (account_id, id),
  constraint customers_invoice_prefix unique (account_id, invoice_prefix),
  constraint customers_test_clock foreign key (account_id, test_clock_id) references test_clocks
    on delete set null (test_clock_id),
  constraint customers_balance_in_currency check (balance = 0 or currency is not null)
) with (fillfactor = 50);
create index customers_by_email on customers (account_id, email, id) where email is not null;  -- lists
create index customers_by_clock on customers (account_id, test_clock_id, id) where test_clock_id is not null;  -- lists

create table tax_ids (
  account_id  text not null constraint tax_ids_account references accounts,
  id          text not null,
  customer_id text,                         -- null: the business itself
  type        text not null,
  value       text not null,
  created_at  timestamptz not null,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint tax_ids_customer foreign key (account_id, customer_id) references customers
);
create index tax_ids_by_customer on tax_ids (account_id, customer_id, id);  -- lists, and what an invoice prints

-- What the balance became, and why. Amounts never change.
create table customer_balance_transactions (
  account_id     text not null constraint customer_balance_transactions_account references accounts,
  id             text not null,
  customer_id    text not null,
  type           text not null,
  amount         bigint not null,           -- minor units; negative adds credit
  currency       text not null,
  ending_balance bigint not null,
  invoice_id     text,
  credit_note_id text,
  created_at     timestamptz not null,
  doc            jsonb not null,
  primary key (account_id, id),
  constraint customer_balance_transactions_customer foreign key (account_id, customer_id) references customers
);
create index customer_balance_transactions_by_customer on customer_balance_transactions (account_id, customer_id, id);  -- lists

create table discounts (
  account_id           text not null constraint discounts_account references accounts,
  id                   text not null,
  coupon_id            text not null,
  promotion_code_id    text,
  customer_id          text,
  subscription_id      text,
  subscription_item_id text,
  invoice_id           text,
  invoice_item_id      text,
  start_at             timestamptz not null,
  end_at               timestamptz,
  doc                  jsonb not null,
  primary key (account_id, id),
  constraint discounts_coupon foreign key (account_id, coupon_id) references coupons,
  constraint discounts_customer foreign key (account_id, customer_id) references customers,
  constraint discounts_in_order check (end_at >= start_at)
);
create index discounts_by_customer on discounts (account_id, customer_id) where customer_id is not null;  -- what is in force
create index discounts_by_subscription on discounts (account_id, subscription_id) where subscription_id is not null;

-- What customers type in to have a coupon.
create table promotion_codes (
  account_id      text not null constraint promotion_codes_account references accounts,
  id              text not null,
  active          boolean not null,
  code            text not null,
  code_key        text not null constraint promotion_codes_key check (code_key = lower(code)),
  coupon_id       text not null,
  customer_id     text,
  expires_at      timestamptz,
  max_redemptions bigint check (max_redemptions > 0),
  times_redeemed  bigint not null check (times_redeemed >= 0),
  created_at      timestamptz not null,
  doc             jsonb not null,
  primary key (account_id, id),
  constraint promotion_codes_coupon foreign key (account_id, coupon_id) references coupons,
  constraint promotion_codes_customer foreign key (account_id, customer_id) references customers,
  constraint promotion_codes_not_beyond_max check (times_redeemed <= max_redemptions)
);
create unique index promotion_codes_active on promotion_codes (account_id, code_key, coalesce(customer_id, '')) where active;
create index promotion_codes_by_code on promotion_codes (account_id, code_key, id);      -- lists
create index promotion_codes_by_coupon on promotion_codes (account_id, coupon_id, id);   -- lists, and when the coupon ends
create index promotion_codes_by_customer on promotion_codes (account_id, customer_id, id) where customer_id is not null;

alter table discounts
  add constraint discounts_promotion_code foreign key (account_id, promotion_code_id) references promotion_codes;

-- Billing credits: what a customer has in advance for metered usage, and every movement of it.
create table credit_grants (
  account_id    text not null constraint credit_grants_account references accounts,
  id            text not null,
  customer_id   text not null,
  category      text not null check (category in ('paid', 'promotional')),
  priority      bigint not null check (priority between 0 and 100),
  currency      text not null,
  value         bigint not null check (value > 0),       -- minor units granted
  balance       bigint not null constraint credit_grants_balance check (balance between 0 and value),  -- what is left
  effective_at  timestamptz not null,
  expires_at    timestamptz,
  voided_at     timestamptz,
  created_at    timestamptz not null,
  updated_at    timestamptz not null,
  test_clock_id text,
  doc           jsonb not null,
  primary key (account_id, id),
  constraint credit_grants_customer foreign key (account_id, customer_id) references customers,
  constraint credit_grants_void_is_empty check (voided_at is null or balance = 0)
) with (fillfactor = 50);
create index credit_grants_by_customer on credit_grants (account_id, customer_id, id);  -- lists, and what can be used

create table credit_balance_transactions (
  account_id           text not null constraint credit_balance_transactions_account references accounts,
  id                   text not null,
  credit_grant_id      text not null,
  customer_id          text not null,
  category             text not null check (category in ('paid', 'promotional')),
  movement             text not null check (movement in ('credits_granted', 'credits_application_invoice_voided',
    'credits_applied', 'credits_expired', 'credits_voided')),
  value                bigint not null check (value > 0),  -- minor units, to the balance or from it
  currency             text not null,
  invoice_id           text,
  invoice_line_item_id text,
  effective_at         timestamptz not null,
  created_at           timestamptz not null,
  test_clock_id        text,
  doc                  jsonb not null,
  primary key (account_id, id),
  constraint credit_balance_transactions_grant foreign key (account_id, credit_grant_id) references credit_grants,
  constraint credit_balance_transactions_customer foreign key (account_id, customer_id) references customers,
  constraint credit_balance_transactions_place check (
    (movement in ('credits_applied', 'credits_application_invoice_voided')) = (invoice_id is not null)
    and (invoice_id is null) = (invoice_line_item_id is null))
);
create index credit_balance_transactions_by_customer on credit_balance_transactions (account_id, customer_id, id);  -- lists
create index credit_balance_transactions_by_grant on credit_balance_transactions (account_id, credit_grant_id, id); -- lists
create index credit_balance_transactions_by_invoice on credit_balance_transactions (account_id, invoice_id)
  where invoice_id is not null;  -- what an invoice took
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
  constraint payment_intents_canceled check ((status = 'canceled') = (canceled_at is not null)),
  constraint payment_intents_held check ((status = 'requires_capture') = (amount_capturable > 0)),
  constraint payment_intents_never_too_much check (amount_received <= amount),
  constraint payment_intents_received check (status <> 'succeeded' or amount_received > 0)
) with (fillfactor = 50);
create index payment_intents_by_customer on payment_intents (customer_id, id)
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
  has_thresholds                       boolean not null default false,
  created_at                           timestamptz not null,
  doc                                  jsonb not null,
  primary key (account_id, id),
  constraint subscriptions_customer foreign key (account_id, customer_id) references customers,
  constraint subscriptions_ended check ((status in ('canceled', 'incomplete_expired')) = (ended_at is not null)),
  constraint subscriptions_canceled check (status <> 'canceled' or canceled_at is not null),
  constraint subscriptions_trial check ((trial_start_at is null) = (trial_end_at is null)),
  constraint subscriptions_trialing check (status <> 'trialing' or trial_end_at is not null)
) with (fillfactor = 50);
create index subscriptions_by_customer on subscriptions (account_id, customer_id, id);  -- lists, and the customer's own
create index subscriptions_thresholds on subscriptions (account_id, customer_id) where has_thresholds;  -- as usage comes

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
) with (fillfactor = 50);
create index subscription_items_by_subscription on subscription_items (account_id, subscription_id);  -- every load
create index subscription_items_by_price on subscription_items (account_id, price_id);  -- who has to do with a product

-- The phases that a subscription goes through.
create table subscription_schedules (
  account_id               text not null,
  id                       text not null,
  customer_id              text not null,
  subscription_id          text,                          -- which it manages, or managed until its end
  released_subscription_id text,                          -- which it managed until it was released
  status                   text not null check (status in ('not_started', 'active', 'completed', 'released', 'canceled')),
  end_behavior             text not null check (end_behavior in ('cancel', 'release')),
  next_at                  timestamptz,                   -- when the next phase begins, or the last one ends
  canceled_at              timestamptz,
  completed_at             timestamptz,
  released_at              timestamptz,
  test_clock_id            text,
  created_at               timestamptz not null,
  doc                      jsonb not null,
  primary key (account_id, id),
  constraint subscription_schedules_customer foreign key (account_id, customer_id) references customers,
  constraint subscription_schedules_subscription foreign key (account_id, subscription_id) references subscriptions,
  constraint subscription_schedules_released_subscription
    foreign key (account_id, released_subscription_id) references subscriptions,
  constraint subscription_schedules_running check (status <> 'active' or (subscription_id is not null and next_at is not null)),
  constraint subscription_schedules_waiting check (status <> 'not_started' or (subscription_id is null and next_at is not null)),
  constraint subscription_schedules_over check (status in ('not_started', 'active') or next_at is null),
  constraint subscription_schedules_canceled check ((status = 'canceled') = (canceled_at is not null)),
  constraint subscription_schedules_completed check ((status = 'completed') = (completed_at is not null)),
  constraint subscription_schedules_released check ((status = 'released') = (released_at is not null))
) with (fillfactor = 80);
create index subscription_schedules_by_customer on subscription_schedules (account_id, customer_id, id);
create index subscription_schedules_by_subscription on subscription_schedules (account_id, subscription_id)
  where subscription_id is not null;

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

create table invoice_rendering_templates (
  account_id text not null constraint invoice_rendering_templates_account references accounts,
  id         text not null,
  status     text not null check (status in ('active', 'archived')),
  created_at timestamptz not null,
  doc        jsonb not null,
  primary key (account_id, id)
);

create table shipping_rates (
  account_id text not null constraint shipping_rates_account references accounts,
  id         text not null,
  active     boolean not null,
  created_at timestamptz not null,
  doc        jsonb not null,
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
  constraint invoices_finalized check ((status = 'draft') = (finalized_at is null)),
  constraint invoices_numbered check (status = 'draft' or number is not null),
  constraint invoices_paid check ((status = 'paid') = (paid_at is not null)),
  constraint invoices_void check ((status = 'void') = (voided_at is not null)),
  constraint invoices_uncollectible check (status <> 'uncollectible' or marked_uncollectible_at is not null),
  constraint invoices_nothing_left check (status <> 'paid' or amount_remaining = 0),
  constraint invoices_amounts check (amount_due >= 0 and amount_paid >= 0 and amount_remaining >= 0)
) with (fillfactor = 50);
create unique index invoices_number on invoices (account_id, number) where number is not null;  -- never twice
create index invoices_by_customer on invoices (customer_id, id);                     -- lists, portal
create index invoices_by_subscription on invoices (subscription_id, id) where subscription_id is not null;

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
  primary key (account_id, id)
);
create index invoice_line_items_by_invoice on invoice_line_items (invoice_id);  -- every load of an invoice

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
  constraint invoice_payments_paid check ((status = 'paid') = (paid_at is not null and amount_paid is not null)),
  constraint invoice_payments_canceled check ((status = 'canceled') = (canceled_at is not null))
) with (fillfactor = 50);
create index invoice_payments_by_invoice on invoice_payments (invoice_id);                -- collection
create index invoice_payments_by_payment_intent on invoice_payments (payment_intent_id);  -- settling

-- What was deferred and earned of an invoice: recognition, voids, write-offs, refunds.
create index postings_deferred on postings (invoice_id)
  where invoice_id is not null and (debit = 'deferred_revenue' or credit = 'deferred_revenue');
-- Which lines still earn in a month: lines arrive in the order of time, so a summary of the pages is enough.
create index invoice_line_items_by_period_end on invoice_line_items using brin (period_end_at);
-- ── contracts: what was agreed with a customer beside the price list ────────────────────────────────────────────────

create table contracts (
  account_id      text not null constraint contracts_account references accounts,
  id              text not null,
  customer_id     text not null,
  subscription_id text,               -- that the minimum is held against
  status          text not null check (status in ('active', 'ended')),
  starts_at       timestamptz not null,
  ends_at         timestamptz,
  created_at      timestamptz not null,
  doc             jsonb not null,
  primary key (account_id, id),
  constraint contracts_customer foreign key (account_id, customer_id) references customers,
  constraint contracts_subscription foreign key (account_id, subscription_id) references subscriptions,
  constraint contracts_in_order check (ends_at is null or starts_at <= ends_at),
  constraint contracts_over check (status = 'active' or ends_at is not null or subscription_id is not null)
);
create index contracts_by_customer on contracts (account_id, customer_id, id);  -- every load of billing, lists

-- Intervals of a minimum that are over: each settled once, because the id is the contract and the start.
create table commitment_periods (
  account_id      text not null,
  id              text not null,
  contract_id     text not null,
  subscription_id text not null,
  invoice_id      text not null,      -- the first that looked at it
  currency        text not null,
  period_start_at timestamptz not null,
  period_end_at   timestamptz not null,
  committed       bigint not null check (committed >= 0),  -- minor units, as all that follows
  spent           bigint not null,
  charged         bigint not null check (charged >= 0),
  open            boolean not null,   -- usage may still arrive
  doc             jsonb not null,
  primary key (account_id, id),
  constraint commitment_periods_contract foreign key (account_id, contract_id) references contracts,
  constraint commitment_periods_kept check (charged = greatest(committed - spent, 0))
);
create index commitment_periods_by_contract on commitment_periods (account_id, contract_id, id);  -- lists
create index commitment_periods_by_invoice on commitment_periods (account_id, invoice_id);         -- finalization
create index commitment_periods_open on commitment_periods (account_id, subscription_id) where open;  -- late usage

-- ── entitlements: what customers have access to because they subscribe ─────────────────────────────────────────────

create table features (
  account_id text not null constraint features_account references accounts,
  id         text not null,
  active     boolean not null,
  lookup_key text not null,
  name       text not null,
  doc        jsonb not null,
  primary key (account_id, id)
);
create unique index features_lookup_key on features (account_id, lookup_key) where active;

create table product_features (
  account_id text not null constraint product_features_account references accounts,
  id         text not null,
  product_id text not null,
  feature_id text not null,
  doc        jsonb not null,
  primary key (account_id, id),
  constraint product_features_product foreign key (account_id, product_id) references products,
  constraint product_features_feature foreign key (account_id, feature_id) references features,
  constraint product_features_once unique (account_id, product_id, feature_id)
);

create table active_entitlements (
  account_id  text not null constraint active_entitlements_account references accounts,
  id          text not null,
  customer_id text not null,
  feature_id  text not null,
  lookup_key  text not null,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint active_entitlements_customer foreign key (account_id, customer_id) references customers,
  constraint active_entitlements_feature foreign key (account_id, feature_id) references features,
  constraint active_entitlements_once unique (account_id, customer_id, feature_id)
);

-- ── credit notes: what is taken back of finalized invoices ────────────────────────────────────────────────────────────

create table credit_notes (
  account_id          text not null,
  id                  text not null,
  customer_id         text not null,
  invoice_id          text not null,
  status              text not null check (status in ('issued', 'void')),
  type                text not null check (type in ('mixed', 'post_payment', 'pre_payment')),
  number              text not null,
  currency            text not null,
  -- minor units
  amount              bigint not null constraint credit_notes_positive check (amount > 0),
  net                 bigint not null,
  tax                 bigint not null,
  recognised          bigint not null,           -- how much of the net had been revenue when it was issued
  pre_payment_amount  bigint not null check (pre_payment_amount >= 0),
  post_payment_amount bigint not null check (post_payment_amount >= 0),
  refund_amount       bigint not null check (refund_amount >= 0),
  credit_amount       bigint not null check (credit_amount >= 0),
  out_of_band_amount  bigint check (out_of_band_amount >= 0),
  created_at          timestamptz not null,
  voided_at           timestamptz,
  doc                 jsonb not null,
  primary key (account_id, id),
  constraint credit_notes_customer foreign key (account_id, customer_id) references customers,
  constraint credit_notes_invoice foreign key (account_id, invoice_id) references invoices,
  constraint credit_notes_number unique (account_id, number),
  constraint credit_notes_void check ((status = 'void') = (voided_at is not null)),
  constraint credit_notes_parts check (amount = net + tax and amount = pre_payment_amount + post_payment_amount),
  constraint credit_notes_given_back check (post_payment_amount = refund_amount + credit_amount + coalesce(out_of_band_amount, 0))
);
create index credit_notes_by_invoice on credit_notes (account_id, invoice_id, id);    -- lists, and what is left to credit
create index credit_notes_by_customer on credit_notes (account_id, customer_id, id);  -- lists

create table credit_note_line_items (
  account_id           text not null,
  id                   text not null,
  credit_note_id       text not null,
  invoice_line_item_id text,
  type                 text not null check (type in ('custom_line_item', 'invoice_line_item')),
  -- minor units
  amount               bigint not null,
  discount             bigint not null,
  tax                  bigint not null,          -- inclusive and exclusive
  net                  bigint not null,
  quantity             bigint,
  doc                  jsonb not null,
  primary key (account_id, id),
  constraint credit_note_line_items_credit_note foreign key (account_id, credit_note_id) references credit_notes,
  constraint credit_note_line_items_of_invoice check ((type = 'invoice_line_item') = (invoice_line_item_id is not null))
);
create index credit_note_line_items_by_credit_note on credit_note_line_items (account_id, credit_note_id, id);  -- lists

-- What a note takes back of each line of its invoice, whatever its own lines say: nothing is credited twice, and revenue
-- is earned of the rest only.
create table credited_lines (
  account_id           text not null,
  id                   text not null,
  credit_note_id       text not null,
  invoice_line_item_id text not null,
  -- minor units
  amount               bigint not null,
  net                  bigint not null,
  tax                  bigint not null,
  quantity             bigint not null,
  doc                  jsonb not null,
  primary key (account_id, id),
  constraint credited_lines_credit_note foreign key (account_id, credit_note_id) references credit_notes,
  constraint credited_lines_invoice_line_item foreign key (account_id, invoice_line_item_id) references invoice_line_items
);
create index credited_lines_by_credit_note on credited_lines (account_id, credit_note_id);          -- every load of a note
create index credited_lines_by_invoice_line_item on credited_lines (account_id, invoice_line_item_id);  -- what is left

-- ── pages: who is signed in ─────────────────────────────────────────────────────────────────────────────────────────

-- What sign-in links are signed with: made at the first run, never shown. No policy follows, so business transactions
-- cannot read it; the pages do so as the owner.
create table web_secrets (
  name       text primary key,
  secret     bytea not null,
  created_at timestamptz not null
);
alter table web_secrets enable row level security;

create table web_sessions (
  account_id text not null constraint web_sessions_account references accounts,
  hash       bytea not null,              -- sha-256 of the cookie's token
  created_at timestamptz not null,
  seen_at    timestamptz not null,        -- by a person, not by a page that refreshes itself
  expires_at timestamptz not null,        -- however busy
  primary key (account_id, hash),
  constraint web_sessions_in_order check (created_at <= seen_at and created_at < expires_at)
);
alter table web_sessions enable row level security;
create policy web_sessions_account on web_sessions using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on web_sessions to voldaan_app;
-- ── reports: what is read from events once and kept (reports/mrr.py); all of it can be thrown away and read again ────

-- Monthly recurring revenue of each subscription, after the last event that was read of it.
create table mrr_subscriptions (
  account_id      text not null,
  subscription_id text not null,
  customer_id     text not null,
  currency        text not null,
  amount          bigint not null check (amount >= 0),   -- minor units a month
  event_id        text not null,                         -- the last event that was read of it
  snapshot_id     text not null,                         -- the event that shows it as it is
  valued_at       timestamptz not null default 'epoch',  -- contracts that began or ended before are in the amount
  primary key (account_id, subscription_id)
);
create index mrr_subscriptions_by_customer on mrr_subscriptions (account_id, customer_id);  -- a customer's total

-- Every change of it: what charts sum and what every number opens into.
create table mrr_movements (
  account_id      text not null,
  event_id        text not null,                         -- what caused it: an event, or a contract that began or ended
  subscription_id text not null,
  customer_id     text not null,
  currency        text not null,
  kind            text not null check (kind in ('new', 'expansion', 'contraction', 'churn', 'reactivation')),
  amount          bigint not null check (amount > 0),    -- minor units a month; the kind says up or down
  at              timestamptz not null,                  -- business time
  primary key (account_id, event_id, subscription_id, at, kind)
);
create index mrr_movements_by_customer on mrr_movements (account_id, customer_id, currency);  -- new or back again
create index mrr_movements_by_time on mrr_movements (account_id, at);                         -- sums by month

-- How far events were read. Ids are made before their transaction commits, so an event can appear behind the cursor:
-- the last minutes are read again, but for what is remembered as read.
create table mrr_cursors (
  account_id text primary key constraint mrr_cursors_account references accounts,
  event_id   text not null
);
create table mrr_read (
  account_id text not null,
  event_id   text not null,
  primary key (account_id, event_id)
);

alter table mrr_subscriptions enable row level security;
create policy mrr_subscriptions_account on mrr_subscriptions using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on mrr_subscriptions to voldaan_app;

alter table mrr_movements enable row level security;
create policy mrr_movements_account on mrr_movements using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on mrr_movements to voldaan_app;

alter table mrr_cursors enable row level security;
create policy mrr_cursors_account on mrr_cursors using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on mrr_cursors to voldaan_app;

alter table mrr_read enable row level security;
create policy mrr_read_account on mrr_read using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on mrr_read to voldaan_app;

-- ── usage: meters, their events, what they add up to ────────────────────────────────────────────────────────────────

-- A meter adds up the events of its name. One that was made through /v1 has the name for itself among its like; those
-- with a filter, dimensions or a formula of ours (/voldaan/meters) may listen to it too.
create table meters (
  account_id text not null constraint meters_account references accounts,
  id         text not null,
  event_name text not null,
  status     text not null check (status in ('active', 'inactive')),
  plain      boolean not null,          -- made through /v1
  created_at timestamptz not null,
  doc        jsonb not null,
  primary key (account_id, id)
);
create unique index meters_event_name on meters (account_id, event_name) where plain and status = 'active';
create index meters_by_event_name on meters (account_id, event_name);   -- every event

-- What a customer used of a meter, in one place of its dimensions: events and sums point here by a short number.
create table usage_series (
  account_id     text not null,
  id             bigint generated by default as identity,
  meter_id       text not null,
  customer_id    text not null,
  dimensions_key text not null,         -- '' without dimensions, else a digest of them
  dimensions     jsonb not null,
  primary key (account_id, id),
  constraint usage_series_once unique (account_id, customer_id, meter_id, dimensions_key),
  constraint usage_series_meter foreign key (account_id, meter_id) references meters,
  constraint usage_series_customer foreign key (account_id, customer_id) references customers
);

-- What an event is known by: 14 bytes of SHA-256 over account and identifier, then its place in two, so that all places of an
-- event are neighbours. (A text becomes bytes through a cast, which reads backslashes: they are doubled.)
create function event_digest(account text, identifier text, place smallint) returns uuid
  language sql immutable parallel safe
  return encode(substr(sha256(replace(account || ' ' || identifier, '\', '\\')::bytea), 1, 14) || int2send(place), 'hex')::uuid;

-- Every event, once for ever: its digest is the key, which has a third of the bytes of what it stands for. Where several meters
-- listen, each has a row, told apart by `place`; an event that no meter's filter lets through has one without a series. No
-- foreign key: 20,000 come each second.
create table meter_events (
  account_id  text not null,
  identifier  text not null,
  place       smallint not null,
  digest      uuid not null generated always as (event_digest(account_id, identifier, place)) stored,
  series_id   bigint,
  at          timestamptz not null,      -- when it happened, as the caller says
  received_at timestamptz not null,      -- to the microsecond: of two events at one second the later one is the last
  canceled_at timestamptz,
  value       numeric not null,
  text_value  text,                      -- what is told apart by count_distinct
  primary key (digest)            -- the account stands in it
);
create index meter_events_by_series on meter_events (account_id, series_id, at) where canceled_at is null;  -- parts of hours
create index meter_events_by_receipt on meter_events using brin (received_at) with (pages_per_range = 32);  -- what came in lately, to be checked

-- The sum of each hour, kept in the transaction that brings the event.
create table usage_rollups (
  account_id text not null,
  series_id  bigint not null,
  hour_at    timestamptz not null,
  events     bigint not null check (events > 0),
  total      numeric not null,
  most       numeric not null,
  last       numeric[] not null,         -- of the last event: at, received_at (epoch seconds), value; the greatest is the last
  primary key (account_id, series_id, hour_at)
) with (fillfactor = 80);

-- The different values of each hour, for meters that count them.
create table usage_values (
  account_id text not null,
  series_id  bigint not null,
  hour_at    timestamptz not null,
  value      text not null,
  events     bigint not null check (events >= 0),
  primary key (account_id, series_id, hour_at, value)
);

-- Events that could not be counted, with the reason: kept, reported, never dropped.
create table meter_event_errors (
  account_id  text not null constraint meter_event_errors_account references accounts,
  id          text not null,
  code        text not null,
  message     text not null,
  meter_id    text,                      -- null: no meter has the event's name
  event_name  text not null,
  identifier  text not null,
  payload     jsonb not null,
  received_at timestamptz not null,
  reported_at timestamptz,
  primary key (account_id, id)
);
create index meter_event_errors_unreported on meter_event_errors (account_id, received_at) where reported_at is null;

-- Tokens for the stream of events, valid for some minutes.
create table meter_event_sessions (
  account_id text not null constraint meter_event_sessions_account references accounts,
  id         text not null,
  hash       bytea not null,             -- sha-256 of the token, which names its account
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (account_id, id),
  constraint meter_event_sessions_hash unique (account_id, hash)
);

-- Thin events: what happened in the way of /v2, with a reference to the object instead of a snapshot.
create table core_events (
  account_id   text not null constraint core_events_account references accounts,
  id           text not null,
  type         text not null,
  created_at   timestamptz not null,
  related_type text,
  related_id   text,
  data         jsonb not null,
  primary key (account_id, id)
);
-- What was billed of a meter for a subscription item and a stretch of time: usage that arrives later is the difference.
create table usage_periods (
  account_id           text not null,
  id                   text not null,    -- the item and the start: billed once
  customer_id          text not null,
  subscription_id      text not null,
  subscription_item_id text not null,    -- which may be gone by now
  meter_id             text not null,
  price_id             text not null,
  currency             text not null,
  period_start_at      timestamptz not null,
  period_end_at        timestamptz not null,
  quantity             numeric not null, -- what the meter said when it was last billed
  amount               bigint not null,  -- minor units, before discounts and tax: what was billed in all
  open                 boolean not null, -- something may still arrive
  doc                  jsonb not null,
  primary key (account_id, id),
  constraint usage_periods_time check (period_start_at < period_end_at)
);
create index usage_periods_open on usage_periods (account_id, subscription_id) where open;  -- late usage

alter table usage_periods enable row level security;
create policy usage_periods_account on usage_periods using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on usage_periods to voldaan_app;

-- ── tax: where the business is established and registered ───────────────────────────────────────────────────────────

create table tax_settings (
  account_id text not null constraint tax_settings_account references accounts,
  id         text not null constraint tax_settings_one check (id = 'settings'),
  created_at timestamptz not null,
  doc        jsonb not null,
  primary key (account_id, id)
);

-- Which taxes are collected, from when until when.
create table tax_registrations (
  account_id     text not null constraint tax_registrations_account references accounts,
  id             text not null,
  country        text not null,
  scheme         text not null,
  state          text,
  active_from_at timestamptz not null,
  expires_at     timestamptz,
  created_at     timestamptz not null,
  doc            jsonb not null,
  primary key (account_id, id),
  constraint tax_registrations_in_order check (expires_at >= active_from_at)
);

-- Rates of the seller's own, where the table of rates has none or another one holds.
create table tax_rules (
  account_id     text not null constraint tax_rules_account references accounts,
  id             text not null,
  country        text not null,
  active_from_at timestamptz not null,
  expires_at     timestamptz,
  created_at     timestamptz not null,
  doc            jsonb not null,
  primary key (account_id, id),
  constraint tax_rules_in_order check (expires_at >= active_from_at)
);

create table tax_locations (
  account_id text not null constraint tax_locations_account references accounts,
  id         text not null,
  created_at timestamptz not null,
  doc        jsonb not null,
  primary key (account_id, id)
);

-- What a tax provider over a network answered, with what it was asked: used for exactly that. Never changes; what nobody
-- needs any more is taken away (commands/tax_answers.py).
create table tax_answers (
  account_id  text not null constraint tax_answers_account references accounts,
  provider    text not null,
  fingerprint text not null,       -- of the question
  question    jsonb not null,
  answer      jsonb not null,      -- the taxes of each line
  recorded_at timestamptz not null,
  needed      boolean not null default false,  -- an invoice that was finalized rests on it
  primary key (account_id, provider, fingerprint)
);
create index tax_answers_by_time on tax_answers (account_id, recorded_at) where not needed;  -- what may be taken away

-- What tax a sale would bear, and the tax that then became due. Neither ever changes.
create table tax_calculations (
  account_id  text not null constraint tax_calculations_account references accounts,
  id          text not null,
  customer_id text,
  currency    text not null,
  expires_at  timestamptz,
  created_at  timestamptz not null,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint tax_calculations_customer foreign key (account_id, customer_id) references customers
);

create table tax_calculation_line_items (
  account_id     text not null constraint tax_calculation_line_items_account references accounts,
  id             text not null,
  calculation_id text not null,
  doc            jsonb not null,
  primary key (account_id, id),
  constraint tax_calculation_line_items_calculation foreign key (account_id, calculation_id) references tax_calculations
);
create index tax_calculation_line_items_by_calculation on tax_calculation_line_items (account_id, calculation_id, id);  -- lists

create table tax_transactions (
  account_id     text not null constraint tax_transactions_account references accounts,
  id             text not null,
  type           text not null check (type in ('transaction', 'reversal')),
  reference      text not null,
  customer_id    text,
  currency       text not null,
  calculation_id text,
  original_id    text,                      -- what a reversal takes back
  posted_at      timestamptz not null,
  created_at     timestamptz not null,
  doc            jsonb not null,
  primary key (account_id, id),
  constraint tax_transactions_reference unique (account_id, reference),
  constraint tax_transactions_customer foreign key (account_id, customer_id) references customers,
  constraint tax_transactions_original foreign key (account_id, original_id) references tax_transactions,
  constraint tax_transactions_reversal check ((type = 'reversal') = (original_id is not null))
);
create index tax_transactions_by_original on tax_transactions (account_id, original_id) where original_id is not null;

create table tax_transaction_line_items (
  account_id     text not null constraint tax_transaction_line_items_account references accounts,
  id             text not null,
  transaction_id text not null,
  original_id    text,
  amount         bigint not null,           -- minor units; negative in reversals
  amount_tax     bigint not null,
  doc            jsonb not null,
  primary key (account_id, id),
  constraint tax_transaction_line_items_transaction foreign key (account_id, transaction_id) references tax_transactions
);
create index tax_transaction_line_items_by_transaction on tax_transaction_line_items (account_id, transaction_id, id);  -- lists

alter table tax_settings enable row level security;
create policy tax_settings_account on tax_settings using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_settings to voldaan_app;

alter table tax_registrations enable row level security;
create policy tax_registrations_account on tax_registrations using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_registrations to voldaan_app;

alter table tax_rules enable row level security;
create policy tax_rules_account on tax_rules using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_rules to voldaan_app;

alter table tax_locations enable row level security;
create policy tax_locations_account on tax_locations using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_locations to voldaan_app;

alter table tax_answers enable row level security;
create policy tax_answers_account on tax_answers using (account_id = current_setting('voldaan.account', true));
grant select, insert, delete on tax_answers to voldaan_app;

alter table tax_calculations enable row level security;
create policy tax_calculations_account on tax_calculations using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_calculations to voldaan_app;

alter table tax_calculation_line_items enable row level security;
create policy tax_calculation_line_items_account on tax_calculation_line_items using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_calculation_line_items to voldaan_app;

alter table tax_transactions enable row level security;
create policy tax_transactions_account on tax_transactions using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_transactions to voldaan_app;

alter table tax_transaction_line_items enable row level security;
create policy tax_transaction_line_items_account on tax_transaction_line_items using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_transaction_line_items to voldaan_app;

-- Alerts: told once for each customer whose usage of a meter reaches a threshold.
create table billing_alerts (
  account_id  text not null constraint billing_alerts_account references accounts,
  id          text not null,
  alert_type  text not null check (alert_type = 'usage_threshold'),
  status      text not null check (status in ('active', 'archived', 'inactive')),
  meter_id    text not null,
  customer_id text,                  -- null: every customer
  created_at  timestamptz not null,  -- usage before it does not count
  doc         jsonb not null,
  primary key (account_id, id),
  constraint billing_alerts_meter foreign key (account_id, meter_id) references meters,
  constraint billing_alerts_customer foreign key (account_id, customer_id) references customers
);
create index billing_alerts_active on billing_alerts (account_id, meter_id, customer_id) where status = 'active';  -- every batch of events

-- That an alert was told for a customer: there is only one.
create table billing_alert_triggers (
  account_id  text not null,
  id          text not null,         -- the alert and the customer
  alert_id    text not null,
  customer_id text not null,
  created_at  timestamptz not null,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint billing_alert_triggers_alert foreign key (account_id, alert_id) references billing_alerts,
  constraint billing_alert_triggers_customer foreign key (account_id, customer_id) references customers
);

alter table billing_alerts enable row level security;
create policy billing_alerts_account on billing_alerts using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on billing_alerts to voldaan_app;

alter table billing_alert_triggers enable row level security;
create policy billing_alert_triggers_account on billing_alert_triggers using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on billing_alert_triggers to voldaan_app;

-- Price migrations: cohorts of subscriptions that move to another price, and how far each has come.
create table price_migrations (
  account_id  text not null constraint price_migrations_account references accounts,
  id          text not null,
  status      text not null constraint price_migrations_status check (status in ('draft', 'running', 'completed', 'canceled')),
  to_price_id text not null,
  created_at  timestamptz not null,
  started_at  timestamptz,
  ended_at    timestamptz,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint price_migrations_to foreign key (account_id, to_price_id) references prices,
  constraint price_migrations_started check (status = 'draft' or started_at is not null or status = 'canceled'),
  constraint price_migrations_ended check ((status in ('completed', 'canceled')) = (ended_at is not null))
);
create table price_migration_subscriptions (
  account_id      text not null,
  id              text not null,
  migration_id    text not null,
  subscription_id text not null,
  customer_id     text not null,
  status          text not null constraint price_migration_subscriptions_status
                    check (status in ('pending', 'moved', 'failed', 'skipped')),
  test_clock_id   text,
  doc             jsonb not null,
  primary key (account_id, id),
  constraint price_migration_subscriptions_once unique (account_id, migration_id, subscription_id),
  constraint price_migration_subscriptions_migration foreign key (account_id, migration_id) references price_migrations,
  constraint price_migration_subscriptions_subscription foreign key (account_id, subscription_id) references subscriptions
);
create index price_migration_subscriptions_pending on price_migration_subscriptions (account_id, migration_id, id)
  where status = 'pending';
create index price_migration_subscriptions_of on price_migration_subscriptions (account_id, migration_id, id);

alter table price_migrations enable row level security;
create policy price_migrations_account on price_migrations using (account_id = current_setting('voldaan.account', true));
alter table price_migration_subscriptions enable row level security;
create policy price_migration_subscriptions_account on price_migration_subscriptions
  using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on price_migrations, price_migration_subscriptions to voldaan_app;

-- ── quotes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

create table quotes (
  account_id               text not null,
  id                       text not null,
  customer_id              text,                          -- needed to finalize
  status                   text not null check (status in ('draft', 'open', 'accepted', 'canceled')),
  number                   text,
  sequence                 bigint,                        -- of the customer's quotes; all revisions of one share it
  revision                 bigint,
  amount_total             bigint not null,               -- minor units
  invoice_id               text,
  subscription_id          text,
  subscription_schedule_id text,
  expires_at               timestamptz not null,
  finalized_at             timestamptz,
  accepted_at              timestamptz,
  canceled_at              timestamptz,
  test_clock_id            text,
  created_at               timestamptz not null,
  doc                      jsonb not null,
  primary key (account_id, id),
  constraint quotes_account foreign key (account_id) references accounts,
  constraint quotes_customer foreign key (account_id, customer_id) references customers,
  constraint quotes_invoice foreign key (account_id, invoice_id) references invoices,
  constraint quotes_subscription foreign key (account_id, subscription_id) references subscriptions,
  constraint quotes_subscription_schedule foreign key (account_id, subscription_schedule_id) references subscription_schedules,
  constraint quotes_number unique (account_id, customer_id, sequence, revision),
  constraint quotes_finalized check ((status in ('open', 'accepted')) <= (finalized_at is not null)),
  constraint quotes_numbered check ((finalized_at is not null) = (number is not null)),
  constraint quotes_accepted check ((status = 'accepted') = (accepted_at is not null)),
  constraint quotes_canceled check ((status = 'canceled') = (canceled_at is not null)),
  constraint quotes_made check (status <> 'accepted' or num_nonnulls(invoice_id, subscription_id, subscription_schedule_id) > 0)
);
create index quotes_by_customer on quotes (account_id, customer_id, id);

create table quote_line_items (
  account_id text not null,
  id         text not null,
  quote_id   text not null,
  upfront    boolean not null,                            -- as the first invoice will have it
  doc        jsonb not null,
  primary key (account_id, id),
  constraint quote_line_items_quote foreign key (account_id, quote_id) references quotes
);
create index quote_line_items_by_quote on quote_line_items (account_id, quote_id, id);

-- ── the second line: a transaction sees and changes its own account only ────────────────────────────────────────────

do $$
declare t text;
begin
  for t in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
             join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id'
            where n.nspname = current_schema() and c.relkind = 'r' and not c.relrowsecurity
  loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy %I on %I using (account_id = current_setting(''voldaan.account'', true))', t || '_account', t);
  end loop;
end $$;

grant select, insert, update, delete on all tables in schema public to voldaan_app;
-- Append-only: what was posted and what has happened is never changed.
revoke update, delete on postings, events, credit_balance_transactions from voldaan_app;
revoke insert, update, delete on each_event from voldaan_app;
revoke update on tax_answers from voldaan_app;
grant update (needed) on tax_answers to voldaan_app;
-- Never deleted: what the billing run writes names them without a foreign key (docs/performance.md; verify's R1 and R4).
revoke delete on customers, subscriptions, prices, payment_intents from voldaan_app;
