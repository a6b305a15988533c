"""The route table, last part: what Voldaan offers beyond Stripe's API, under /voldaan and in the same style."""

from __future__ import annotations

from voldaan.api import lists
from voldaan.api.router import RouteLine
from voldaan.commands import (
    billing_settings,
    contracts,
    explanations,
    invoice_rendering_templates,
    item_moves,
    mass_changes,
    price_migrations,
    replays,
)
from voldaan.resources.billing_settings import (
    BillingSettingsShown,
    BillingSettingsUpdate,
    CustomerBillingSettings,
    CustomerBillingSettingsUpdate,
)
from voldaan.resources.contracts import (
    CommitmentPeriod,
    CommitmentPeriodList,
    Contract,
    ContractCreate,
    ContractEnd,
    ContractList,
    ContractTerms,
    ContractUpdate,
)
from voldaan.resources.explanations import InvoiceExplanation
from voldaan.resources.invoice_rendering_templates import InvoiceTemplate, InvoiceTemplateCreate, InvoiceTemplateUpdate
from voldaan.resources.item_moves import ItemMove
from voldaan.resources.params import Params
from voldaan.resources.price_migrations import (
    MigratedSubscription,
    MigratedSubscriptionList,
    MigrationPreview,
    MigrationPreviewParams,
    PriceMigration,
    PriceMigrationCancel,
    PriceMigrationCreate,
    PriceMigrationList,
    PriceMigrationStart,
)
from voldaan.resources.quantity_changes import QuantitiesUpdate, QuantityChanges
from voldaan.resources.replays import Replay, ReplayCreate
from voldaan.resources.subscription_items import SubscriptionItem

ROUTES: list[RouteLine] = [
    # contracts ───────────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/voldaan/contracts",                                     lists.page(Contract),                               ContractList,                       Contract),
    ("POST",   "/voldaan/contracts",                                     contracts.create,                                   ContractCreate,                     Contract),
    ("GET",    "/voldaan/contracts/{id}",                                lists.one(Contract),                                Params,                             Contract),
    ("POST",   "/voldaan/contracts/{id}",                                contracts.update,                                   ContractUpdate,                     Contract),
    ("POST",   "/voldaan/contracts/{id}/end",                            contracts.end,                                      ContractEnd,                        Contract),
    ("GET",    "/voldaan/contracts/{contract}/commitment_periods",       lists.page(CommitmentPeriod, contract="contract"),  CommitmentPeriodList,               CommitmentPeriod),
    ("GET",    "/voldaan/customers/{id}/contract_terms",                 contracts.terms,                                    Params,                             ContractTerms),

    # how invoices look ───────────────────────────────────────────────────────────────────────────────────
    ("POST",   "/voldaan/invoice_rendering_templates",                   invoice_rendering_templates.create,                 InvoiceTemplateCreate,              InvoiceTemplate),
    ("GET",    "/voldaan/invoice_rendering_templates/{id}",              invoice_rendering_templates.look,                   Params,                             InvoiceTemplate),
    ("POST",   "/voldaan/invoice_rendering_templates/{id}",              invoice_rendering_templates.update,                 InvoiceTemplateUpdate,              InvoiceTemplate),

    # how the book bills ──────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/voldaan/billing_settings",                              billing_settings.retrieve,                          Params,                             BillingSettingsShown),
    ("POST",   "/voldaan/billing_settings",                              billing_settings.update,                            BillingSettingsUpdate,              BillingSettingsShown),
    ("GET",    "/voldaan/customers/{id}/billing_settings",               billing_settings.retrieve_of_customer,              Params,                             CustomerBillingSettings),
    ("POST",   "/voldaan/customers/{id}/billing_settings",               billing_settings.update_of_customer,                CustomerBillingSettingsUpdate,      CustomerBillingSettings),

    # explained and computed again ────────────────────────────────────────────────────────────────────────
    ("GET",    "/voldaan/invoices/{id}/explain",                         explanations.of_invoice,                            Params,                             InvoiceExplanation),
    ("POST",   "/voldaan/replays",                                       replays.create,                                     ReplayCreate,                       Replay),

    # many at once ────────────────────────────────────────────────────────────────────────────────────────
    ("POST",   "/voldaan/subscriptions/quantities",                      mass_changes.quantities,                            QuantitiesUpdate,                   QuantityChanges),
    ("POST",   "/voldaan/subscription_items/move",                       item_moves.move,                                    ItemMove,                           SubscriptionItem),
    ("GET",    "/voldaan/price_migrations",                              lists.page(PriceMigration),                         PriceMigrationList,                 PriceMigration),
    ("POST",   "/voldaan/price_migrations",                              price_migrations.create,                            PriceMigrationCreate,               PriceMigration),
    ("GET",    "/voldaan/price_migrations/{id}",                         lists.one(PriceMigration),                          Params,                             PriceMigration),
    ("GET",    "/voldaan/price_migrations/{id}/preview",                 price_migrations.preview,                           MigrationPreviewParams,             MigrationPreview),
    ("POST",   "/voldaan/price_migrations/{id}/start",                   price_migrations.start,                             PriceMigrationStart,                PriceMigration),
    ("POST",   "/voldaan/price_migrations/{id}/cancel",                  price_migrations.cancel,                            PriceMigrationCancel,               PriceMigration),
    ("GET",    "/voldaan/price_migrations/{price_migration}/subscriptions", lists.page(MigratedSubscription, price_migration="migration"), MigratedSubscriptionList, MigratedSubscription),
]  # fmt: skip
