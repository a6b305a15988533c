-- Credit notes: what is taken back of finalized invoices.

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

grant select, insert, update, delete on credit_notes, credit_note_line_items, credited_lines to voldaan_app;
