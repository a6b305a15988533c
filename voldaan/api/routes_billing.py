"""The route table, second part: what is agreed before a bill, what it gives, what lowers it, and how it looks. Same columns as routes.py."""

from __future__ import annotations

from voldaan.api import lists
from voldaan.api.router import RouteLine
from voldaan.commands import (
    credit_balance,
    credit_grants,
    credit_notes,
    entitlements,
    invoice_rendering_templates,
    promotion_codes,
    quotes,
    shipping_rates,
    subscription_schedules,
)
from voldaan.resources.credit_balance import (
    CreditBalanceSummary,
    CreditBalanceSummaryRetrieve,
    CreditBalanceTransaction,
    CreditBalanceTransactionList,
)
from voldaan.resources.credit_grants import (
    CreditGrant,
    CreditGrantCreate,
    CreditGrantExpire,
    CreditGrantList,
    CreditGrantUpdate,
    CreditGrantVoid,
)
from voldaan.resources.credit_notes import (
    CreditNote,
    CreditNoteCreate,
    CreditNoteLine,
    CreditNoteLineList,
    CreditNoteList,
    CreditNotePreview,
    CreditNotePreviewLines,
    CreditNoteUpdate,
    CreditNoteVoid,
)
from voldaan.resources.entitlements import (
    ActiveEntitlement,
    ActiveEntitlementList,
    Feature,
    FeatureCreate,
    FeatureList,
    FeatureUpdate,
    ProductFeature,
    ProductFeatureCreate,
    ProductFeatureDelete,
    ProductFeatureList,
)
from voldaan.resources.invoice_rendering_templates import (
    InvoiceRenderingTemplate,
    InvoiceRenderingTemplateArchive,
    InvoiceRenderingTemplateList,
    InvoiceRenderingTemplateRetrieve,
    InvoiceRenderingTemplateUnarchive,
)
from voldaan.resources.params import Params
from voldaan.resources.promotion_codes import PromotionCode, PromotionCodeCreate, PromotionCodeList, PromotionCodeUpdate
from voldaan.resources.quotes import (
    Quote,
    QuoteAccept,
    QuoteCancel,
    QuoteCreate,
    QuoteFinalize,
    QuoteLineItem,
    QuoteLineList,
    QuoteList,
    QuotePdf,
    QuoteUpdate,
    QuoteUpfrontList,
)
from voldaan.resources.schedule_params import (
    SubscriptionScheduleCancel,
    SubscriptionScheduleCreate,
    SubscriptionScheduleList,
    SubscriptionScheduleRelease,
    SubscriptionScheduleUpdate,
)
from voldaan.resources.shipping_rates import ShippingRate, ShippingRateCreate, ShippingRateList, ShippingRateUpdate
from voldaan.resources.subscription_schedules import SubscriptionSchedule

of_product = {"product": "product"}

ROUTES: list[RouteLine] = [
    # subscription schedules ──────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/subscription_schedules",                             lists.page(SubscriptionSchedule),                   SubscriptionScheduleList,           SubscriptionSchedule),
    ("POST",   "/v1/subscription_schedules",                             subscription_schedules.create,                      SubscriptionScheduleCreate,         SubscriptionSchedule),
    ("GET",    "/v1/subscription_schedules/{id}",                        lists.one(SubscriptionSchedule),                    Params,                             SubscriptionSchedule),
    ("POST",   "/v1/subscription_schedules/{id}",                        subscription_schedules.update,                      SubscriptionScheduleUpdate,         SubscriptionSchedule),
    ("POST",   "/v1/subscription_schedules/{id}/cancel",                 subscription_schedules.cancel,                      SubscriptionScheduleCancel,         SubscriptionSchedule),
    ("POST",   "/v1/subscription_schedules/{id}/release",                subscription_schedules.release,                     SubscriptionScheduleRelease,        SubscriptionSchedule),

    # quotes ──────────────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/quotes",                                             lists.page(Quote),                                  QuoteList,                          Quote),
    ("POST",   "/v1/quotes",                                             quotes.create,                                      QuoteCreate,                        Quote),
    ("GET",    "/v1/quotes/{id}",                                        lists.one(Quote),                                   Params,                             Quote),
    ("POST",   "/v1/quotes/{id}",                                        quotes.update,                                      QuoteUpdate,                        Quote),
    ("POST",   "/v1/quotes/{id}/accept",                                 quotes.accept,                                      QuoteAccept,                        Quote),
    ("POST",   "/v1/quotes/{id}/cancel",                                 quotes.cancel,                                      QuoteCancel,                        Quote),
    ("POST",   "/v1/quotes/{id}/finalize",                               quotes.finalize,                                    QuoteFinalize,                      Quote),
    ("GET",    "/v1/quotes/{id}/pdf",                                    quotes.pdf,                                         QuotePdf,                           None),
    ("GET",    "/v1/quotes/{quote}/line_items",                          lists.page(QuoteLineItem, quote="quote"),           QuoteLineList,                      QuoteLineItem),
    ("GET",    "/v1/quotes/{quote}/computed_upfront_line_items",         lists.page(QuoteLineItem, quote="quote"),           QuoteUpfrontList,                   QuoteLineItem),

    # entitlements ────────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/entitlements/features",                              lists.page(Feature),                                FeatureList,                        Feature),
    ("POST",   "/v1/entitlements/features",                              entitlements.create,                                FeatureCreate,                      Feature),
    ("GET",    "/v1/entitlements/features/{id}",                         lists.one(Feature),                                 Params,                             Feature),
    ("POST",   "/v1/entitlements/features/{id}",                         entitlements.update,                                FeatureUpdate,                      Feature),
    ("GET",    "/v1/entitlements/active_entitlements",                   lists.page(ActiveEntitlement),                      ActiveEntitlementList,              ActiveEntitlement),
    ("GET",    "/v1/entitlements/active_entitlements/{id}",              lists.one(ActiveEntitlement),                       Params,                             ActiveEntitlement),
    ("GET",    "/v1/products/{product}/features",                        lists.page(ProductFeature, **of_product),           ProductFeatureList,                 ProductFeature),
    ("POST",   "/v1/products/{product}/features",                        entitlements.attach,                                ProductFeatureCreate,               ProductFeature),
    ("GET",    "/v1/products/{product}/features/{id}",                   lists.one(ProductFeature, **of_product),            Params,                             ProductFeature),
    ("DELETE", "/v1/products/{product}/features/{id}",                   entitlements.detach,                                ProductFeatureDelete,               ProductFeature),

    # promotion codes ─────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/promotion_codes",                                    lists.page(PromotionCode),                          PromotionCodeList,                  PromotionCode),
    ("POST",   "/v1/promotion_codes",                                    promotion_codes.create,                             PromotionCodeCreate,                PromotionCode),
    ("GET",    "/v1/promotion_codes/{id}",                               lists.one(PromotionCode),                           Params,                             PromotionCode),
    ("POST",   "/v1/promotion_codes/{id}",                               promotion_codes.update,                             PromotionCodeUpdate,                PromotionCode),

    # billing credits ─────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/billing/credit_grants",                              lists.page(CreditGrant),                            CreditGrantList,                    CreditGrant),
    ("POST",   "/v1/billing/credit_grants",                              credit_grants.create,                               CreditGrantCreate,                  CreditGrant),
    ("GET",    "/v1/billing/credit_grants/{id}",                         lists.one(CreditGrant),                             Params,                             CreditGrant),
    ("POST",   "/v1/billing/credit_grants/{id}",                         credit_grants.update,                               CreditGrantUpdate,                  CreditGrant),
    ("POST",   "/v1/billing/credit_grants/{id}/expire",                  credit_grants.expire,                               CreditGrantExpire,                  CreditGrant),
    ("POST",   "/v1/billing/credit_grants/{id}/void",                    credit_grants.void,                                 CreditGrantVoid,                    CreditGrant),
    ("GET",    "/v1/billing/credit_balance_summary",                     credit_balance.summary,                             CreditBalanceSummaryRetrieve,       CreditBalanceSummary),
    ("GET",    "/v1/billing/credit_balance_transactions",                lists.page(CreditBalanceTransaction),               CreditBalanceTransactionList,       CreditBalanceTransaction),
    ("GET",    "/v1/billing/credit_balance_transactions/{id}",           lists.one(CreditBalanceTransaction),                Params,                             CreditBalanceTransaction),

    # credit notes ────────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/credit_notes",                                       lists.page(CreditNote),                             CreditNoteList,                     CreditNote),
    ("POST",   "/v1/credit_notes",                                       credit_notes.create,                                CreditNoteCreate,                   CreditNote),
    ("GET",    "/v1/credit_notes/preview",                               credit_notes.preview,                               CreditNotePreview,                  CreditNote),
    ("GET",    "/v1/credit_notes/preview/lines",                         credit_notes.preview_lines,                         CreditNotePreviewLines,             CreditNoteLine),
    ("GET",    "/v1/credit_notes/{id}",                                  lists.one(CreditNote),                              Params,                             CreditNote),
    ("POST",   "/v1/credit_notes/{id}",                                  credit_notes.update,                                CreditNoteUpdate,                   CreditNote),
    ("POST",   "/v1/credit_notes/{id}/void",                             credit_notes.void,                                  CreditNoteVoid,                     CreditNote),
    ("GET",    "/v1/credit_notes/{credit_note}/lines",                   lists.page(CreditNoteLine, credit_note="credit_note"),CreditNoteLineList,                 CreditNoteLine),

    # shipping rates ──────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/shipping_rates",                                     lists.page(ShippingRate),                           ShippingRateList,                   ShippingRate),
    ("POST",   "/v1/shipping_rates",                                     shipping_rates.create,                              ShippingRateCreate,                 ShippingRate),
    ("GET",    "/v1/shipping_rates/{id}",                                lists.one(ShippingRate),                            Params,                             ShippingRate),
    ("POST",   "/v1/shipping_rates/{id}",                                shipping_rates.update,                              ShippingRateUpdate,                 ShippingRate),

    # how invoices look ───────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/invoice_rendering_templates",                        lists.page(InvoiceRenderingTemplate),               InvoiceRenderingTemplateList,       InvoiceRenderingTemplate),
    ("GET",    "/v1/invoice_rendering_templates/{id}",                   invoice_rendering_templates.retrieve,               InvoiceRenderingTemplateRetrieve,   InvoiceRenderingTemplate),
    ("POST",   "/v1/invoice_rendering_templates/{id}/archive",           invoice_rendering_templates.archive,                InvoiceRenderingTemplateArchive,    InvoiceRenderingTemplate),
    ("POST",   "/v1/invoice_rendering_templates/{id}/unarchive",         invoice_rendering_templates.unarchive,              InvoiceRenderingTemplateUnarchive,  InvoiceRenderingTemplate),
]  # fmt: skip
