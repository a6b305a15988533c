"""What an invoice must say in words about its tax. Source: Directive 2006/112/EC, article 226, points 11 and 11a."""

from __future__ import annotations

from voldaan.resources.invoices import Invoice

NOTES = {
    "reverse_charge": "Reverse charge: the customer accounts for the VAT.",
    "customer_exempt": "No tax is charged, because the customer is exempt.",
    "product_exempt": "Exempt from tax.",
    "zero_rated": "Taxed at 0%.",
}
OF_CUSTOMER = {"reverse": "reverse_charge", "exempt": "customer_exempt"}


def notes(invoice: Invoice) -> list[str]:
    """The sentences, each once."""
    reasons = {tax.taxability_reason for tax in invoice.total_taxes or []}
    reasons.add(OF_CUSTOMER.get(invoice.customer_tax_exempt or "", ""))
    return [text for reason, text in NOTES.items() if reason in reasons]
