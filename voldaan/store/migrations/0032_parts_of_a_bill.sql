-- The parts of a bill are written with it, by one writer in one transaction, and go with it where a draft is deleted, under the
-- customer's lock; payment intents are never deleted. Looking their whole up again for each of them took a tenth of PostgreSQL's time
-- in a billing run. `verify` looks (R2).

alter table invoice_line_items drop constraint invoice_line_items_invoice;
alter table invoice_payments drop constraint invoice_payments_invoice;
alter table attempts drop constraint attempts_payment_intent;
revoke delete on payment_intents from voldaan_app;
