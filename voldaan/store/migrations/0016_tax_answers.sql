-- What a tax provider over a network answered, with what it was asked: used for exactly that. Never changes.
create table tax_answers (
  account_id  text not null constraint tax_answers_account references accounts,
  provider    text not null,
  fingerprint text not null,       -- of the question
  question    jsonb not null,
  answer      jsonb not null,      -- the taxes of each line
  recorded_at timestamptz not null,
  primary key (account_id, provider, fingerprint)
);

alter table tax_answers enable row level security;
create policy tax_answers_account on tax_answers using (account_id = current_setting('voldaan.account', true));
grant select, insert on tax_answers to voldaan_app;
