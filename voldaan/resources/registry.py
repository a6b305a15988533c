"""Every API object, once. Parents stand before their children: rows are inserted in this order."""

from __future__ import annotations

from voldaan.resources.accounts import Account
from voldaan.resources.alerts import Alert, AlertTriggered
from voldaan.resources.attempts import Attempt
from voldaan.resources.balance_transactions import BalanceTransaction
from voldaan.resources.base import Resource, spec
from voldaan.resources.charges import Charge
from voldaan.resources.contracts import CommitmentPeriod, Contract
from voldaan.resources.coupons import Coupon
from voldaan.resources.credit_balance import CreditBalanceTransaction
from voldaan.resources.credit_grants import CreditGrant
from voldaan.resources.credit_notes import CreditedLine, CreditNote, CreditNoteLine
from voldaan.resources.customer_balance_transactions import CustomerBalanceTransaction
from voldaan.resources.customers import Customer
from voldaan.resources.discounts import Discount
from voldaan.resources.disputes import Dispute
from voldaan.resources.entitlements import ActiveEntitlement, Feature, ProductFeature
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoice_rendering_templates import InvoiceRenderingTemplate
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.mandates import Mandate
from voldaan.resources.meters import Meter
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.payouts import Payout
from voldaan.resources.price_migrations import MigratedSubscription, PriceMigration
from voldaan.resources.prices import Price
from voldaan.resources.products import Product
from voldaan.resources.promotion_codes import PromotionCode
from voldaan.resources.quotes import Quote, QuoteLineItem
from voldaan.resources.refunds import Refund
from voldaan.resources.setup_intents import SetupIntent
from voldaan.resources.shipping_rates import ShippingRate
from voldaan.resources.subscription_items import BilledPeriod, SubscriptionItem
from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.tax_calculations import TaxCalculation, TaxCalculationLineItem
from voldaan.resources.tax_ids import TaxId
from voldaan.resources.tax_locations import TaxLocation
from voldaan.resources.tax_rates import TaxRate
from voldaan.resources.tax_registrations import TaxRegistration
from voldaan.resources.tax_rules import TaxRule
from voldaan.resources.tax_settings import TaxSettings
from voldaan.resources.tax_transactions import TaxTransaction, TaxTransactionLineItem
from voldaan.resources.test_clocks import TestClock
from voldaan.resources.usage_periods import UsagePeriod
from voldaan.resources.webhook_endpoints import WebhookEndpoint

RESOURCES: list[type[Resource]] = [
    Account,
    TestClock,
    WebhookEndpoint,
    Meter,
    Product,
    Price,
    Coupon,
    TaxRate,
    ShippingRate,
    TaxSettings,
    TaxRegistration,
    InvoiceRenderingTemplate,
    TaxRule,
    TaxLocation,
    Customer,
    PromotionCode,
    TaxId,
    Alert,
    AlertTriggered,
    TaxCalculation,
    TaxCalculationLineItem,
    TaxTransaction,
    TaxTransactionLineItem,
    PaymentMethod,
    Mandate,
    SetupIntent,
    Subscription,
    SubscriptionSchedule,
    SubscriptionItem,
    Invoice,
    BilledPeriod,
    UsagePeriod,
    Contract,
    CommitmentPeriod,
    Discount,
    InvoiceItem,
    LineItem,
    Quote,
    QuoteLineItem,
    CreditNote,
    CreditNoteLine,
    CreditedLine,
    CreditGrant,
    CreditBalanceTransaction,
    CustomerBalanceTransaction,
    PaymentIntent,
    InvoicePayment,
    Payout,
    BalanceTransaction,
    Charge,
    Refund,
    Dispute,
    Attempt,
    Feature,
    ProductFeature,
    ActiveEntitlement,
    PriceMigration,
    MigratedSubscription,
]

INSERT_ORDER = {cls: place for place, cls in enumerate(RESOURCES)}
BY_OBJECT = {spec(cls).object: cls for cls in RESOURCES}
