"""Tokenizing: a documented test number or magic token goes in, a token of the network comes out. Nothing else is taken.

The token names the instrument and which checks can be made; there is no vault, since there is nothing to keep secret:
`sbx.<instrument>.<given>.<chance>`. Equal numbers have equal fingerprints, like Stripe's.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from voldaan.processors.protocol import PaymentMethodRef
from voldaan.processors.sandbox import banks, cards
from voldaan.processors.sandbox.effects import Instrument

INSTRUMENTS: dict[str, Instrument] = {**cards.BY_NAME, **banks.BY_NAME}

# Stripe's parameter for what was checked, and the letter that says in the token that it was given.
CHECKS = {
    "cvc": ("cvc_check", "c"),
    "line1": ("address_line1_check", "l"),
    "postal_code": ("address_postal_code_check", "p"),
}


class InvalidInstrument(ValueError):
    """A number, date or code that cannot be right, in the words of Stripe's card_error."""

    def __init__(self, code: str, message: str, param: str | None = None, decline_code: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.decline_code = decline_code


@dataclass(frozen=True, slots=True)
class Tokenized:
    """What may be stored and shown of a payment method; the fields are those of Stripe's object of its type."""

    ref: PaymentMethodRef
    last4: str | None
    fingerprint: str | None
    country: str | None
    brand: str | None = None
    funding: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    three_d_secure_supported: bool = False
    checks: Mapping[str, str | None] = field(default_factory=dict)
    bank_code: str | None = None
    branch_code: str | None = None
    routing_number: str | None = None


def tokenize(
    card: str, exp_month: int | None = None, exp_year: int | None = None, cvc: str | None = None, *,
    at: int, address_line1: str | None = None, postal_code: str | None = None, nonce: str | None = None,
) -> Tokenized:
    """A test card number, `pm_card_…` or `tok_…` as a token. `at` decides whether the card has expired.

    Raises InvalidInstrument. Behind a magic token the security code was given, and whatever else it is there to test.
    """
    magic = card.startswith(("pm_", "tok_"))
    known = _magic(card) if magic else _number(card)
    today = datetime.fromtimestamp(at, UTC)
    month, year = exp_month or today.month, exp_year if exp_year is not None else today.year + 1
    if not magic:
        year += 2000 if year < 100 else 0
        _check_date(month, year, today)
        _check_cvc(cvc, known)
    tested = {"cvc", *known.effect.failing_checks, *known.effect.unavailable_checks}
    typed = {"cvc": cvc, "line1": address_line1, "postal_code": postal_code}
    given = "".join(letter for name, (_, letter) in CHECKS.items() if (name in tested if magic else typed[name]))
    ref = _ref(known, given, nonce)
    return Tokenized(
        ref, ref.last4, ref.fingerprint, ref.country, known.brand, known.funding, month, year,
        three_d_secure_supported=known.effect.authentication != "not_supported",
        checks={stripes: "unchecked" if letter in given else None for stripes, letter in CHECKS.values()},
    )


def tokenize_bank(number: str, *, routing_number: str | None = None, nonce: str | None = None) -> Tokenized:
    """A test IBAN, a US test account, or `pm_sepaDebit_…` / `pm_usBankAccount_…`. Raises InvalidInstrument."""
    plain = number.replace(" ", "")
    if plain.startswith("pm_"):
        known = _magic(plain)
    elif routing_number:
        known = _us_account(plain, routing_number)
    else:
        known = _iban(plain.upper())
    ref = _ref(known, "0", nonce)
    if known.type == "us_bank_account":
        return Tokenized(ref, ref.last4, ref.fingerprint, "US", routing_number=banks.ACH_ROUTING)
    return Tokenized(ref, ref.last4, ref.fingerprint, ref.country, bank_code=known.number[4:12], branch_code="")


def tokenize_redirect(type: str, *, nonce: str | None = None) -> Tokenized:
    """iDEAL, Bancontact and the like have no number; the customer chooses at their bank."""
    if type not in banks.REDIRECTS:
        raise InvalidInstrument("payment_method_unsupported_type", f"The sandbox has no {type!r}.", "type")
    ref = _ref(banks.BY_NAME[type], "0", nonce)
    return Tokenized(ref, None, None, None)


def instrument(token: str) -> Instrument | None:
    """The instrument behind a token of this network; None if it is no such token."""
    parts = token.split(".")
    return INSTRUMENTS.get(parts[1]) if len(parts) == 4 and parts[0] == "sbx" else None


def checks(token: str, known: Instrument) -> dict[str, str]:
    """What the issuer says of the code and the address, for as much as was given."""
    given = token.split(".")[2]
    return {
        stripes: "fail" if name in known.effect.failing_checks
        else "unavailable" if name in known.effect.unavailable_checks else "pass"
        for name, (stripes, letter) in CHECKS.items() if letter in given
    }


def _magic(token: str) -> Instrument:
    name = token.removeprefix("pm_card_").removeprefix("tok_").removeprefix("pm_")
    if not (known := INSTRUMENTS.get(name)):
        raise InvalidInstrument("resource_missing", f"No such payment method: '{token}'", "payment_method")
    return known


def _number(number: str) -> Instrument:
    digits = number.replace(" ", "").replace("-", "")
    if known := cards.BY_NUMBER.get(digits):
        return known
    if not digits.isdecimal() or not 12 <= len(digits) <= 19 or not _luhn(digits):
        raise InvalidInstrument("incorrect_number", "Your card number is incorrect.", "number")
    raise InvalidInstrument(
        "card_declined",
        "Your card was declined. Your request was in test mode, but used a non test (live) card. "
        "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
        "number", "test_mode_live_card",
    )


def _iban(iban: str) -> Instrument:
    if known := banks.BY_IBAN.get(iban):
        return known
    if code := banks.REFUSED_BY_IBAN.get(iban):
        raise InvalidInstrument(code, "This bank account cannot be debited by SEPA Direct Debit.", "sepa_debit[iban]")
    if not iban.isalnum() or not iban.isascii() or len(iban) < 15 or int(_digits(iban[4:] + iban[:4])) % 97 != 1:
        raise InvalidInstrument("invalid_bank_account_iban", "The IBAN you entered is invalid.", "sepa_debit[iban]")
    raise InvalidInstrument(
        "bank_account_unusable", "Your request was in test mode, but used a non test (live) IBAN.", "sepa_debit[iban]")


def _us_account(number: str, routing_number: str) -> Instrument:
    known = banks.BY_ACCOUNT.get(number)
    if routing_number != banks.ACH_ROUTING or not known:
        raise InvalidInstrument(
            "account_number_invalid", "You must use a test bank account number in test mode.",
            "us_bank_account[account_number]",
        )
    return known


def _check_date(month: int, year: int, today: datetime) -> None:
    if not 1 <= month <= 12:
        raise InvalidInstrument("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    if not today.year <= year <= today.year + 50:
        raise InvalidInstrument("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")
    if (year, month) < (today.year, today.month):
        raise InvalidInstrument("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")


def _check_cvc(cvc: str | None, known: Instrument) -> None:
    lengths = (3, 4) if known.brand == "amex" else (3,)
    if cvc and not (cvc.isdecimal() and len(cvc) in lengths):
        raise InvalidInstrument("invalid_cvc", "Your card's security code is invalid.", "cvc")


def _ref(known: Instrument, given: str, nonce: str | None) -> PaymentMethodRef:
    return PaymentMethodRef(
        type=known.type,
        token=f"sbx.{known.name}.{given or '0'}.{nonce or secrets.token_hex(9)}",
        brand=known.brand,
        last4=known.number[-4:] or None,
        country=known.country if known.number else None,
        fingerprint=sha256(f"sandbox {known.number}".encode()).hexdigest()[:16] if known.number else None,
    )


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _digits(text: str) -> str:
    return "".join(str(int(sign, 36)) for sign in text)
