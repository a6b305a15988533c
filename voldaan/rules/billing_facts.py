"""What a batch of billing must know, loaded by commands/billing.py. What decisions change is put back into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from voldaan.resources.accounts import Account
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_rendering_templates import InvoiceRenderingTemplate
from voldaan.resources.invoices import CustomerTaxId
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.usage_periods import UsagePeriod
from voldaan.rules.automatic_tax import TaxFacts
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.commitments import Commitments
from voldaan.rules.owing import Parties
from voldaan.rules.promotion_codes import Named, Redemption
from voldaan.rules.usage import UsageKey


@dataclass(slots=True)
class Numbering:
    """One series of numbers for the whole book; where customers have their own, there is none."""

    prefix: str
    next: int


@dataclass(slots=True)
class UsageFacts:
    """What meters have counted, and what was billed of it."""

    counted: dict[UsageKey, Decimal] = field(default_factory=dict)
    asked_at: int | None = None  # what begins later has none yet; None: nobody has asked, and nothing may be billed
    periods: dict[str, UsagePeriod] = field(default_factory=dict)  # billed, and perhaps to be billed further
    items: dict[str, InvoiceItem] = field(default_factory=dict)    # that lines of drafts with usage stand for
    late_events: dict[str, str] = field(default_factory=dict)      # by meter: what becomes of late usage
    _sorted: tuple[int, dict[str, list[str]]] = (0, {})  # how many periods, and their ids by subscription

    def periods_of(self, subscription: str) -> list[UsagePeriod]:
        """Those of one subscription, in the order of their ids. A batch sorts all of them once: none goes or moves."""
        if self._sorted[0] != len(self.periods):
            self._sorted = (len(self.periods), {})
            for id in sorted(self.periods):
                self._sorted[1].setdefault(self.periods[id].subscription, []).append(id)
        return [self.periods[id] for id in self._sorted[1].get(subscription, ())]


@dataclass(slots=True)
class BillingFacts:
    """`pending` holds, by customer, the invoice items that wait for an invoice."""

    account: Account
    catalogue: Catalogue
    parties: Parties
    site: str  # the address of hosted pages
    wall: int  # real time, for attempts
    methods: dict[str, PaymentMethod] = field(default_factory=dict)
    tax_ids: dict[str, list[CustomerTaxId]] = field(default_factory=dict)
    pending: dict[str, list[InvoiceItem]] = field(default_factory=dict)
    numbering: Numbering | None = None
    templates: dict[str, InvoiceRenderingTemplate] = field(default_factory=dict)
    commitments: Commitments = field(default_factory=Commitments)
    named: Named = field(default_factory=Named)  # by the discounts of this request
    redeemed: list[Redemption] = field(default_factory=list)  # by this request, not yet held against what is bought
    taxes: TaxFacts | None = None  # where somebody has automatic tax
    usage: UsageFacts = field(default_factory=UsageFacts)
