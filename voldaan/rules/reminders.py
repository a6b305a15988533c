"""Word of what is due, before it is. That of renewals is in rules/subscription_due.py."""

from __future__ import annotations

from voldaan.resources.accounts import BillingSettings
from voldaan.resources.invoices import Invoice
from voldaan.rules.decision import Due

DAY = 86_400


def before_due(settings: BillingSettings, invoice: Invoice, now: int) -> list[Due]:
    """Word of an invoice `will_be_due_days` before its due date, if that is still ahead."""
    if not settings.will_be_due_days or invoice.due_date is None:
        return []
    told = invoice.due_date - settings.will_be_due_days * DAY
    return [Due("invoice.will_be_due", invoice.id, told, invoice.test_clock)] if told > now else []
