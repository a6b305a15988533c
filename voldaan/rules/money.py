"""Money: integers of minor units, exact decimals for unit prices, one rounding, splits that add up.

Nothing here knows floats, and nothing depends on the decimal context: every computation is on integers, so the same
inputs give the same cents on every machine. Rules and their sources: docs/behaviour-rules.md, "Money".
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

# Unit prices have up to twelve decimals of a minor unit; prices and quantities are computed as integers of 10^-12.
DECIMALS = 12
SCALE = 10**DECIMALS


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The currencies of the API. Two decimals unless another table says otherwise.
CURRENCIES = _codes(
    """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny
    cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd
    jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad
    ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl
    thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
    """
)
ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
# No longer divided by their people, still written with two decimals on the API: the amount is a multiple of 100.
WHOLE_UNITS_ONLY = _codes("isk ugx")

EXPONENT = {code: 0 if code in ZERO_DECIMAL else 3 if code in THREE_DECIMAL else 2 for code in CURRENCIES}

# The least that can be charged, in minor units, when the charge settles in the same currency.
MINIMUM_CHARGE = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip

MAXIMUM_AMOUNT = 99_999_999
MAXIMUM_AMOUNT_OF = {
    "idr": 999_999_999_999,
    "inr": 999_999_999,
    "lbp": 99_999_999_999,
    "cop": 9_999_999_999,
    "huf": 9_999_999_999,
    "jpy": 9_999_999_999,
}


def is_supported(currency: str) -> bool:
    """Whether the API takes this lower-case ISO 4217 code."""
    return currency in CURRENCIES


def exponent(currency: str) -> int:
    """How many decimals the minor unit has on the API: eur 2, jpy 0, kwd 3, isk 2. Raises KeyError if unsupported."""
    return EXPONENT[currency]


def step(currency: str) -> int:
    """The smallest difference between two amounts that can be charged: eur 1, kwd 10, isk and ugx 100."""
    return 100 if currency in WHOLE_UNITS_ONLY else 10 if currency in THREE_DECIMAL else 1


def round_to_step(amount: int, currency: str) -> int:
    """The nearest amount that can be charged, half away from zero; the difference goes to the customer's balance."""
    size = step(currency)
    return amount if size == 1 else divide(amount, size) * size


def minimum_charge(currency: str) -> int:
    """The least a non-zero charge may be, in minor units; where none is published, the smallest step."""
    return MINIMUM_CHARGE.get(currency) or step(currency)


def maximum_amount(currency: str) -> int:
    """The most one charge or one line may be, in minor units: eight digits but for a few small units."""
    return MAXIMUM_AMOUNT_OF.get(currency, MAXIMUM_AMOUNT)


def is_within_maximum(amount: int, currency: str) -> bool:
    """Whether the amount, of either sign, has no more digits than the API takes."""
    return abs(amount) <= maximum_amount(currency)


def divide(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest integer, half away from zero; the denominator is positive."""
    if numerator >= 0:
        return (2 * numerator + denominator) // (2 * denominator)
    return -((denominator - 2 * numerator) // (2 * denominator))


def round_half_away(value: Decimal) -> int:
    """A decimal to the nearest integer, half away from zero, so that a credit note mirrors its invoice."""
    return divide(*value.as_integer_ratio())


@lru_cache(maxsize=8192)
def scaled(value: Decimal | int) -> int:
    """The value as an integer of 10^-12, exactly. Raises ValueError for more than twelve decimals."""
    numerator, denominator = value.as_integer_ratio()
    if (numerator * SCALE) % denominator:
        raise ValueError(f"{value} has more than {DECIMALS} decimals")
    return int(numerator * SCALE // denominator)


def line_amount(unit_amount_decimal: Decimal | int, quantity: Decimal | int) -> int:
    """Unit price times quantity in minor units, rounded once.

    unit_amount_decimal is in minor units with up to twelve decimals; the quantity may be negative or fractional.
    """
    return divide(scaled(unit_amount_decimal) * scaled(quantity), SCALE * SCALE)


def apportion(exact: Sequence[int], denominator: int) -> list[int]:
    """Rounds the sum of exact[i] / denominator once, and shares it so that the parts add up to it.

    Every part differs from its exact value by less than one; the units left over go to the largest remainders, the
    first of equals first. Signs may be mixed, and negating all inputs negates all outputs.
    """
    if len(exact) == 1:
        return [divide(exact[0], denominator)]
    parts = [value // denominator if value >= 0 else -(-value // denominator) for value in exact]
    left = divide(sum(exact), denominator) - sum(parts)
    if not left:
        return parts
    sign = 1 if left > 0 else -1
    remainders = [sign * (value - part * denominator) for value, part in zip(exact, parts, strict=True)]
    if left == sign:
        parts[remainders.index(max(remainders))] += sign
        return parts
    for index in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[: abs(left)]:
        parts[index] += sign
    return parts


def split(total: int, weights: Sequence[int]) -> list[int]:
    """The total in proportion to the weights by largest remainder; the parts sum to it exactly, negative ones too.

    Weights are not negative. Raises ValueError when they are all zero and there is something to split.
    """
    whole = sum(weights)
    if whole <= 0:
        if total:
            raise ValueError(f"{total} cannot be split: no weight is positive")
        return [0] * len(weights)
    return apportion([total * weight for weight in weights], whole)


def format_amount(amount: int, currency: str) -> str:
    """The amount as a plain decimal and its currency, "31.00 EUR": for logs, errors and files, not for people."""
    decimals = exponent(currency)
    digits = str(abs(amount)).zfill(decimals + 1)
    sign = "-" if amount < 0 else ""
    whole, fraction = (digits[:-decimals], "." + digits[-decimals:]) if decimals else (digits, "")
    return f"{sign}{whole}{fraction} {currency.upper()}"
