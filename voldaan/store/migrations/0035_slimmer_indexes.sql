-- Where a bill is entered into, ids that are chance suffice: without the account in front an entry costs PostgreSQL a third less.
-- The tables are locked while their indexes are made.

drop index invoices_by_customer;
create index invoices_by_customer on invoices (customer_id, id);
drop index invoices_by_subscription;
create index invoices_by_subscription on invoices (subscription_id, id) where subscription_id is not null;
drop index invoice_line_items_by_invoice;
create index invoice_line_items_by_invoice on invoice_line_items (invoice_id);
drop index invoice_payments_by_invoice;
create index invoice_payments_by_invoice on invoice_payments (invoice_id);
drop index invoice_payments_by_payment_intent;
create index invoice_payments_by_payment_intent on invoice_payments (payment_intent_id);
drop index payment_intents_by_customer;
create index payment_intents_by_customer on payment_intents (customer_id, id) where customer_id is not null;
drop index postings_deferred;
create index postings_deferred on postings (invoice_id) where invoice_id is not null and (debit = 'deferred_revenue' or credit = 'deferred_revenue');
drop index events_by_object;
create index events_by_object on events (object_id, id);
