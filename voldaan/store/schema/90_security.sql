
-- ── the second line: a transaction sees and changes its own account only ────────────────────────────────────────────

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

grant select, insert, update, delete on all tables in schema public to voldaan_app;
-- Append-only: what was posted and what has happened is never changed.
revoke update, delete on postings, events from voldaan_app;
