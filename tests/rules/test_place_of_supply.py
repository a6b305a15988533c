"""Place of supply and rates of the European Union, as the local tax provider decides them. Cases in place_of_supply.txt."""

from decimal import Decimal

import pytest

from tests.rules.table import Row, instant, names, rows
from voldaan.resources.shared import Address
from voldaan.rules import vat_rates
from voldaan.rules.countries import EUROPEAN_UNION
from voldaan.rules.eu_vat import EuropeanVat, GivenRate
from voldaan.rules.place_of_supply import Registration
from voldaan.rules.tax_provider import TaxAnswer, TaxFound, TaxLine, TaxQuery, TaxUnknown
from voldaan.taxes.rates import european_union

CODES = {"digital": "txcd_10103001", "service": "txcd_20030000", "goods": "txcd_99999999", "none": "txcd_00000000"}


def registration(text: str) -> Registration:
    country, scheme, *limit = text.split()
    terms = dict(zip(limit[::2], limit[1::2], strict=True))
    end = instant(terms["to"]) if "to" in terms else None
    return Registration(country, scheme, instant(terms.get("from", "2000-01-01")), end)  # type: ignore[arg-type]


def asked(row: Row, seller: str = "NL") -> TaxQuery:
    country, _, more = (row.get("buyer") or "").partition(" ")
    kind, _, value = (row.get("id") or "").partition(" ")
    return TaxQuery(
        seller=Address(country=row.get("seller") or seller),
        buyer=Address(country=country or None, postal_code=more if more not in ("", "exempt", "reverse") else None),
        tax_ids=((kind, value),) if kind else (),
        exempt=more if more in ("exempt", "reverse") else "none",  # type: ignore[arg-type]
        currency="eur",
        at=instant(row["date"]),
        lines=(TaxLine(CODES[row["kind"]], 1000, False),),
    )


def found(answer: TaxAnswer) -> TaxFound:
    assert not isinstance(answer, TaxUnknown), answer
    ((one,),) = answer
    return one


@pytest.mark.parametrize("row", rows("place_of_supply.txt"), ids=str)
def test_place_of_supply(row: Row) -> None:
    provider = EuropeanVat([registration(each) for each in names(row["registered"])], european_union())
    answer = provider.decide(asked(row))
    if row.get("where") is None:
        assert isinstance(answer, TaxUnknown)
        assert answer.status == row["reason"]
        return
    one = found(answer)
    assert (one.country, one.percentage, one.reason) == (row["where"], Decimal(row["percent"]), row["reason"])


def test_every_member_state_has_a_rate_today_and_none_is_zero() -> None:
    rates = european_union()
    assert set(rates) == EUROPEAN_UNION
    for country in EUROPEAN_UNION:
        percentage = vat_rates.standard(rates, country, instant("2026-11-01"))
        assert percentage is not None
        assert 15 <= percentage <= 27  # the directive asks for 15 at least


def test_a_table_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="order of time"):
        vat_rates.read({"NL": [{"standard": "21"}, {"from": "2026-01-01T00:00:00+01:00", "standard": "22"},
                               {"from": "2025-01-01T00:00:00+01:00", "standard": "20"}]})  # fmt: skip


def test_what_the_seller_gives_goes_before_the_table_the_nearest_first() -> None:
    start = instant("2026-01-01")
    books = GivenRate("DE", None, "txcd_10302000", Decimal(7), "reduced_rated", start)
    rates = [books, GivenRate("PT", "30", None, Decimal(22), "standard_rated", start),
             books._replace(percentage=Decimal(5), start=instant("2026-07-01"), end=instant("2026-08-01"))]  # fmt: skip
    provider = EuropeanVat([Registration("NL", "oss_union", 0)], european_union(), rates)

    def ask(country: str, code: str, date: str, postal_code: str | None = None) -> TaxFound:
        buyer = Address(country=country, postal_code=postal_code)
        return found(provider.decide(
            TaxQuery(Address(country="NL"), buyer, (), "none", "eur", instant(date), (TaxLine(code, 1, False),))
        ))  # fmt: skip

    assert ask("DE", "txcd_10302000", "2026-03-01")[1:3] == (Decimal(7), "reduced_rated")
    assert ask("DE", "txcd_10302000", "2026-07-15").percentage == 5
    assert ask("DE", "txcd_10302000", "2026-08-01").percentage == 7
    assert ask("DE", "txcd_10302000", "2025-12-31").percentage == 19
    assert ask("DE", "txcd_10103001", "2026-03-01").percentage == 19
    madeira = ask("PT", "txcd_10103001", "2026-03-01", "9000-001")
    assert (madeira.percentage, madeira.state, madeira.level) == (Decimal(22), "30", "state")


def test_what_is_attended_is_taxed_where_it_takes_place() -> None:
    provider = EuropeanVat([Registration("AT", "standard", 0)], european_union())
    line = TaxLine("txcd_20030000", 1000, False, performed=Address(country="AT"))
    ids, at = (("eu_vat", "DE123"),), instant("2026-03-01")
    query = TaxQuery(Address(country="NL"), Address(country="DE"), ids, "none", "eur", at, (line,))
    one = found(provider.decide(query))
    assert (one.country, one.percentage, one.sourcing) == ("AT", 20, "performance")
    elsewhere = line._replace(performed=Address(country="FR"))
    assert found(provider.decide(query._replace(lines=(elsewhere,)))).reason == "not_collecting"


BOOK, TABLE, APP, POSTAGE = "txcd_35010000", "txcd_99999999", "txcd_10103001", "txcd_92010001"
REDUCED = GivenRate("DE", None, BOOK, Decimal(7), "reduced_rated", 0)


@pytest.mark.parametrize(
    ("sold", "given", "percentage", "reason"),
    [
        ([(TABLE, 1000)], [], "19", "standard_rated"),
        ([(BOOK, 1000)], [], "7", "reduced_rated"),
        ([(BOOK, 1000), (BOOK, 500)], [], "7", "reduced_rated"),
        ([(BOOK, 1000), (TABLE, 500)], [], "11", "proportionally_rated"),
        ([(TABLE, 500), (BOOK, 1000)], [], "11", "proportionally_rated"),
        ([(BOOK, 1), (TABLE, 2)], [], "15", "proportionally_rated"),
        ([(BOOK, 1000), (TABLE, 3)], [], "7.0359", "proportionally_rated"),
        ([(BOOK, 0), (TABLE, 1000)], [], "19", "standard_rated"),
        ([(BOOK, 0)], [], "7", "reduced_rated"),
        ([(BOOK, -1000), (TABLE, -500)], [], "11", "proportionally_rated"),
        ([(BOOK, 1000), (APP, 1000)], [], "7", "reduced_rated"),
        ([(APP, 1000)], [], "19", "standard_rated"),
        ([], [], "19", "standard_rated"),
        ([(BOOK, 1000)], [REDUCED._replace(code=POSTAGE, percentage=Decimal(5))], "5", "reduced_rated"),
        ([(TABLE, 1000)], [REDUCED._replace(code=None, percentage=Decimal(18))], "18", "reduced_rated"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_shipping_is_taxed_as_the_goods_are(
    sold: list[tuple[str, int]], given: list[GivenRate], percentage: str, reason: str, first: bool
) -> None:
    provider = EuropeanVat([Registration("NL", "oss_union", 0)], european_union(), [REDUCED, *given])
    lines = [TaxLine(code, amount, False) for code, amount in sold]
    lines.insert(0 if first else len(lines), TaxLine(POSTAGE, 500, False))
    here, at = Address(country="DE"), instant("2026-03-01")
    answer = provider.decide(TaxQuery(Address(country="NL"), here, (), "none", "eur", at, tuple(lines)))
    assert not isinstance(answer, TaxUnknown)
    (postage,) = answer[0 if first else -1]
    assert (str(postage.percentage), postage.reason) == (percentage, reason)
    assert len(answer) == len(lines)


def test_shipping_of_goods_that_are_not_taxed_is_not_taxed_either() -> None:
    """A rate of the seller's own for shipping changes nothing of who owes the tax. Out of the union its own code says."""
    rates = [REDUCED._replace(code=POSTAGE), GivenRate("GB", None, BOOK, Decimal(0), "zero_rated", 0),
             GivenRate("GB", None, None, Decimal(20), "standard_rated", 0)]  # fmt: skip
    provider = EuropeanVat([Registration("NL", "oss_union", 0), Registration("GB", "standard", 0)], european_union(), rates)

    def ask(country: str, *ids: tuple[str, str]) -> list[tuple[Decimal, str]]:
        lines = (TaxLine(POSTAGE, 500, False), TaxLine(BOOK, 1000, False))
        asked = TaxQuery(Address(country="NL"), Address(country=country), ids, "none", "eur", instant("2026-03-01"), lines)
        answer = provider.decide(asked)
        assert not isinstance(answer, TaxUnknown)
        return [(one.percentage, one.reason) for (one,) in answer]

    assert ask("DE", ("eu_vat", "DE123")) == [(Decimal(0), "reverse_charge")] * 2
    assert ask("GB") == [(Decimal(20), "standard_rated"), (Decimal(0), "zero_rated")]
