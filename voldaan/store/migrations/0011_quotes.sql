-- Quotes, and what is offered in them.
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

alter table quotes enable row level security;
create policy quotes_account on quotes using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on quotes to voldaan_app;

alter table quote_line_items enable row level security;
create policy quote_line_items_account on quote_line_items using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on quote_line_items to voldaan_app;
