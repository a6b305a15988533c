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
