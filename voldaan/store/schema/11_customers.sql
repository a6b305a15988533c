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
) with (fillfactor = 80);
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
