"""What is said of credit notes: issued by amount or by line, given back in each way, voided; and what they are."""

from __future__ import annotations

from typing import Any

from tests.stories.expecting import Pair, facts
from tests.stories.grammar import ANSWER, STEP, Params, params
from tests.stories.language import Grammar, Money, Phrase
from tests.stories.stage import Stage

FOR_NOTE = Grammar("clause of a credit note")
OF_NOTE = Grammar("fact of a credit note")


@STEP("credit <name:invoice>", clauses=FOR_NOTE, below=ANSWER)
def credit(stage: Stage, said: Phrase, name: str) -> None:
    found = stage.invoice(name)
    stage.credited = found
    stage.v1.credit_notes.create(params(stage, said.clauses, invoice=found.id))


@FOR_NOTE("all of it")
def all_of_it(stage: Stage) -> Params:
    """All that no note has taken back yet."""
    notes = stage.credited.pre_payment_credit_notes_amount + stage.credited.post_payment_credit_notes_amount
    return {"amount": stage.credited.total - notes}


@FOR_NOTE("<amount>")
def by_amount(stage: Stage, amount: Money) -> Params:
    return {"amount": amount.amount}


@FOR_NOTE("<amount> of line <n>")
def by_line(stage: Stage, amount: Money, n: int) -> Params:
    return _line(stage, n, amount=amount.amount)


@FOR_NOTE("<units:n> units of line <n>")
def by_quantity(stage: Stage, units: int, n: int) -> Params:
    return _line(stage, n, quantity=units)


def _line(stage: Stage, n: int, **what: int) -> Params:
    line = stage.credited.lines.data[n - 1].id
    return {"lines": [{"type": "invoice_line_item", "invoice_line_item": line, **what}]}


@FOR_NOTE("the shipping by <rate:who>")
def the_shipping(stage: Stage, rate: str) -> Params:
    """All of it that is left."""
    return {"shipping_cost": {"shipping_rate": stage.shipping[rate]}}


@FOR_NOTE("<amount> for <label>")
def its_own(stage: Stage, amount: Money, label: str) -> Params:
    own = {"type": "custom_line_item", "unit_amount": amount.amount, "quantity": 1, "description": label}
    return {"lines": [own]}


@FOR_NOTE("<amount> for <label> with tax <rate:who>")
def its_own_taxed(stage: Stage, amount: Money, label: str, rate: str) -> Params:
    (own,) = its_own(stage, amount, label)["lines"]
    return {"lines": [own | {"tax_rates": [stage.rates[rate]]}]}


@FOR_NOTE("refunding <amount>")
def refunding(stage: Stage, amount: Money) -> Params:
    return {"refund_amount": amount.amount}


@FOR_NOTE("<amount> to the balance")
def to_balance(stage: Stage, amount: Money) -> Params:
    return {"credit_amount": amount.amount}


@FOR_NOTE("<amount> out of band")
def out_of_band(stage: Stage, amount: Money) -> Params:
    return {"out_of_band_amount": amount.amount}


@FOR_NOTE("for the refund of <who>")
def linked(stage: Stage, who: str) -> Params:
    latest = stage.v1.refunds.list({"charge": stage.charge(who), "limit": 1}).data[0]
    return {"refunds": [{"refund": latest.id}]}


@STEP("void note <note>", below=ANSWER)
def void(stage: Stage, said: Phrase, note: str) -> None:
    stage.v1.credit_notes.void_credit_note(_note(stage, note).id)


@STEP("note <name:note> <status:word> <amount>", clauses=OF_NOTE)
def note(stage: Stage, said: Phrase, name: str, status: str, amount: Money) -> list[Pair]:
    """`amount` is what it takes back, tax included."""
    found = _note(stage, name)
    pairs = [(f"{status} {amount}", f"{found.status} {Money(found.total, found.currency)}")]
    return pairs + facts(said.clauses, found, stage)


def _note(stage: Stage, name: str) -> Any:
    return next(n for n in stage.v1.credit_notes.list({"limit": 100}).data if n.number == name)


def _amount_of(words: str, field: str) -> None:
    """Files "before payment 31.00" and the like."""

    def check(stage: Stage, note: Any, amount: Money) -> Pair:
        return f"{words} {amount}", f"{words} {Money(note[field], note.currency)}"

    OF_NOTE(f"{words} <amount>")(check)


for _words, _field in {
    "before payment": "pre_payment_amount", "after payment": "post_payment_amount", "subtotal": "subtotal",
    "without tax": "total_excluding_tax", "discount": "discount_amount", "shipping": "amount_shipping",
}.items():  # fmt: skip
    _amount_of(_words, _field)


@OF_NOTE("tax <amount>")
def of_tax(stage: Stage, note: Any, amount: Money) -> Pair:
    return f"tax {amount}", f"tax {Money(sum(t.amount for t in note.total_taxes), note.currency)}"


@OF_NOTE("refunded <amount>")
def of_refunds(stage: Stage, note: Any, amount: Money) -> Pair:
    return f"refunded {amount}", f"refunded {Money(sum(r.amount_refunded for r in note.refunds), note.currency)}"
