-- Contracts: prices of a customer's own, and minimums.

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

alter table contracts enable row level security;
create policy contracts_account on contracts using (account_id = current_setting('voldaan.account', true));
alter table commitment_periods enable row level security;
create policy commitment_periods_account on commitment_periods using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on contracts, commitment_periods to voldaan_app;
