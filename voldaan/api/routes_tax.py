"""The route table, third part: automatic tax, of invoices and of what others sell. Same columns as routes.py."""

from __future__ import annotations

from voldaan.api import lists
from voldaan.api.router import RouteLine
from voldaan.commands import (
    tax_associations,
    tax_calculations,
    tax_codes,
    tax_locations,
    tax_registrations,
    tax_rules,
    tax_settings,
    tax_transactions,
)
from voldaan.resources.params import Params
from voldaan.resources.tax_associations import TaxAssociation, TaxAssociationFind
from voldaan.resources.tax_calculations import (
    TaxCalculation,
    TaxCalculationCreate,
    TaxCalculationLineItem,
    TaxLineItemList,
)
from voldaan.resources.tax_codes import TaxCode, TaxCodeList
from voldaan.resources.tax_locations import TaxLocation, TaxLocationCreate, TaxLocationList
from voldaan.resources.tax_registrations import (
    TaxRegistration,
    TaxRegistrationCreate,
    TaxRegistrationList,
    TaxRegistrationUpdate,
)
from voldaan.resources.tax_rules import TaxRule, TaxRuleCreate, TaxRuleList, TaxRuleUpdate
from voldaan.resources.tax_settings import TaxSettings, TaxSettingsUpdate
from voldaan.resources.tax_transactions import (
    TaxTransaction,
    TaxTransactionCreate,
    TaxTransactionLineItem,
    TaxTransactionReverse,
)

of_calculation = {"calculation": "calculation"}
of_transaction = {"transaction": "transaction"}

ROUTES: list[RouteLine] = [
    ("GET",    "/v1/tax/settings",                                       tax_settings.retrieve,                              Params,                             TaxSettings),
    ("POST",   "/v1/tax/settings",                                       tax_settings.update,                                TaxSettingsUpdate,                  TaxSettings),
    ("GET",    "/v1/tax/registrations",                                  lists.page(TaxRegistration),                        TaxRegistrationList,                TaxRegistration),
    ("POST",   "/v1/tax/registrations",                                  tax_registrations.create,                           TaxRegistrationCreate,              TaxRegistration),
    ("GET",    "/v1/tax/registrations/{id}",                             lists.one(TaxRegistration),                         Params,                             TaxRegistration),
    ("POST",   "/v1/tax/registrations/{id}",                             tax_registrations.update,                           TaxRegistrationUpdate,              TaxRegistration),
    ("GET",    "/v1/tax/locations",                                      lists.page(TaxLocation),                            TaxLocationList,                    TaxLocation),
    ("POST",   "/v1/tax/locations",                                      tax_locations.create,                               TaxLocationCreate,                  TaxLocation),
    ("GET",    "/v1/tax/locations/{id}",                                 lists.one(TaxLocation),                             Params,                             TaxLocation),
    ("POST",   "/v1/tax/calculations",                                   tax_calculations.create,                            TaxCalculationCreate,               TaxCalculation),
    ("GET",    "/v1/tax/calculations/{id}",                              tax_calculations.retrieve,                          Params,                             TaxCalculation),
    ("GET",    "/v1/tax/calculations/{calculation}/line_items",          lists.page(TaxCalculationLineItem, **of_calculation),TaxLineItemList,                   TaxCalculationLineItem),
    ("POST",   "/v1/tax/transactions/create_from_calculation",           tax_transactions.create,                            TaxTransactionCreate,               TaxTransaction),
    ("POST",   "/v1/tax/transactions/create_reversal",                   tax_transactions.reverse,                           TaxTransactionReverse,              TaxTransaction),
    ("GET",    "/v1/tax/transactions/{id}",                              lists.one(TaxTransaction),                          Params,                             TaxTransaction),
    ("GET",    "/v1/tax/transactions/{transaction}/line_items",          lists.page(TaxTransactionLineItem, **of_transaction),TaxLineItemList,                   TaxTransactionLineItem),
    ("GET",    "/v1/tax/associations/find",                              tax_associations.find,                              TaxAssociationFind,                 TaxAssociation),
    ("GET",    "/v1/tax_codes",                                          tax_codes.page,                                     TaxCodeList,                        TaxCode),
    ("GET",    "/v1/tax_codes/{id}",                                     tax_codes.retrieve,                                 Params,                             TaxCode),

    # ours: rates that the seller gives ───────────────────────────────────────────────────────────────────
    ("GET",    "/voldaan/tax_rules",                                     lists.page(TaxRule),                                TaxRuleList,                        TaxRule),
    ("POST",   "/voldaan/tax_rules",                                     tax_rules.create,                                   TaxRuleCreate,                      TaxRule),
    ("GET",    "/voldaan/tax_rules/{id}",                                lists.one(TaxRule),                                 Params,                             TaxRule),
    ("POST",   "/voldaan/tax_rules/{id}",                                tax_rules.update,                                   TaxRuleUpdate,                      TaxRule),
]  # fmt: skip
