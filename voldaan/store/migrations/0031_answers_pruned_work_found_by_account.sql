-- What tax providers over a network have answered is taken away when nobody needs it any more. An invoice that was finalized
-- needs the answer that it rests on.

alter table tax_answers add column needed boolean not null default false;
create index tax_answers_by_time on tax_answers (account_id, recorded_at) where not needed;
grant delete, update (needed) on tax_answers to voldaan_app;

update tax_answers a set needed = true
  from invoices i
 where i.account_id = a.account_id and i.status <> 'draft' and i.doc -> 'tax_evidence' ->> 'provider' = a.provider
   and i.doc -> 'tax_evidence' ->> 'answer' = a.fingerprint;

insert into due (account_id, kind, subject, due_at)
select account_id, 'tax_answers.prune', 'all', date_trunc('day', max(recorded_at), 'UTC') + interval '2 days' from tax_answers group by account_id
    on conflict do nothing;

-- Due work is found by when it became free, and by account within an instant: a small book's does not stand behind a large one's,
-- nor what is due behind what was tried and waits. Workers of the version before find the same work, sorting what is due.
drop index due_by_time;
create index due_by_time on due (kind, greatest(due_at, leased_until), account_id) where clock_id is null and parked_at is null;
