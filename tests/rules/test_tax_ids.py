"""Tax ids: forms, countries, verification. Cases in tax_ids.txt."""

from random import Random

import pytest

from tests.rules.table import Row, rows
from voldaan.rules import tax_id_digits, tax_ids
from voldaan.rules.decision import Refused


def form(row: Row) -> None:
    if row["fits"] == "yes":
        tax_ids.check(row["type"], row["value"], livemode=False)
        assert tax_ids.country(row["type"], row["value"]) == row.get("country")
        return
    with pytest.raises(Refused) as error:
        tax_ids.check(row["type"], row["value"], livemode=False)
    assert (error.value.refusal.code, error.value.refusal.param) == ("tax_id_invalid", "value")


def verification(row: Row) -> None:
    found = tax_ids.verification(row["type"], row["value"], row["mode"] == "live")
    assert (found.status if found else None) == row.get("status")


def digits(row: Row) -> None:
    """A number in use is taken in live mode; of all slips of one digit, seven in eight are found."""
    value = row["value"]
    tax_ids.check(row["type"], value, livemode=True)
    slips = [
        value[:place] + str((int(digit) + more) % 10) + value[place + 1 :]
        for place, digit in enumerate(value)
        if digit.isdigit() and not (row["type"] == "eu_vat" and place >= len(value) - int(row["fixed"]))
        for more in range(1, 10)
    ]
    missed = [slip for slip in slips if taken(row["type"], slip)]
    assert len(missed) * 8 <= len(slips), missed


def taken(type: str, value: str) -> bool:
    try:
        tax_ids.check(type, value, livemode=True)
    except Refused:
        return False
    return True


CHECKS = {"form": form, "verification": verification, "digits": digits}


@pytest.mark.parametrize("row", rows("tax_ids.txt"), ids=str)
def test_tax_ids(row: Row) -> None:
    CHECKS[row.rule](row)


def test_the_numbers_that_stand_for_answers_fit_in_test_mode_only() -> None:
    tax_ids.check("eu_vat", "000000000", livemode=False)
    with pytest.raises(Refused):
        tax_ids.check("eu_vat", "000000000", livemode=True)


def test_whatever_has_the_form_is_answered() -> None:
    """A rule for check digits is only ever asked about what it can read."""
    chance = Random(7)
    for type in ["eu_vat", *tax_id_digits.OTHERS] * 500:
        head = chance.choice(sorted(tax_ids.EU_VAT)) if type == "eu_vat" else chance.choice(("", "CHE", "GB"))
        signs = ("0123456789", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+*٣")[chance.random() < 0.3]
        taken(type, head + "".join(chance.choices(signs, k=chance.choice((8, 9, 10, 11, 12, 14)))))
