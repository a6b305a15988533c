"""The route table, tax: settings, registrations, codes. Same columns as routes.py, which it is a part of."""

from __future__ import annotations

from voldaan.api import lists
from voldaan.api.router import RouteLine
from voldaan.commands import tax_codes, tax_registrations, tax_settings
from voldaan.resources.params import Params
from voldaan.resources.tax_codes import TaxCode, TaxCodeList
from voldaan.resources.tax_registrations import (
    TaxRegistration,
    TaxRegistrationCreate,
    TaxRegistrationList,
    TaxRegistrationUpdate,
)
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
]  # fmt: skip
