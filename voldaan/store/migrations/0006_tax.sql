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

alter table tax_settings enable row level security;
create policy tax_settings_account on tax_settings using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_settings to voldaan_app;

alter table tax_registrations enable row level security;
create policy tax_registrations_account on tax_registrations using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_registrations to voldaan_app;

alter table tax_rules enable row level security;
create policy tax_rules_account on tax_rules using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on tax_rules to voldaan_app;
