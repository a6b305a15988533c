"""How money, numbers, dates and countries look. Babel gives the locale's patterns; decimals are ISO 4217's, not CLDR's."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_compact_currency, format_decimal

from voldaan.rules.money import exponent

LOCALE = Locale("en")
MINUS = "−"
CODE = re.compile(r"([A-Z]{3})(?=[\d-])")  # a currency without a sign of its own stands apart from its number


@cache
def _pattern(decimals: int) -> Any:
    pattern = copy.copy(LOCALE.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern


def decimals_of(currency: str) -> int:
    """How many decimals an amount is shown with; two for a currency we do not know."""
    try:
        return exponent(currency)
    except KeyError:
        return 2


def money(amount: int, currency: str) -> str:
    """Minor units for people: 123456, eur -> €1,234.56"""
    decimals = decimals_of(currency)
    shown = _pattern(decimals).apply(
        Decimal(amount).scaleb(-decimals), LOCALE, currency=currency.upper(), currency_digits=False
    )
    return CODE.sub("\\1\N{NO-BREAK SPACE}", str(shown)).replace("-", MINUS)


def signed(amount: int, currency: str) -> str:
    """The same with its sign always written: +€12.00"""
    return ("+" if amount > 0 else "") + money(amount, currency)


def compact(amount: int, currency: str) -> str:
    """Short, for axes: €12K"""
    value = Decimal(amount).scaleb(-decimals_of(currency))
    digits = 0 if abs(value) < 1000 else 1
    return str(format_compact_currency(value, currency.upper(), locale=LOCALE, fraction_digits=digits)).replace("-", MINUS)


def number(value: int) -> str:
    """1,234"""
    return str(format_decimal(value, locale=LOCALE)).replace("-", MINUS)


def quantity(value: Decimal | int | None) -> str:
    """With all its digits: 1,234.125; nothing for none."""
    return "" if value is None else str(format_decimal(value, locale=LOCALE, decimal_quantization=False))


def country(code: str) -> str:
    """By its name: NL -> Netherlands. A code that no country has stays as it is."""
    return str(LOCALE.territories.get(code.upper(), code))


def tax_number(type: str, value: str) -> str:
    """With the kind that its type names: eu_vat, NL1 -> VAT NL1"""
    kind = type.partition("_")[2].replace("_", " ").upper()
    return f"{kind} {value}".strip()


def share(part: int, whole: int) -> str:
    """A percentage with one decimal, or a dash where there is no whole: 97.4 %"""
    if whole <= 0:
        return "–"
    tenths = (part * 2000 + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}%" if tenths not in (0, 1000) else f"{tenths // 10}%"


def change(now: int, before: int) -> str:
    """The change in percent with its sign: +4.2%; a dash from zero."""
    if before <= 0:
        return "–"
    tenths = ((now - before) * 2000 + before) // (2 * before)
    sign = "+" if tenths > 0 else MINUS if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}%"


def moment(instant: int) -> str:
    """14 Oct 2026, 09:00"""
    return _date(instant, "d MMM y, HH:mm")


def day(instant: int, zone: str = "UTC") -> str:
    """14 Oct 2026, in a time zone of the IANA database."""
    return _date(instant, "d MMM y", zone)


def short_day(instant: int) -> str:
    """14 Oct"""
    return _date(instant, "d MMM")


def clock_time(instant: int) -> str:
    """09:00:05"""
    return _date(instant, "HH:mm:ss")


def invariant(name: str) -> str:
    """L2_receivable_is_what_is_open -> Receivable is what is open"""
    return words(name.partition("_")[2])


def iso(instant: int) -> str:
    """For <time datetime>."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def month(name: str) -> str:
    """2026-03 -> Mar"""
    return _date(_first(name), "MMM")


def month_year(name: str) -> str:
    """2026-03 -> Mar 2026"""
    return _date(_first(name), "MMM y")


def words(code: str) -> str:
    """insufficient_funds -> Insufficient funds"""
    return code.replace("_", " ").replace(".", " ").capitalize()


def _first(name: str) -> int:
    year, number = (int(part) for part in name.split("-"))
    return int(datetime(year, number, 1, tzinfo=UTC).timestamp())


def _date(instant: int, pattern: str, zone: str = "UTC") -> str:
    return str(format_datetime(datetime.fromtimestamp(instant, ZoneInfo(zone)), pattern, locale=LOCALE))
