"""What people do with invoices and money: bill, pay, refund, dispute, pay out. Each phrase is one call of the SDK."""

from __future__ import annotations

from tests.stories.grammar import (
    ANSWER,
    FOR_INVOICE,
    FOR_ITEM,
    FOR_PAYING,
    FOR_PAYMENT,
    FOR_REFUND,
    STEP,
    Params,
    over,
    params,
)
from tests.stories.language import Money, Phrase
from tests.stories.stage import Stage

# Customers ---------------------------------------------------------------------------------------------------------------


@STEP("<who> takes card <card>", below=ANSWER)
def takes_card(stage: Stage, said: Phrase, who: str, card: str) -> None:
    stage.use_card(who, card)


@STEP("<who> takes account <iban:code>", below=ANSWER)
def takes_account(stage: Stage, said: Phrase, who: str, iban: str) -> None:
    stage.use_account(who, iban)


@STEP("delete customer <who>", below=ANSWER)
def deletes(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.customers.delete(stage.customers[who])


@STEP("credit <who> <amount>", below=ANSWER)
def credit(stage: Stage, said: Phrase, who: str, amount: Money) -> None:
    _balance(stage, who, Money(-amount.amount, amount.currency))


@STEP("debit <who> <amount>", below=ANSWER)
def debit(stage: Stage, said: Phrase, who: str, amount: Money) -> None:
    _balance(stage, who, amount)


def _balance(stage: Stage, who: str, amount: Money) -> None:
    terms = {"amount": amount.amount, "currency": amount.currency}
    stage.v1.customers.balance_transactions.create(stage.customers[who], terms)


# Bills -------------------------------------------------------------------------------------------------------------------


@STEP("bill <who> <amount> for <label>", clauses=FOR_ITEM, below=ANSWER)
def bill(stage: Stage, said: Phrase, who: str, amount: Money, label: str) -> None:
    """An invoice item: it waits for the next invoice, unless it is put on a draft."""
    terms = {"customer": stage.customers[who], "amount": amount.amount, "currency": amount.currency, "description": label}
    stage.v1.invoice_items.create(params(stage, said.clauses, **terms))


@STEP("bill <who> <items>", clauses=FOR_ITEM, below=ANSWER)
def bill_items(stage: Stage, said: Phrase, who: str, items: list[tuple[str, int]]) -> None:
    for name, quantity in items:
        terms = {"customer": stage.customers[who], "pricing": {"price": stage.prices[name]}, "quantity": quantity}
        stage.v1.invoice_items.create(params(stage, said.clauses, **terms))


@FOR_ITEM("on draft of <who>")
def on_draft(stage: Stage, who: str) -> Params:
    return {"invoice": stage.invoice(f"draft of {who}").id}


@FOR_ITEM("with the next of <sub>")
def with_next(stage: Stage, sub: str) -> Params:
    return {"subscription": stage.subscriptions[sub]}


@FOR_ITEM("tax <rate:who>")
def item_tax(stage: Stage, rate: str) -> Params:
    return {"tax_rates": [stage.rates[rate]]}


@FOR_ITEM("for <start:when> to <end:when>")
def item_period(stage: Stage, start: int, end: int) -> Params:
    return {"period": {"start": start, "end": end}}


@FOR_ITEM("not discountable")
def not_discountable(stage: Stage) -> Params:
    return {"discountable": False}


@STEP("invoice <who>", clauses=FOR_INVOICE, below=ANSWER)
def invoice(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.invoices.create(params(stage, said.clauses, customer=stage.customers[who]))


@FOR_INVOICE("for all that waits")
def all_that_waits(stage: Stage) -> Params:
    return {"pending_invoice_items_behavior": "include"}


@FOR_INVOICE("by itself")
def by_itself(stage: Stage) -> Params:
    return {"auto_advance": True}


@FOR_INVOICE("sent and due in <n> days")
def due_in(stage: Stage, n: int) -> Params:
    return {"collection_method": "send_invoice", "days_until_due": n}


@FOR_INVOICE("tax <rate:who>")
def invoice_tax(stage: Stage, rate: str) -> Params:
    return {"default_tax_rates": [stage.rates[rate]]}


@FOR_INVOICE("shipped by <rate:who>")
def invoice_shipping(stage: Stage, rate: str) -> Params:
    return {"shipping_cost": {"shipping_rate": stage.shipping[rate]}}


@FOR_INVOICE("coupon <code>")
def invoice_coupon(stage: Stage, code: str) -> Params:
    return {"discounts": [{"coupon": code}]}


@STEP("finalize <invoice>", below=ANSWER)
def finalize(stage: Stage, said: Phrase, invoice: str) -> None:
    stage.v1.invoices.finalize_invoice(stage.invoice(invoice).id)


@STEP("send <invoice>", below=ANSWER)
def send(stage: Stage, said: Phrase, invoice: str) -> None:
    stage.v1.invoices.send_invoice(stage.invoice(invoice).id)


@STEP("void <invoice>", below=ANSWER)
def void(stage: Stage, said: Phrase, invoice: str) -> None:
    stage.v1.invoices.void_invoice(stage.invoice(invoice).id)


@STEP("write off <invoice>", below=ANSWER)
def write_off(stage: Stage, said: Phrase, invoice: str) -> None:
    stage.v1.invoices.mark_uncollectible(stage.invoice(invoice).id)


@STEP("delete <invoice>", below=ANSWER)
def delete(stage: Stage, said: Phrase, invoice: str) -> None:
    stage.v1.invoices.delete(stage.invoice(invoice).id)


@STEP("pay <invoice>", clauses=FOR_PAYING, below=ANSWER)
def pay(stage: Stage, said: Phrase, invoice: str) -> None:
    terms = params(stage, said.clauses)
    over(stage, terms).invoices.pay(stage.invoice(invoice).id, terms)


@FOR_PAYING("out of band")
def out_of_band(stage: Stage) -> Params:
    return {"paid_out_of_band": True}


@FOR_PAYING("with card <card> of <who>")
def with_card(stage: Stage, card: str, who: str) -> Params:
    return {"payment_method": stage.v1.payment_methods.attach(f"pm_card_{card}", {"customer": stage.customers[who]}).id}


@FOR_PAYING("at the desk")
def on_session(stage: Stage) -> Params:
    """The customer is there and can answer their bank."""
    return {"off_session": False}


# Payments ----------------------------------------------------------------------------------------------------------------


@STEP("<who> pays <amount>", clauses=FOR_PAYMENT, below=ANSWER)
def pays(stage: Stage, said: Phrase, who: str, amount: Money) -> None:
    """A payment without an invoice, with the customer's card."""
    customer = stage.v1.customers.retrieve(stage.customers[who])
    terms = {"amount": amount.amount, "currency": amount.currency, "customer": customer.id, "confirm": True}
    method = customer.invoice_settings.default_payment_method
    terms = params(stage, said.clauses, payment_method=method, **terms)
    made = over(stage, terms).payment_intents.create(terms)
    stage.payments[who] = made.id


@FOR_PAYMENT("held")
def held(stage: Stage) -> Params:
    return {"capture_method": "manual"}


@STEP("put the payment of <who> on <invoice>", below=ANSWER)
def attach(stage: Stage, said: Phrase, who: str, invoice: str) -> None:
    stage.v1.invoices.attach_payment(stage.invoice(invoice).id, {"payment_intent": stage.payments[who]})


@STEP("<who> confirms with card <card>", below=ANSWER)
def confirms(stage: Stage, said: Phrase, who: str, card: str) -> None:
    """The customer pays what waits for them: the payment intent of their latest invoice, or their own."""
    method = stage.v1.payment_methods.attach(f"pm_card_{card}", {"customer": stage.customers[who]})
    stage.v1.payment_intents.confirm(stage.intent(who), {"payment_method": method.id})


@STEP("capture <amount> of <who>", below=ANSWER)
def capture(stage: Stage, said: Phrase, amount: Money, who: str) -> None:
    stage.v1.payment_intents.capture(stage.intent(who), {"amount_to_capture": amount.amount})


@STEP("cancel payment of <who>", below=ANSWER)
def cancel_payment(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.payment_intents.cancel(stage.intent(who))


@STEP("the bank of <who> approves", below=ANSWER)
def approves(stage: Stage, said: Phrase, who: str) -> None:
    stage.answer_bank(who, "complete")


@STEP("the bank of <who> refuses", below=ANSWER)
def refuses(stage: Stage, said: Phrase, who: str) -> None:
    stage.answer_bank(who, "fail")


@STEP("refund <amount> to <who>", clauses=FOR_REFUND, below=ANSWER)
def refund(stage: Stage, said: Phrase, amount: Money, who: str) -> None:
    terms = params(stage, said.clauses, charge=stage.charge(who), amount=amount.amount)
    over(stage, terms).refunds.create(terms)


@STEP("refund <who>", below=ANSWER)
def refund_all(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.refunds.create({"charge": stage.charge(who)})


@STEP("answer the dispute of <who> with <evidence:word>", below=ANSWER)
def answer(stage: Stage, said: Phrase, who: str, evidence: str) -> None:
    stage.v1.disputes.update(stage.dispute(who).id, {"evidence": {"uncategorized_text": evidence}, "submit": True})


@STEP("accept the dispute of <who>", below=ANSWER)
def accept(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.disputes.close(stage.dispute(who).id)


@STEP("pay out <amount>", below=ANSWER)
def pay_out(stage: Stage, said: Phrase, amount: Money) -> None:
    stage.v1.payouts.create({"amount": amount.amount, "currency": amount.currency})
