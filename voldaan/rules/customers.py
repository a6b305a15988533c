"""Customers: what may be said of one, and what a customer becomes of it."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.billing import CustomField
from voldaan.resources.customers import (
    Customer,
    CustomerCreate,
    CustomerInvoiceSettings,
    CustomerTax,
    CustomerUpdate,
    InvoiceSettingsParams,
    RenderingOptions,
    TaxLocation,
)
from voldaan.rules.countries import COUNTRIES
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.rules.tax_location import is_precise, locate
from voldaan.rules.tax_provider import LOCATION

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
INVOICE_PREFIX = re.compile(r"[A-Z0-9]{3,12}")
LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")

PLAIN = ("description", "email", "name", "phone")  # text that is null when it is empty
MAY_BE_ABSENT = ("business_name", "individual_name")  # text that is left out when it is empty

Given = CustomerCreate | CustomerUpdate


def changed(customer: Customer, params: Given) -> Customer:
    """The customer with what the parameters say, apart from balance, payment method and tax ids."""
    check(params)
    given = params.model_fields_set
    values: dict[str, Any] = {"metadata": merged(customer.metadata, params.metadata)}
    values |= {name: getattr(params, name) or None for name in PLAIN if name in given}
    values |= {name: getattr(params, name) or UNSET for name in MAY_BE_ABSENT if name in given}
    if "address" in given:
        values["address"] = params.address.address() if params.address else None
    if "shipping" in given:
        values["shipping"] = params.shipping.shipping() if params.shipping else None
    if "preferred_locales" in given:
        values["preferred_locales"] = list(params.preferred_locales or [])
    if "tax_exempt" in given:
        values["tax_exempt"] = params.tax_exempt or "none"
    if params.invoice_prefix is not None:
        values["invoice_prefix"] = params.invoice_prefix
    if params.next_invoice_sequence is not None:
        values["next_invoice_sequence"] = _next_sequence(customer, params.next_invoice_sequence)
    if params.invoice_settings is not None:
        values["invoice_settings"] = invoice_settings(customer.invoice_settings, params.invoice_settings)
    after = replace(customer, **values)
    return replace(after, tax=_tax(after, params))


def check(params: Given) -> None:
    """Refuses what no customer can have."""
    if params.email and not EMAIL.fullmatch(params.email):
        raise refused(f"Invalid email address: {params.email}", "email", "email_invalid")
    if params.invoice_prefix is not None and not INVOICE_PREFIX.fullmatch(params.invoice_prefix):
        raise refused("An invoice prefix must be 3 to 12 uppercase letters or numbers.", "invoice_prefix")
    for number, locale in enumerate(params.preferred_locales or []):
        if not LOCALE.fullmatch(locale):
            raise refused(f"Invalid locale: {locale}", f"preferred_locales[{number}]")
    if params.address and params.address.country:
        check_country(params.address.country, "address[country]")
    if params.shipping and params.shipping.address.country:
        check_country(params.shipping.address.country, "shipping[address][country]")
    if params.source is not None or (isinstance(params, CustomerUpdate) and params.default_source is not None):
        raise refused(
            "Sources and card tokens cannot be kept with a customer. Create a PaymentMethod, for instance with "
            "`card[token]`, and attach it to the customer.",
            "source" if params.source is not None else "default_source",
        )
    settings = params.cash_balance.settings if params.cash_balance else None
    if settings and settings.reconciliation_mode not in (None, "merchant_default"):
        raise refused("Cash balances are not kept by this server.", "cash_balance[settings][reconciliation_mode]")


def check_country(code: str, param: str) -> None:
    """Refuses what is not a country's two letters."""
    if code.upper() not in COUNTRIES:
        raise refused(
            f"Country '{code}' is unknown. Try using a 2-character alphanumeric country code instead, "
            "such as 'US', 'EG', or 'GB'.",
            param,
            "country_code_invalid",
        )


def invoice_settings(was: CustomerInvoiceSettings, params: InvoiceSettingsParams) -> CustomerInvoiceSettings:
    """The settings with what the parameters say; what is empty is unset."""
    given = params.model_fields_set
    values: dict[str, Any] = {}
    if "custom_fields" in given:
        fields = [CustomField(name=f.name, value=f.value) for f in params.custom_fields or []]
        values["custom_fields"] = fields or None
    if "default_payment_method" in given:
        values["default_payment_method"] = params.default_payment_method or None
    if "footer" in given:
        values["footer"] = params.footer or None
    if "rendering_options" in given:
        options = params.rendering_options
        values["rendering_options"] = (
            RenderingOptions(amount_tax_display=options.amount_tax_display or None, template=options.template)
            if options
            else None
        )
    return replace(was, **values)


def _next_sequence(customer: Customer, wanted: int) -> int:
    """A number is never given twice, so the sequence only goes forward."""
    if wanted < customer.next_invoice_sequence:
        raise refused(
            f"The next invoice sequence must be at least {customer.next_invoice_sequence}, "
            "because earlier numbers have been used.",
            "next_invoice_sequence",
        )
    return wanted


def _tax(customer: Customer, params: Given) -> CustomerTax:
    """Where the customer is taxed, as far as the addresses say: in the same order as automatic tax looks at them.

    Whether tax is collected there depends on registrations, which come and go: it is found out when somebody asks.
    """
    ip = customer.tax.ip_address
    if params.tax and "ip_address" in params.tax.model_fields_set:
        ip = params.tax.ip_address or None
    found = locate(customer.address, customer.shipping)
    location = TaxLocation(country=found.address.country or "", source=found.source, state=found.address.state) if found else None
    known = found is not None and is_precise(found.address)
    if params.tax and params.tax.validate_location == "immediately" and not known:
        raise refused(LOCATION.message, "tax[validate_location]", LOCATION.code)
    return CustomerTax(
        automatic_tax="not_collecting" if known else "unrecognized_location", ip_address=ip, location=location
    )
