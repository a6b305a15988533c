"""Tax ids: forms, countries, verification. Cases in tax_ids.txt."""

import pytest

from tests.rules.table import Row, rows
from voldaan.rules import tax_ids
from voldaan.rules.decision import Refused


def form(row: Row) -> None:
    if row["fits"] == "yes":
        tax_ids.check(row["type"], row["value"], livemode=True)
        assert tax_ids.country(row["type"], row["value"]) == row.get("country")
        return
    with pytest.raises(Refused) as error:
        tax_ids.check(row["type"], row["value"], livemode=True)
    assert (error.value.refusal.code, error.value.refusal.param) == ("tax_id_invalid", "value")


def verification(row: Row) -> None:
    found = tax_ids.verification(row["type"], row["value"], row["mode"] == "live")
    assert (found.status if found else None) == row.get("status")


CHECKS = {"form": form, "verification": verification}


@pytest.mark.parametrize("row", rows("tax_ids.txt"), ids=str)
def test_tax_ids(row: Row) -> None:
    CHECKS[row.rule](row)


def test_the_numbers_that_stand_for_answers_fit_in_test_mode_only() -> None:
    tax_ids.check("eu_vat", "000000000", livemode=False)
    with pytest.raises(Refused):
        tax_ids.check("eu_vat", "000000000", livemode=True)
