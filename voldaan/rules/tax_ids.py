"""Tax ids: whether one can be real, by its form and its check digits, and which country it is of.

Check digits are asked for in live mode only: examples in documents, and so in tests, seldom have them. Nobody outside is asked,
so a well-formed id is `unavailable` to verification. In test mode the numbers that Stripe documents stand for the answers of a
register: docs.stripe.com/billing/customer/tax-ids ("Testing").
"""

from __future__ import annotations

import re

from voldaan.resources.tax_ids import TaxIdVerification
from voldaan.rules import tax_id_digits
from voldaan.rules.refusals import refused

MAX_PER_CUSTOMER = 5

# What follows the two letters in a VAT number of the European Union; EL is Greece, XI Northern Ireland.
EU_VAT = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
}

# Other types whose form is short to say. Of the rest only that they have letters or digits is asked.
FORMS = {
    "au_abn": r"\d{11}",
    "br_cnpj": r"\d{14}",
    "br_cpf": r"\d{11}",
    "ca_bn": r"\d{9}",
    "ca_gst_hst": r"\d{9}RT\d{4}",
    "ch_uid": r"CHE\d{9}(HR)?",
    "ch_vat": r"CHE\d{9}(MWST|TVA|IVA)",
    "de_stn": r"\d{10,13}",
    "es_cif": r"[A-Z]\d{7}[A-Z0-9]",
    "eu_oss_vat": r"EU\d{9}",
    "fr_siren": r"\d{9}",
    "fr_siret": r"\d{14}",
    "gb_vat": r"(GB)?(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
    "hr_oib": r"\d{11}",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "sg_gst": r"[A-Z0-9]{9,10}",
    "us_ein": r"\d{9}",
    "za_vat": r"\d{10}",
}
ANY_FORM = r"[A-Z0-9]{3,30}"

VERIFIABLE = frozenset({"eu_vat", "gb_vat", "au_abn"})
TEST_OUTCOMES = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}


def check(type: str, value: str, livemode: bool) -> None:
    """Refuses a value that cannot be an id of this type."""
    if not livemode and _test_outcome(type, value):
        return
    bare = compact(value)
    if type == "eu_vat":
        form = EU_VAT.get(bare[:2])
        fits = form is not None and re.fullmatch(form, bare[2:], re.ASCII)
    else:
        fits = re.fullmatch(FORMS.get(type, ANY_FORM), bare, re.ASCII)
    if not fits or (livemode and not tax_id_digits.fits(type, bare)):
        raise refused(f"Invalid value for {type}.", "value", "tax_id_invalid")


def compact(value: str) -> str:
    """Without the spaces and marks that people write between the digits."""
    return re.sub(r"[\s./-]", "", value).upper()


def country(type: str, value: str) -> str | None:
    """The country whose tax office gave it."""
    if type == "eu_oss_vat":
        return None
    letters = compact(value)[:2] if type == "eu_vat" else type[:2].upper()
    known = {"EL": "GR", "XI": "GB", "IC": "ES"}.get(letters, letters)
    return known if known.isalpha() else None


def verification(type: str, value: str, livemode: bool) -> TaxIdVerification | None:
    """What is known about it; None for types that no register answers for."""
    if type not in VERIFIABLE:
        return None
    match None if livemode else _test_outcome(type, value):
        case "verified":
            return TaxIdVerification(status="verified", verified_address="123 TEST STREET", verified_name="TEST COMPANY")
        case "unverified":
            return TaxIdVerification(status="unverified")
        case "pending":
            return TaxIdVerification(status="pending")
    return TaxIdVerification(status="unavailable")


def _test_outcome(type: str, value: str) -> str | None:
    if type not in VERIFIABLE:
        return None
    bare = compact(value)
    return next((outcome for digits, outcome in TEST_OUTCOMES.items() if bare in (digits, bare[:2] + digits)), None)
