"""Customers and their balance. Cases in customers.txt."""

from functools import reduce
from typing import Any

import pytest

from tests.rules.table import Row, rows
from voldaan.api import forms
from voldaan.ledger import customer_balance_transactions as ledger
from voldaan.resources.customers import Customer, CustomerUpdate
from voldaan.resources.shared import Address
from voldaan.rules import customer_balance_transactions, customers
from voldaan.rules.decision import Refused

NOW = 1_767_225_600


def anna(**facts: Any) -> Customer:
    return Customer(
        id="cus_1", created=NOW, invoice_prefix="ANNA", livemode=False, name="Anna", address=Address(country="NL"),
        metadata={"a": "1"}, next_invoice_sequence=5, phone="1", email="a@b.nl", **facts,
    )  # fmt: skip


def said(row: Row) -> None:
    params = CustomerUpdate.model_validate(forms.parse(row["parameters"].encode()))
    if row["field"] == "refused":
        with pytest.raises(Refused) as error:
            customers.changed(anna(), params)
        assert f"{error.value.refusal.code or '-'} {error.value.refusal.param}" == row["value"]
        return
    value = reduce(getattr, row["field"].split("."), customers.changed(anna(), params))
    assert (None if value is None else str(value)) == row.get("value")


def move(row: Row) -> None:
    customer = anna(balance=row.number("balance"), currency=row.get("currency"))
    refusal = customer_balance_transactions.refusal(customer, row["in"])
    assert (refusal.param if refusal else None) == row.get("refused")
    if refusal:
        return
    after, transaction = customer_balance_transactions.move(
        customer, row.number("amount"), "adjustment", id="cbtxn_1", at=NOW, currency=row["in"]
    )
    assert (after.balance, after.currency) == (row.number("ending"), row["in"])
    assert (transaction.amount, transaction.ending_balance) == (row.number("amount"), after.balance)


CHECKS = {"said": said, "move": move}


@pytest.mark.parametrize("row", rows("customers.txt"), ids=str)
def test_customers(row: Row) -> None:
    CHECKS[row.rule](row)


@pytest.mark.parametrize(
    ("amount", "debit", "credit"),
    [(-500, "customer_balance_adjustments", "customer_balance"), (200, "customer_balance", "customer_balance_adjustments")],
)
def test_granting_credit_is_an_expense_and_taking_it_away_reverses_it(amount: int, debit: str, credit: str) -> None:
    _, transaction = customer_balance_transactions.move(anna(), amount, "adjustment", id="cbtxn_1", at=NOW, currency="eur")
    (posting,) = ledger.adjusted(transaction)
    assert (posting.debit, posting.credit, posting.amount, posting.currency) == (debit, credit, abs(amount), "eur")
    assert (posting.source, posting.effective_at, posting.customer) == ("cbtxn_1", NOW, "cus_1")
