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

alter table credit_grants enable row level security;
create policy credit_grants_account on credit_grants using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on credit_grants to voldaan_app;
alter table credit_balance_transactions enable row level security;
create policy credit_balance_transactions_account on credit_balance_transactions
  using (account_id = current_setting('voldaan.account', true));
grant select, insert on credit_balance_transactions to voldaan_app;
