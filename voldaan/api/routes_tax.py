"""The route table, tax: settings, registrations, codes. Same columns as routes.py, which it is a part of."""

from __future__ import annotations

from voldaan.api import lists
from voldaan.api.router import RouteLine
from voldaan.commands import tax_codes, tax_registrations, tax_rules, tax_settings
from voldaan.resources.params import Params
from voldaan.resources.tax_codes import TaxCode, TaxCodeList
from voldaan.resources.tax_registrations import (
    TaxRegistration,
    TaxRegistrationCreate,
    TaxRegistrationList,
    TaxRegistrationUpdate,
)
from voldaan.resources.tax_rules import TaxRule, TaxRuleCreate, TaxRuleList, TaxRuleUpdate
from voldaan.resources.tax_settings import TaxSettings, TaxSettingsUpdate

ROUTES: list[RouteLine] = [
    ("GET",    "/v1/tax/settings",                                       tax_settings.retrieve,                              Params,                             TaxSettings),
    ("POST",   "/v1/tax/settings",                                       tax_settings.update,                                TaxSettingsUpdate,                  TaxSettings),
    ("GET",    "/v1/tax/registrations",                                  lists.page(TaxRegistration),                        TaxRegistrationList,                TaxRegistration),
    ("POST",   "/v1/tax/registrations",                                  tax_registrations.create,                           TaxRegistrationCreate,              TaxRegistration),
    ("GET",    "/v1/tax/registrations/{id}",                             lists.one(TaxRegistration),                         Params,                             TaxRegistration),
    ("POST",   "/v1/tax/registrations/{id}",                             tax_registrations.update,                           TaxRegistrationUpdate,              TaxRegistration),
    ("GET",    "/v1/tax_codes",                                          tax_codes.page,                                     TaxCodeList,                        TaxCode),
    ("GET",    "/v1/tax_codes/{id}",                                     tax_codes.retrieve,                                 Params,                             TaxCode),

    # rates of the seller's own, beside Stripe's API
    ("GET",    "/voldaan/tax_rules",                                     lists.page(TaxRule),                                TaxRuleList,                        TaxRule),
    ("POST",   "/voldaan/tax_rules",                                     tax_rules.create,                                   TaxRuleCreate,                      TaxRule),
    ("GET",    "/voldaan/tax_rules/{id}",                                lists.one(TaxRule),                                 Params,                             TaxRule),
    ("POST",   "/voldaan/tax_rules/{id}",                                tax_rules.update,                                   TaxRuleUpdate,                      TaxRule),
]  # fmt: skip
