"""Check digits of tax ids: whether a number that has the right form can have been given out.

A form is known of every type (rules/tax_ids.py), a check digit of these. The arithmetic is each tax office's own, published in
the annexes of VIES ("VAT number construction rules") and on the registers' pages; tests/rules/tax_ids.txt has numbers in use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

LETTERS_ES = "TRWAGMYFPDXBNJZSQVHLCKE"
LETTERS_IE = "WABCDEFGHIJKLMNOPQRSTUV"
ALPHABET_FR = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
ALPHABET_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ODD_CY = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)


def fits(type: str, bare: str) -> bool:
    """Whether the digits agree with each other. `bare` has the form of its type; what no rule is known of fits."""
    if type == "eu_vat":
        rule = EU_VAT.get(bare[:2])
        return rule is None or rule(bare[2:])
    other = OTHERS.get(type)
    return other is None or other(bare)


# Arithmetic that several have in common ----------------------------------------------------------------------------------


def weighted(number: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights; digits without a weight do not count."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def luhn(number: str) -> bool:
    """Every second digit from the right doubled, its digits summed: a multiple of ten."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2]]
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10 == 0


def mod_11_10(number: str) -> bool:
    """ISO 7064, MOD 11,10."""
    check = 5
    for digit in number:
        check = ((check or 10) * 2 % 11 + int(digit)) % 10
    return check == 1


# Member states ---------------------------------------------------------------------------------------------------------


def _at(number: str) -> bool:
    digits = number[1:]
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[1:7:2])
    return (10 - (sum(map(int, digits[0:7:2])) + doubled + 4) % 10) % 10 == int(digits[7])


def _be(number: str) -> bool:
    return 97 - int(number[:8]) % 97 == int(number[8:])


def _bg(number: str) -> bool:
    last = int(number[-1])
    if len(number) == 9:
        check = weighted(number, range(1, 9)) % 11
        return (check if check < 10 else weighted(number, range(3, 11)) % 11 % 10) == last
    person = weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10
    foreigner = weighted(number, (21, 19, 17, 13, 11, 9, 7, 3, 1)) % 10
    other = (11 - weighted(number, (4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11
    return last in (person, foreigner, other)


def _cy(number: str) -> bool:
    total = sum(ODD_CY[int(digit)] for digit in number[0:8:2]) + sum(map(int, number[1:8:2]))
    return chr(ord("A") + total % 26) == number[8]


def _cz(number: str) -> bool:
    if len(number) == 8:
        check = (11 - weighted(number, (8, 7, 6, 5, 4, 3, 2)) % 11) % 11
        return (check or 1) % 10 == int(number[7])
    return len(number) == 9 or int(number) % 11 == 0 or (int(number[:9]) % 11 == 10 and number[9] == "0")


def _dk(number: str) -> bool:
    return weighted(number, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _ee(number: str) -> bool:
    return weighted(number, (3, 7, 1, 3, 7, 1, 3, 7, 1)) % 10 == 0


def _el(number: str) -> bool:
    return weighted(number, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == int(number[8])


def _es(number: str) -> bool:
    first, middle, last = number[0], number[1:8], number[8]
    if first.isdigit():
        return LETTERS_ES[int(number[:8]) % 23] == last
    if first in "XYZ":
        return LETTERS_ES[int(str("XYZ".index(first)) + middle) % 23] == last
    if first in "KLM":
        return LETTERS_ES[int(middle) % 23] == last
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in middle[0::2])
    check = (10 - (doubled + sum(map(int, middle[1::2]))) % 10) % 10
    return last in (str(check), "JABCDEFGHI"[check])


def _fi(number: str) -> bool:
    return weighted(number, (7, 9, 10, 5, 8, 4, 2, 1)) % 11 == 0


def _fr(number: str) -> bool:
    key, siren = number[:2], number[2:]
    if not siren.startswith("000") and not luhn(siren):  # Monaco's have three zeros and no check digit
        return False
    if key.isdigit():
        return int(siren + "12") % 97 == int(key)
    high, low = (ALPHABET_FR.index(letter) for letter in key)
    value = high * 24 + low - 10 if key[0].isdigit() else high * 34 + low - 100
    return (int(siren) + 1 + value // 11) % 11 == value % 11


def _hu(number: str) -> bool:
    return weighted(number, (9, 7, 3, 1, 9, 7, 3, 1)) % 10 == 0


def _ie(number: str) -> bool:
    if not number[1].isdigit():  # before 2013: the first digit stands behind the others
        number = "0" + number[2:7] + number[0] + number[7:]
    total = weighted(number, (8, 7, 6, 5, 4, 3, 2))
    if len(number) == 9:
        total += 9 * LETTERS_IE.index(number[8]) if number[8] in LETTERS_IE else 0
    return LETTERS_IE[total % 23] == number[7]


def _lt(number: str) -> bool:
    body = number[:-1]
    check = sum((1 + place % 9) * int(digit) for place, digit in enumerate(body)) % 11
    if check == 10:
        check = sum((1 + (place + 2) % 9) * int(digit) for place, digit in enumerate(body)) % 11
    return check % 10 == int(number[-1]) and number[-2] == "1"


def _lu(number: str) -> bool:
    return int(number[:6]) % 89 == int(number[6:])


def _lv(number: str) -> bool:
    return number[0] <= "3" or weighted(number, (9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)) % 11 == 3


def _mt(number: str) -> bool:
    return weighted(number, (3, 4, 6, 7, 8, 9, 10, 1)) % 37 == 0


def _nl(number: str) -> bool:
    """Companies have a number by eleven; sole traders, since 2020, one by ninety-seven over the whole."""
    if weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0:
        return True
    return int("".join(str(ALPHABET_36.index(sign)) for sign in f"NL{number}")) % 97 == 1


def _pl(number: str) -> bool:
    return weighted(number, (6, 5, 7, 2, 3, 4, 5, 6, 7, -1)) % 11 == 0


def _pt(number: str) -> bool:
    return (11 - weighted(number, (9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 % 10 == int(number[8])


def _ro(number: str) -> bool:
    padded = number.zfill(10)
    return 10 * weighted(padded, (7, 5, 3, 2, 1, 7, 5, 3, 2)) % 11 % 10 == int(padded[9])


def _se(number: str) -> bool:
    return luhn(number[:10])


def _si(number: str) -> bool:
    return (11 - weighted(number, (8, 7, 6, 5, 4, 3, 2)) % 11) % 10 == int(number[7]) and number[0] != "0"


def _sk(number: str) -> bool:
    return int(number) % 11 == 0


# Others ----------------------------------------------------------------------------------------------------------------


def _gb(number: str) -> bool:
    digits = number.removeprefix("GB")
    if not digits.isdigit():  # government departments and health authorities
        return True
    total = weighted(digits, (8, 7, 6, 5, 4, 3, 2, 10, 1))
    return total % 97 in (0, 42)


def _au(number: str) -> bool:
    digits = str(int(number[0]) - 1) + number[1:] if number[0] != "0" else ""
    return bool(digits) and weighted(digits, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89 == 0


def _br_cnpj(number: str) -> bool:
    first = -weighted(number, (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10
    second = -weighted(number, (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10
    return number[12:] == f"{first}{second}"


def _br_cpf(number: str) -> bool:
    first = -weighted(number, range(10, 1, -1)) % 11 % 10
    second = -weighted(number, range(11, 1, -1)) % 11 % 10
    return number[9:] == f"{first}{second}"


def _ch(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    return (11 - weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4)) % 11) % 11 == int(digits[8])


def _in_gst(number: str) -> bool:
    total = 0
    for place, sign in enumerate(number[:-1]):
        value = ALPHABET_36.index(sign) * (1 + place % 2)
        total += value // 36 + value % 36
    return ALPHABET_36[-total % 36] == number[-1]


def _no(number: str) -> bool:
    return weighted(number, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


Rule = Callable[[str], bool]

EU_VAT: dict[str, Rule] = {
    "AT": _at, "BE": _be, "BG": _bg, "CY": _cy, "CZ": _cz, "DE": mod_11_10, "DK": _dk, "EE": _ee, "EL": _el, "ES": _es,
    "FI": _fi, "FR": _fr, "HR": mod_11_10, "HU": _hu, "IE": _ie, "IT": luhn, "LT": _lt, "LU": _lu, "LV": _lv, "MT": _mt,
    "NL": _nl, "PL": _pl, "PT": _pt, "RO": _ro, "SE": _se, "SI": _si, "SK": _sk, "XI": _gb,
}  # fmt: skip

OTHERS: dict[str, Rule] = {
    "au_abn": _au, "br_cnpj": _br_cnpj, "br_cpf": _br_cpf, "ch_uid": _ch, "ch_vat": _ch, "fr_siren": luhn, "fr_siret": luhn,
    "gb_vat": _gb, "hr_oib": mod_11_10, "in_gst": _in_gst, "no_vat": _no,
}  # fmt: skip
