"""The whole route table, read from top to bottom: method, path, command, parameters, what it answers.

It goes on in routes_billing.py (what changes and credits a bill), routes_tax.py, routes_usage.py and, with what is only ours,
routes_own.py.
"""

from __future__ import annotations

from voldaan.api import lists, routes_billing, routes_own, routes_tax, routes_usage, search
from voldaan.api.router import RouteLine
from voldaan.commands import (
    accounts,
    balance,
    charges,
    coupons,
    customer_balance_transactions,
    customers,
    discounts,
    disputes,
    events,
    invoice_drafts,
    invoice_items,
    invoices,
    line_items,
    payment_intents,
    payment_methods,
    payouts,
    plans,
    previews,
    prices,
    products,
    refunds,
    setup_intents,
    subscription_items,
    subscriptions,
    tax_ids,
    tax_rates,
    test_clocks,
    webhook_endpoints,
)
from voldaan.resources.accounts import Account
from voldaan.resources.balance import Balance, BalanceRetrieve
from voldaan.resources.balance_transactions import BalanceTransaction, BalanceTransactionList
from voldaan.resources.charges import Charge, ChargeCapture, ChargeCreate, ChargeList, ChargeSearch, ChargeUpdate
from voldaan.resources.coupons import Coupon, CouponCreate, CouponDelete, CouponList, CouponUpdate
from voldaan.resources.customer_balance_transactions import (
    CustomerBalanceTransaction,
    CustomerBalanceTransactionCreate,
    CustomerBalanceTransactionList,
    CustomerBalanceTransactionUpdate,
)
from voldaan.resources.customers import (
    Customer,
    CustomerCreate,
    CustomerDelete,
    CustomerList,
    CustomerSearch,
    CustomerUpdate,
)
from voldaan.resources.discounts import Discount, DiscountDelete
from voldaan.resources.disputes import Dispute, DisputeClose, DisputeList, DisputeUpdate
from voldaan.resources.events import Event, EventList
from voldaan.resources.invoice_items import (
    InvoiceItem,
    InvoiceItemCreate,
    InvoiceItemDelete,
    InvoiceItemList,
    InvoiceItemUpdate,
)
from voldaan.resources.invoice_params import (
    InvoiceAttachPayment,
    InvoiceCreate,
    InvoiceCreatePreview,
    InvoiceDelete,
    InvoiceFinalize,
    InvoiceList,
    InvoiceMarkUncollectible,
    InvoicePay,
    InvoiceSearch,
    InvoiceSend,
    InvoiceUpdate,
    InvoiceVoid,
)
from voldaan.resources.invoice_payments import InvoicePayment, InvoicePaymentList
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem, LineItemList, LinesAdd, LinesRemove, LinesUpdate, LineUpdate
from voldaan.resources.mandates import Mandate
from voldaan.resources.params import Params
from voldaan.resources.payment_intents import (
    AmountDetailsLineItemList,
    PaymentIntent,
    PaymentIntentApplyCustomerBalance,
    PaymentIntentCancel,
    PaymentIntentCapture,
    PaymentIntentConfirm,
    PaymentIntentCreate,
    PaymentIntentIncrementAuthorization,
    PaymentIntentList,
    PaymentIntentSearch,
    PaymentIntentUpdate,
    VerifyMicrodeposits,
)
from voldaan.resources.payment_methods import (
    CustomerPaymentMethodList,
    PaymentMethod,
    PaymentMethodAttach,
    PaymentMethodCreate,
    PaymentMethodDetach,
    PaymentMethodList,
    PaymentMethodUpdate,
)
from voldaan.resources.payouts import Payout, PayoutCancel, PayoutCreate, PayoutList, PayoutReverse, PayoutUpdate
from voldaan.resources.plans import Plan, PlanCreate, PlanDelete, PlanList, PlanUpdate
from voldaan.resources.prices import Price, PriceCreate, PriceList, PriceSearch, PriceUpdate
from voldaan.resources.products import (
    Product,
    ProductCreate,
    ProductDelete,
    ProductList,
    ProductSearch,
    ProductUpdate,
)
from voldaan.resources.refunds import ChargeRefundList, Refund, RefundCancel, RefundCreate, RefundList, RefundUpdate
from voldaan.resources.setup_intents import (
    SetupIntent,
    SetupIntentCancel,
    SetupIntentConfirm,
    SetupIntentCreate,
    SetupIntentList,
    SetupIntentUpdate,
)
from voldaan.resources.subscription_items import (
    SubscriptionItem,
    SubscriptionItemCreate,
    SubscriptionItemDelete,
    SubscriptionItemList,
    SubscriptionItemUpdate,
)
from voldaan.resources.subscriptions import (
    Subscription,
    SubscriptionCancel,
    SubscriptionCreate,
    SubscriptionList,
    SubscriptionMigrate,
    SubscriptionPause,
    SubscriptionResume,
    SubscriptionSearch,
    SubscriptionUpdate,
)
from voldaan.resources.tax_ids import (
    CustomerTaxIdCreate,
    CustomerTaxIdList,
    TaxId,
    TaxIdCreate,
    TaxIdDelete,
    TaxIdList,
)
from voldaan.resources.tax_rates import TaxRate, TaxRateCreate, TaxRateList, TaxRateUpdate
from voldaan.resources.test_clocks import (
    TestClock,
    TestClockAdvance,
    TestClockCreate,
    TestClockDelete,
    TestClockList,
)
from voldaan.resources.webhook_endpoints import (
    WebhookEndpoint,
    WebhookEndpointCreate,
    WebhookEndpointDelete,
    WebhookEndpointList,
    WebhookEndpointUpdate,
)

of_customer = {"customer": "customer"}

ROUTES: list[RouteLine] = [
    # the account, its events, its test clocks ────────────────────────────────────────────────────────────
    ("GET",    "/v1/account",                                            accounts.retrieve,                                  Params,                             Account),
    ("GET",    "/v1/events",                                             events.page,                                        EventList,                          Event),
    ("GET",    "/v1/events/{id}",                                        events.retrieve,                                    Params,                             Event),
    ("GET",    "/v1/test_helpers/test_clocks",                           lists.page(TestClock),                              TestClockList,                      TestClock),
    ("POST",   "/v1/test_helpers/test_clocks",                           test_clocks.create,                                 TestClockCreate,                    TestClock),
    ("GET",    "/v1/test_helpers/test_clocks/{id}",                      lists.one(TestClock),                               Params,                             TestClock),
    ("DELETE", "/v1/test_helpers/test_clocks/{id}",                      test_clocks.delete,                                 TestClockDelete,                    TestClock),
    ("POST",   "/v1/test_helpers/test_clocks/{id}/advance",              test_clocks.advance,                                TestClockAdvance,                   TestClock),

    # catalogue and customers ─────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/products",                                           lists.page(Product),                                ProductList,                        Product),
    ("POST",   "/v1/products",                                           products.create,                                    ProductCreate,                      Product),
    ("GET",    "/v1/products/search",                                    search.search(Product),                             ProductSearch,                      Product),
    ("GET",    "/v1/products/{id}",                                      products.retrieve,                                  Params,                             Product),
    ("POST",   "/v1/products/{id}",                                      products.update,                                    ProductUpdate,                      Product),
    ("DELETE", "/v1/products/{id}",                                      products.delete,                                    ProductDelete,                      Product),

    ("GET",    "/v1/prices",                                             lists.page(Price),                                  PriceList,                          Price),
    ("POST",   "/v1/prices",                                             prices.create,                                      PriceCreate,                        Price),
    ("GET",    "/v1/prices/search",                                      search.search(Price),                               PriceSearch,                        Price),
    ("GET",    "/v1/prices/{id}",                                        prices.retrieve,                                    Params,                             Price),
    ("POST",   "/v1/prices/{id}",                                        prices.update,                                      PriceUpdate,                        Price),

    ("GET",    "/v1/plans",                                              lists.page(Plan),                                   PlanList,                           Plan),
    ("POST",   "/v1/plans",                                              plans.create,                                       PlanCreate,                         Plan),
    ("GET",    "/v1/plans/{id}",                                         plans.retrieve,                                     Params,                             Plan),
    ("POST",   "/v1/plans/{id}",                                         plans.update,                                       PlanUpdate,                         Plan),
    ("DELETE", "/v1/plans/{id}",                                         plans.delete,                                       PlanDelete,                         Plan),

    ("GET",    "/v1/coupons",                                            lists.page(Coupon),                                 CouponList,                         Coupon),
    ("POST",   "/v1/coupons",                                            coupons.create,                                     CouponCreate,                       Coupon),
    ("GET",    "/v1/coupons/{id}",                                       coupons.retrieve,                                   Params,                             Coupon),
    ("POST",   "/v1/coupons/{id}",                                       coupons.update,                                     CouponUpdate,                       Coupon),
    ("DELETE", "/v1/coupons/{id}",                                       coupons.delete,                                     CouponDelete,                       Coupon),

    ("GET",    "/v1/tax_rates",                                          lists.page(TaxRate),                                TaxRateList,                        TaxRate),
    ("POST",   "/v1/tax_rates",                                          tax_rates.create,                                   TaxRateCreate,                      TaxRate),
    ("GET",    "/v1/tax_rates/{id}",                                     lists.one(TaxRate),                                 Params,                             TaxRate),
    ("POST",   "/v1/tax_rates/{id}",                                     tax_rates.update,                                   TaxRateUpdate,                      TaxRate),

    ("GET",    "/v1/tax_ids",                                            lists.page(TaxId),                                  TaxIdList,                          TaxId),
    ("POST",   "/v1/tax_ids",                                            tax_ids.create,                                     TaxIdCreate,                        TaxId),
    ("GET",    "/v1/tax_ids/{id}",                                       lists.one(TaxId),                                   Params,                             TaxId),
    ("DELETE", "/v1/tax_ids/{id}",                                       tax_ids.delete,                                     TaxIdDelete,                        TaxId),

    ("GET",    "/v1/customers",                                          lists.page(Customer),                               CustomerList,                       Customer),
    ("POST",   "/v1/customers",                                          customers.create,                                   CustomerCreate,                     Customer),
    ("GET",    "/v1/customers/search",                                   search.search(Customer),                            CustomerSearch,                     Customer),
    ("GET",    "/v1/customers/{id}",                                     lists.one(Customer),                                Params,                             Customer),
    ("POST",   "/v1/customers/{id}",                                     customers.update,                                   CustomerUpdate,                     Customer),
    ("DELETE", "/v1/customers/{id}",                                     customers.delete,                                   CustomerDelete,                     Customer),
    ("DELETE", "/v1/customers/{customer}/discount",                      discounts.delete_of_customer,                       DiscountDelete,                     Discount),
    ("GET",    "/v1/customers/{customer}/tax_ids",                       lists.page(TaxId, **of_customer),                   CustomerTaxIdList,                  TaxId),
    ("POST",   "/v1/customers/{customer}/tax_ids",                       tax_ids.create_for_customer,                        CustomerTaxIdCreate,                TaxId),
    ("GET",    "/v1/customers/{customer}/tax_ids/{id}",                  lists.one(TaxId, **of_customer),                    Params,                             TaxId),
    ("DELETE", "/v1/customers/{customer}/tax_ids/{id}",                  tax_ids.delete_for_customer,                        TaxIdDelete,                        TaxId),
    ("GET",    "/v1/customers/{customer}/balance_transactions",          lists.page(CustomerBalanceTransaction, **of_customer),CustomerBalanceTransactionList,     CustomerBalanceTransaction),
    ("POST",   "/v1/customers/{customer}/balance_transactions",          customer_balance_transactions.create,               CustomerBalanceTransactionCreate,   CustomerBalanceTransaction),
    ("GET",    "/v1/customers/{customer}/balance_transactions/{id}",     lists.one(CustomerBalanceTransaction, **of_customer),Params,                             CustomerBalanceTransaction),
    ("POST",   "/v1/customers/{customer}/balance_transactions/{id}",     customer_balance_transactions.update,               CustomerBalanceTransactionUpdate,   CustomerBalanceTransaction),

    ("GET",    "/v1/webhook_endpoints",                                  lists.page(WebhookEndpoint),                        WebhookEndpointList,                WebhookEndpoint),
    ("POST",   "/v1/webhook_endpoints",                                  webhook_endpoints.create,                           WebhookEndpointCreate,              WebhookEndpoint),
    ("GET",    "/v1/webhook_endpoints/{id}",                             lists.one(WebhookEndpoint),                         Params,                             WebhookEndpoint),
    ("POST",   "/v1/webhook_endpoints/{id}",                             webhook_endpoints.update,                           WebhookEndpointUpdate,              WebhookEndpoint),
    ("DELETE", "/v1/webhook_endpoints/{id}",                             webhook_endpoints.delete,                           WebhookEndpointDelete,              WebhookEndpoint),

    # payments ────────────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/balance",                                            balance.retrieve,                                   BalanceRetrieve,                    Balance),
    ("GET",    "/v1/balance_transactions",                               lists.page(BalanceTransaction),                     BalanceTransactionList,             BalanceTransaction),
    ("GET",    "/v1/balance_transactions/{id}",                          lists.one(BalanceTransaction),                      Params,                             BalanceTransaction),

    ("GET",    "/v1/charges",                                            lists.page(Charge),                                 ChargeList,                         Charge),
    ("POST",   "/v1/charges",                                            charges.create,                                     ChargeCreate,                       Charge),
    ("GET",    "/v1/charges/search",                                     search.search(Charge),                              ChargeSearch,                       Charge),
    ("GET",    "/v1/charges/{id}",                                       lists.one(Charge),                                  Params,                             Charge),
    ("POST",   "/v1/charges/{id}",                                       charges.update,                                     ChargeUpdate,                       Charge),
    ("POST",   "/v1/charges/{id}/capture",                               charges.capture,                                    ChargeCapture,                      Charge),
    ("GET",    "/v1/charges/{charge}/refunds",                           lists.page(Refund, charge="charge"),                ChargeRefundList,                   Refund),
    ("POST",   "/v1/charges/{charge}/refunds",                           refunds.create,                                     RefundCreate,                       Refund),
    ("GET",    "/v1/charges/{charge}/refunds/{id}",                      lists.one(Refund, charge="charge"),                 Params,                             Refund),

    ("GET",    "/v1/customers/{customer}/payment_methods",               lists.page(PaymentMethod, customer="customer"),     CustomerPaymentMethodList,          PaymentMethod),
    ("GET",    "/v1/customers/{customer}/payment_methods/{id}",          lists.one(PaymentMethod, customer="customer"),      Params,                             PaymentMethod),

    ("GET",    "/v1/disputes",                                           lists.page(Dispute),                                DisputeList,                        Dispute),
    ("GET",    "/v1/disputes/{id}",                                      lists.one(Dispute),                                 Params,                             Dispute),
    ("POST",   "/v1/disputes/{id}",                                      disputes.update,                                    DisputeUpdate,                      Dispute),
    ("POST",   "/v1/disputes/{id}/close",                                disputes.close,                                     DisputeClose,                       Dispute),

    ("GET",    "/v1/mandates/{id}",                                      lists.one(Mandate),                                 Params,                             Mandate),

    ("GET",    "/v1/payment_intents",                                    lists.page(PaymentIntent),                          PaymentIntentList,                  PaymentIntent),
    ("POST",   "/v1/payment_intents",                                    payment_intents.create,                             PaymentIntentCreate,                PaymentIntent),
    ("GET",    "/v1/payment_intents/search",                             search.search(PaymentIntent),                       PaymentIntentSearch,                PaymentIntent),
    ("GET",    "/v1/payment_intents/{id}",                               lists.one(PaymentIntent),                           Params,                             PaymentIntent),
    ("POST",   "/v1/payment_intents/{id}",                               payment_intents.update,                             PaymentIntentUpdate,                PaymentIntent),
    ("GET",    "/v1/payment_intents/{id}/amount_details_line_items",     payment_intents.amount_details_line_items,          AmountDetailsLineItemList,          None),
    ("POST",   "/v1/payment_intents/{id}/apply_customer_balance",        payment_intents.apply_customer_balance,             PaymentIntentApplyCustomerBalance,  PaymentIntent),
    ("POST",   "/v1/payment_intents/{id}/cancel",                        payment_intents.cancel,                             PaymentIntentCancel,                PaymentIntent),
    ("POST",   "/v1/payment_intents/{id}/capture",                       payment_intents.capture,                            PaymentIntentCapture,               PaymentIntent),
    ("POST",   "/v1/payment_intents/{id}/confirm",                       payment_intents.confirm,                            PaymentIntentConfirm,               PaymentIntent),
    ("POST",   "/v1/payment_intents/{id}/increment_authorization",       payment_intents.increment_authorization,            PaymentIntentIncrementAuthorization,PaymentIntent),
    ("POST",   "/v1/payment_intents/{id}/verify_microdeposits",          payment_intents.verify_microdeposits,               VerifyMicrodeposits,                PaymentIntent),

    ("GET",    "/v1/payment_methods",                                    lists.page(PaymentMethod),                          PaymentMethodList,                  PaymentMethod),
    ("POST",   "/v1/payment_methods",                                    payment_methods.create,                             PaymentMethodCreate,                PaymentMethod),
    ("GET",    "/v1/payment_methods/{id}",                               lists.one(PaymentMethod),                           Params,                             PaymentMethod),
    ("POST",   "/v1/payment_methods/{id}",                               payment_methods.update,                             PaymentMethodUpdate,                PaymentMethod),
    ("POST",   "/v1/payment_methods/{id}/attach",                        payment_methods.attach,                             PaymentMethodAttach,                PaymentMethod),
    ("POST",   "/v1/payment_methods/{id}/detach",                        payment_methods.detach,                             PaymentMethodDetach,                PaymentMethod),

    ("GET",    "/v1/payouts",                                            lists.page(Payout),                                 PayoutList,                         Payout),
    ("POST",   "/v1/payouts",                                            payouts.create,                                     PayoutCreate,                       Payout),
    ("GET",    "/v1/payouts/{id}",                                       lists.one(Payout),                                  Params,                             Payout),
    ("POST",   "/v1/payouts/{id}",                                       payouts.update,                                     PayoutUpdate,                       Payout),
    ("POST",   "/v1/payouts/{id}/cancel",                                payouts.cancel,                                     PayoutCancel,                       Payout),
    ("POST",   "/v1/payouts/{id}/reverse",                               payouts.reverse,                                    PayoutReverse,                      Payout),

    ("GET",    "/v1/refunds",                                            lists.page(Refund),                                 RefundList,                         Refund),
    ("POST",   "/v1/refunds",                                            refunds.create,                                     RefundCreate,                       Refund),
    ("GET",    "/v1/refunds/{id}",                                       lists.one(Refund),                                  Params,                             Refund),
    ("POST",   "/v1/refunds/{id}",                                       refunds.update,                                     RefundUpdate,                       Refund),
    ("POST",   "/v1/refunds/{id}/cancel",                                refunds.cancel,                                     RefundCancel,                       Refund),
    ("POST",   "/v1/test_helpers/refunds/{id}/expire",                   refunds.expire,                                     RefundCancel,                       Refund),

    ("GET",    "/v1/setup_intents",                                      lists.page(SetupIntent),                            SetupIntentList,                    SetupIntent),
    ("POST",   "/v1/setup_intents",                                      setup_intents.create,                               SetupIntentCreate,                  SetupIntent),
    ("GET",    "/v1/setup_intents/{id}",                                 lists.one(SetupIntent),                             Params,                             SetupIntent),
    ("POST",   "/v1/setup_intents/{id}",                                 setup_intents.update,                               SetupIntentUpdate,                  SetupIntent),
    ("POST",   "/v1/setup_intents/{id}/cancel",                          setup_intents.cancel,                               SetupIntentCancel,                  SetupIntent),
    ("POST",   "/v1/setup_intents/{id}/confirm",                         setup_intents.confirm,                              SetupIntentConfirm,                 SetupIntent),
    ("POST",   "/v1/setup_intents/{id}/verify_microdeposits",            setup_intents.verify_microdeposits,                 VerifyMicrodeposits,                SetupIntent),

    # billing ─────────────────────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/subscriptions",                                      lists.page(Subscription),                           SubscriptionList,                   Subscription),
    ("POST",   "/v1/subscriptions",                                      subscriptions.create,                               SubscriptionCreate,                 Subscription),
    ("GET",    "/v1/subscriptions/search",                               search.search(Subscription),                          SubscriptionSearch,                 Subscription),
    ("GET",    "/v1/subscriptions/{id}",                                 lists.one(Subscription),                            Params,                             Subscription),
    ("POST",   "/v1/subscriptions/{id}",                                 subscriptions.update,                               SubscriptionUpdate,                 Subscription),
    ("DELETE", "/v1/subscriptions/{id}",                                 subscriptions.cancel,                               SubscriptionCancel,                 Subscription),
    ("DELETE", "/v1/subscriptions/{id}/discount",                        subscriptions.delete_discount,                      DiscountDelete,                     Discount),
    ("POST",   "/v1/subscriptions/{id}/pause",                           subscriptions.pause,                                SubscriptionPause,                  Subscription),
    ("POST",   "/v1/subscriptions/{id}/resume",                          subscriptions.resume,                               SubscriptionResume,                 Subscription),
    ("POST",   "/v1/subscriptions/{id}/migrate",                         subscriptions.migrate,                              SubscriptionMigrate,                Subscription),
    ("GET",    "/v1/subscription_items",                                 lists.page(SubscriptionItem),                       SubscriptionItemList,               SubscriptionItem),
    ("POST",   "/v1/subscription_items",                                 subscription_items.create,                          SubscriptionItemCreate,             SubscriptionItem),
    ("GET",    "/v1/subscription_items/{id}",                            lists.one(SubscriptionItem),                        Params,                             SubscriptionItem),
    ("POST",   "/v1/subscription_items/{id}",                            subscription_items.update,                          SubscriptionItemUpdate,             SubscriptionItem),
    ("DELETE", "/v1/subscription_items/{id}",                            subscription_items.delete,                          SubscriptionItemDelete,             SubscriptionItem),
    ("GET",    "/v1/invoices",                                           lists.page(Invoice),                                InvoiceList,                        Invoice),
    ("POST",   "/v1/invoices",                                           invoice_drafts.create,                              InvoiceCreate,                      Invoice),
    ("POST",   "/v1/invoices/create_preview",                            previews.create,                                    InvoiceCreatePreview,               Invoice),
    ("GET",    "/v1/invoices/search",                                    search.search(Invoice),                               InvoiceSearch,                      Invoice),
    ("GET",    "/v1/invoices/{id}",                                      lists.one(Invoice),                                 Params,                             Invoice),
    ("POST",   "/v1/invoices/{id}",                                      invoice_drafts.update,                              InvoiceUpdate,                      Invoice),
    ("DELETE", "/v1/invoices/{id}",                                      invoice_drafts.delete,                              InvoiceDelete,                      Invoice),
    ("POST",   "/v1/invoices/{id}/add_lines",                            line_items.add,                                     LinesAdd,                           Invoice),
    ("POST",   "/v1/invoices/{id}/update_lines",                         line_items.update_many,                             LinesUpdate,                        Invoice),
    ("POST",   "/v1/invoices/{id}/remove_lines",                         line_items.remove,                                  LinesRemove,                        Invoice),
    ("GET",    "/v1/invoices/{invoice}/lines",                           lists.page(LineItem, invoice="invoice"),            LineItemList,                       LineItem),
    ("POST",   "/v1/invoices/{id}/lines/{line}",                         line_items.update,                                  LineUpdate,                         LineItem),
    ("POST",   "/v1/invoices/{id}/attach_payment",                       invoices.attach_payment,                            InvoiceAttachPayment,               Invoice),
    ("POST",   "/v1/invoices/{id}/finalize",                             invoices.finalize,                                  InvoiceFinalize,                    Invoice),
    ("POST",   "/v1/invoices/{id}/mark_uncollectible",                   invoices.mark_uncollectible,                        InvoiceMarkUncollectible,           Invoice),
    ("POST",   "/v1/invoices/{id}/pay",                                  invoices.pay,                                       InvoicePay,                         Invoice),
    ("POST",   "/v1/invoices/{id}/send",                                 invoices.send,                                      InvoiceSend,                        Invoice),
    ("POST",   "/v1/invoices/{id}/void",                                 invoices.void,                                      InvoiceVoid,                        Invoice),
    ("GET",    "/v1/invoiceitems",                                       lists.page(InvoiceItem),                            InvoiceItemList,                    InvoiceItem),
    ("POST",   "/v1/invoiceitems",                                       invoice_items.create,                               InvoiceItemCreate,                  InvoiceItem),
    ("GET",    "/v1/invoiceitems/{id}",                                  lists.one(InvoiceItem),                             Params,                             InvoiceItem),
    ("POST",   "/v1/invoiceitems/{id}",                                  invoice_items.update,                               InvoiceItemUpdate,                  InvoiceItem),
    ("DELETE", "/v1/invoiceitems/{id}",                                  invoice_items.delete,                               InvoiceItemDelete,                  InvoiceItem),
    ("GET",    "/v1/invoice_payments",                                   lists.page(InvoicePayment),                         InvoicePaymentList,                 InvoicePayment),
    ("GET",    "/v1/invoice_payments/{id}",                              lists.one(InvoicePayment),                          Params,                             InvoicePayment),

    *routes_billing.ROUTES,
    *routes_tax.ROUTES,
    *routes_usage.ROUTES,
    *routes_own.ROUTES,
]  # fmt: skip
