"""Structured creditor references, ISO 11649: RF, two check digits, and up to 21 letters or digits that are ours.

Check digits as in ISO 7064, mod 97-10: the rest, then RF and the digits, letters as numbers, leaves 1 when divided by 97.
"""

MOST = 21


def creditor_reference(number: int) -> str:
    """RF18539007547034 for 539007547034."""
    own = str(number)
    return f"RF{98 - _remainder(own + 'RF00'):02d}{own}"


def number_of(reference: str) -> int | None:
    """The number in a reference as somebody typed it; None when it is not one of ours or its check digits are wrong."""
    plain = "".join(reference.split()).upper()
    own = plain[4:]
    if not plain.startswith("RF") or not plain.isascii() or not plain.isalnum() or not 0 < len(own) <= MOST:
        return None
    if _remainder(own + plain[:4]) != 1 or not own.isdecimal():
        return None
    return int(own)


def printed(reference: str) -> str:
    """In groups of four, as on paper."""
    return " ".join(reference[start:start + 4] for start in range(0, len(reference), 4))


def _remainder(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97
