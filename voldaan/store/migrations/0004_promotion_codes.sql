-- What customers type in to have a coupon.
create table promotion_codes (
  account_id      text not null constraint promotion_codes_account references accounts,
  id              text not null,
  active          boolean not null,
  code            text not null,
  code_key        text not null constraint promotion_codes_key check (code_key = lower(code)),
  coupon_id       text not null,
  customer_id     text,
  expires_at      timestamptz,
  max_redemptions bigint check (max_redemptions > 0),
  times_redeemed  bigint not null check (times_redeemed >= 0),
  created_at      timestamptz not null,
  doc             jsonb not null,
  primary key (account_id, id),
  constraint promotion_codes_coupon foreign key (account_id, coupon_id) references coupons,
  constraint promotion_codes_customer foreign key (account_id, customer_id) references customers,
  constraint promotion_codes_not_beyond_max check (times_redeemed <= max_redemptions)
);
create unique index promotion_codes_active on promotion_codes (account_id, code_key, coalesce(customer_id, '')) where active;
create index promotion_codes_by_code on promotion_codes (account_id, code_key, id);      -- lists
create index promotion_codes_by_coupon on promotion_codes (account_id, coupon_id, id);   -- lists, and when the coupon ends
create index promotion_codes_by_customer on promotion_codes (account_id, customer_id, id) where customer_id is not null;
alter table promotion_codes enable row level security;
create policy promotion_codes_account on promotion_codes using (account_id = current_setting('voldaan.account', true));
grant select, insert, update, delete on promotion_codes to voldaan_app;

alter table discounts
  add constraint discounts_promotion_code foreign key (account_id, promotion_code_id) references promotion_codes;
