"""What automatic tax must know, read for a whole batch, and the tax rates that it makes, kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voldaan.resources.customers import Customer
from voldaan.resources.tax_rates import TaxRate
from voldaan.resources.tax_registrations import TaxRegistration
from voldaan.resources.tax_rules import TaxRule
from voldaan.resources.tax_settings import TaxSettings
from voldaan.rules import automatic_tax as rules
from voldaan.rules import tax_registrations, tax_rules
from voldaan.rules.automatic_tax import RATE_PREFIX, TaxFacts
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.eu_vat import EuropeanVat
from voldaan.rules.tax_provider import LOCAL, Recorded
from voldaan.store import rows
from voldaan.store.transaction import Transaction
from voldaan.taxes.rates import european_union


async def know(tx: Transaction, facts: BillingFacts) -> None:
    """Adds settings and registrations of the account, and the tax rates that were made before. Once is enough."""
    if facts.taxes is not None:
        return
    facts.taxes = await load(tx)
    made = await tx.select(TaxRate, "starts_with(t.id, %(prefix)s)", prefix=RATE_PREFIX)
    facts.catalogue.tax_rates |= {rate.id: rate for rate in made}


async def load(tx: Transaction) -> TaxFacts:
    """Settings, and the provider: the one that decides from registrations and the seller's own rules, or what the account's
    own provider over a network has answered."""
    settings = await tx.select(TaxSettings, "true")
    name = tx.account.settings_billing.tax_provider
    if name != LOCAL:
        recorded = tx.recorded or Recorded({}, closed=True)
        return TaxFacts(settings[0] if settings else None, recorded, tx.account.livemode, name)
    registrations = await tx.select(TaxRegistration, "true")
    own = await tx.select(TaxRule, "true")
    provider = EuropeanVat(
        [tax_registrations.fact(each) for each in registrations], european_union(), [tax_rules.given(each) for each in own]
    )
    return TaxFacts(settings[0] if settings else None, provider, tx.account.livemode)


async def stand(tx: Transaction, customers: Sequence[Customer]) -> None:
    """What tax would do for these customers now, which is asked for seldom and depends on registrations."""
    facts = await load(tx)
    for customer in customers:
        customer.tax = rules.standing(facts, customer, tx.now)


async def keep_rates(tx: Transaction, facts: BillingFacts) -> None:
    """Writes the tax rates that were needed for the first time."""
    if facts.taxes is not None and facts.taxes.made:
        await write_rates(tx, facts.taxes.made)
        facts.taxes.made = []


async def write_rates(tx: Transaction, made: Iterable[TaxRate]) -> None:
    """Writes tax rates that are named by what they say. Somebody else may have done so meanwhile: they are the same."""
    statement = f"{rows.insert_statement(TaxRate)} on conflict do nothing"
    in_order = sorted(made, key=lambda rate: rate.id)  # so that nobody waits for each other without end
    await tx.run(statement, rows=rows.insert_rows(in_order))
