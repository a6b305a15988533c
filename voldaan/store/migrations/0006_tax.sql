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
