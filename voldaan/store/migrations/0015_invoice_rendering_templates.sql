-- Invoice rendering templates: how invoices look.

create table invoice_rendering_templates (
  account_id text not null constraint invoice_rendering_templates_account references accounts,
  id         text not null,
  status     text not null check (status in ('active', 'archived')),
  created_at timestamptz not null,
  doc        jsonb not null,
  primary key (account_id, id)
);

alter table invoice_rendering_templates enable row level security;
create policy invoice_rendering_templates_account on invoice_rendering_templates using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on invoice_rendering_templates to voldaan_app;
