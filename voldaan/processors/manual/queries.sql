-- name: file
-- Files what is asked for; asked again under the same reference, it changes nothing.
insert into processor_manual.operations (
    processor_id, account_id, reference, idempotency_key, flow, original, method, amount, currency, decided, decided_at, at)
values (%(processor_id)s, %(account_id)s, %(reference)s, %(idempotency_key)s, %(flow)s, %(original)s, %(method)s,
        %(amount)s, %(currency)s, %(decided)s, %(decided_at)s, %(at)s)
    on conflict (account_id, reference, flow) do nothing;

-- name: by_reference
-- One operation by our reference.
select * from processor_manual.operations
 where account_id = %(account_id)s and reference = %(reference)s and flow = %(flow)s;

-- name: by_id
-- One operation.
select * from processor_manual.operations where processor_id = %(processor_id)s;

-- name: lock
-- One operation, locked until the end of the transaction.
select * from processor_manual.operations where processor_id = %(processor_id)s for update;

-- name: by_number
-- The payment with this number in its creditor reference.
select * from processor_manual.operations
 where account_id = %(account_id)s and creditor_number = %(number)s and flow = 'authorize';

-- name: refunds
-- The refunds of a payment.
select * from processor_manual.operations where original = %(processor_id)s and flow = 'refund';

-- name: account
-- Everything of one account, oldest first.
select * from processor_manual.operations where account_id = %(account_id)s order by recorded_at, processor_id;

-- name: decide
-- What a person decided; the first decision stands.
update processor_manual.operations
   set decided = %(decided)s, decided_at = %(at)s, failure = %(failure)s
 where processor_id = %(processor_id)s and decided is null;

-- name: receive
-- Money that came in; the same line again changes nothing.
insert into processor_manual.lines (account_id, line_id, written, operation, amount, currency, at)
values (%(account_id)s, %(line_id)s, %(written)s, %(operation)s, %(amount)s, %(currency)s, %(at)s)
    on conflict (account_id, line_id) do nothing;

-- name: assign
-- A person says what a line without an owner was for.
update processor_manual.lines
   set operation = %(operation)s
 where account_id = %(account_id)s and line_id = %(line_id)s and operation is null;

-- name: line
-- One line.
select line_id, written, operation, amount, currency, at
  from processor_manual.lines where account_id = %(account_id)s and line_id = %(line_id)s;

-- name: received
-- The lines of these payments, in the order of their dates.
select line_id, written, operation, amount, currency, at
  from processor_manual.lines where operation = any(%(ids)s) order by at, line_id;

-- name: unowned
-- Lines of an account that belong to nothing yet.
select line_id, written, operation, amount, currency, at
  from processor_manual.lines where account_id = %(account_id)s and operation is null order by at, line_id;

-- name: paid
-- Every payment of an account to which money came.
select * from processor_manual.operations o
 where account_id = %(account_id)s and flow = 'authorize'
   and exists (select from processor_manual.lines l where l.operation = o.processor_id)
 order by recorded_at, processor_id;
