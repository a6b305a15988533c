-- Recurring revenue follows contracts: a subscription is worth what its customer's contracts make of its prices. Books with
-- contracts are read anew from their first event; their movements come out as if it had been so from the beginning.

alter table mrr_subscriptions add column valued_at timestamptz not null default 'epoch';
alter table mrr_movements drop constraint mrr_movements_pkey;
alter table mrr_movements add primary key (account_id, event_id, subscription_id, at, kind);

delete from mrr_movements m using (select distinct account_id from contracts) c where m.account_id = c.account_id;
delete from mrr_subscriptions s using (select distinct account_id from contracts) c where s.account_id = c.account_id;
delete from mrr_read r using (select distinct account_id from contracts) c where r.account_id = c.account_id;
delete from mrr_cursors u using (select distinct account_id from contracts) c where u.account_id = c.account_id;
