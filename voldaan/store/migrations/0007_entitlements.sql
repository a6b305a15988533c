-- Entitlements: features, the products that bring them, and who has them.

create table features (
  account_id text not null constraint features_account references accounts,
  id         text not null,
  active     boolean not null,
  lookup_key text not null,
  name       text not null,
  doc        jsonb not null,
  primary key (account_id, id)
);
create unique index features_lookup_key on features (account_id, lookup_key) where active;

create table product_features (
  account_id text not null constraint product_features_account references accounts,
  id         text not null,
  product_id text not null,
  feature_id text not null,
  doc        jsonb not null,
  primary key (account_id, id),
  constraint product_features_product foreign key (account_id, product_id) references products,
  constraint product_features_feature foreign key (account_id, feature_id) references features,
  constraint product_features_once unique (account_id, product_id, feature_id)
);

create table active_entitlements (
  account_id  text not null constraint active_entitlements_account references accounts,
  id          text not null,
  customer_id text not null,
  feature_id  text not null,
  lookup_key  text not null,
  doc         jsonb not null,
  primary key (account_id, id),
  constraint active_entitlements_customer foreign key (account_id, customer_id) references customers,
  constraint active_entitlements_feature foreign key (account_id, feature_id) references features,
  constraint active_entitlements_once unique (account_id, customer_id, feature_id)
);
create index subscription_items_by_price on subscription_items (account_id, price_id);  -- who has to do with a product

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

grant select, insert, update, delete on features, product_features, active_entitlements to voldaan_app;
