-- Shipping rates: what it costs to send what was bought.

create table shipping_rates (
  account_id text not null constraint shipping_rates_account references accounts,
  id         text not null,
  active     boolean not null,
  created_at timestamptz not null,
  doc        jsonb not null,
  primary key (account_id, id)
);

alter table shipping_rates enable row level security;
create policy shipping_rates_account on shipping_rates using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on shipping_rates to voldaan_app;
