"""What a request says of a quote, but for its lines, with all that it names looked up."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.commands import agreed_discounts, lookups, quote_lines
from voldaan.resources.billing import CustomField
from voldaan.resources.quotes import (
    Quote,
    QuoteCreate,
    QuoteInvoiceSettings,
    QuoteInvoiceSettingsParams,
    QuoteSubscriptionData,
    QuoteSubscriptionDataChange,
    QuoteUpdate,
)
from voldaan.rules import quotes as rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision
from voldaan.rules.lines import rate_ids
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.rules.subscription_fields import check_days_until_due, check_not_too_far
from voldaan.store.transaction import Transaction


async def said(
    tx: Transaction, facts: BillingFacts, quote: Quote, params: QuoteCreate | QuoteUpdate, decision: Decision
) -> Quote:
    """The quote with everything that the request says of it, but for its lines."""
    given = params.model_fields_set
    values: dict[str, Any] = {name: getattr(params, name) or None for name in given & {"description", "footer", "header"}}
    if "metadata" in given:
        values["metadata"] = merged(quote.metadata, params.metadata)
    if params.collection_method is not None:
        values["collection_method"] = params.collection_method
    if params.expires_at is not None:
        values["expires_at"] = future(params.expires_at, tx.now)
    if "default_tax_rates" in given:
        found = await lookups.tax_rates(tx, facts, params.default_tax_rates, "default_tax_rates")
        values["default_tax_rates"] = rate_ids(found)
    if params.automatic_tax is not None:
        await lookups.automatic_tax(tx, facts, params.automatic_tax, values.get("default_tax_rates", quote.default_tax_rates))
        values["automatic_tax"] = rules.tax_asked(params.automatic_tax.enabled)
    if "discounts" in given:
        who = await agreed_discounts.know(tx, facts, params.discounts or (), quote.customer)
        wanted, shown = quote_lines.discounts(facts, who, params.discounts, "discounts", tx.now, decision)
        values |= {"wanted": wanted, "discounts": shown}
    if params.invoice_settings is not None:
        values["invoice_settings"] = _invoice_settings(quote.invoice_settings, params.invoice_settings)
    if params.subscription_data is not None:
        values["subscription_data"] = _subscription_data(quote.subscription_data, params.subscription_data, tx.now)
    changed = replace(quote, **values)
    days = changed.invoice_settings.days_until_due
    check_days_until_due(changed.collection_method, days, days, "invoice_settings[days_until_due]")
    return changed


def _invoice_settings(was: QuoteInvoiceSettings, said: QuoteInvoiceSettingsParams) -> QuoteInvoiceSettings:
    values: dict[str, Any] = {name: getattr(said, name) or None for name in said.model_fields_set & {"description", "footer"}}
    if "days_until_due" in said.model_fields_set:
        values["days_until_due"] = said.days_until_due
    if "custom_fields" in said.model_fields_set:
        values["custom_fields"] = [CustomField(name=f.name, value=f.value) for f in said.custom_fields or ()] or None
    return replace(was, **values)


def _subscription_data(was: QuoteSubscriptionData, said: QuoteSubscriptionDataChange, now: int) -> QuoteSubscriptionData:
    if said.effective_date == "current_period_end":
        raise refused(
            "`current_period_end` needs a subscription that the quote changes, which is not supported.",
            "subscription_data[effective_date]",
        )
    check_not_too_far(said.effective_date or None, now, "subscription_data[effective_date]")
    given = said.model_fields_set & {"description", "effective_date", "trial_period_days"}
    values: dict[str, Any] = {name: getattr(said, name) or None for name in given}
    if "metadata" in said.model_fields_set:
        values["metadata"] = merged(was.metadata or {}, said.metadata)
    return replace(was, **values)


def future(at: int, now: int) -> int:
    """When an offer ends that is to end then. Refuses what is past."""
    if at <= now:
        raise refused("`expires_at` must be in the future.", "expires_at")
    return at
