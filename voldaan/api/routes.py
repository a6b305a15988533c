"""The whole route table, read from top to bottom: method, path, command, parameters, what it answers."""

from __future__ import annotations

from voldaan.api import lists, search
from voldaan.api.router import RouteLine
from voldaan.commands import (
    accounts,
    coupons,
    customer_balance_transactions,
    customers,
    discounts,
    events,
    plans,
    prices,
    products,
    tax_ids,
    tax_rates,
    test_clocks,
    webhook_endpoints,
)
from voldaan.resources.accounts import Account
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
from voldaan.resources.events import Event, EventList
from voldaan.resources.params import Params
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

BALANCE = "/v1/customers/{customer}/balance_transactions"
of_customer = {"customer": "customer"}

ROUTES: list[RouteLine] = [
    # the account, its events, its test clocks ────────────────────────────────────────────────────────────
    ("GET",    "/v1/account",                              accounts.retrieve,                   Params,         Account),
    ("GET",    "/v1/events",                               events.page,                         EventList,      Event),
    ("GET",    "/v1/events/{id}",                          events.retrieve,                     Params,         Event),
    ("GET",    "/v1/test_helpers/test_clocks",             lists.page(TestClock),               TestClockList,    TestClock),
    ("POST",   "/v1/test_helpers/test_clocks",             test_clocks.create,                  TestClockCreate,  TestClock),
    ("GET",    "/v1/test_helpers/test_clocks/{id}",        lists.one(TestClock),                Params,           TestClock),
    ("DELETE", "/v1/test_helpers/test_clocks/{id}",        test_clocks.delete,                  TestClockDelete,  TestClock),
    ("POST",   "/v1/test_helpers/test_clocks/{id}/advance", test_clocks.advance,                TestClockAdvance, TestClock),

    # catalogue and customers ─────────────────────────────────────────────────────────────────────────────
    ("GET",    "/v1/products",                             lists.page(Product),                 ProductList,    Product),
    ("POST",   "/v1/products",                             products.create,                     ProductCreate,  Product),
    ("GET",    "/v1/products/search",                      search.search(Product),              ProductSearch,  Product),
    ("GET",    "/v1/products/{id}",                        products.retrieve,                  Params,         Product),
    ("POST",   "/v1/products/{id}",                        products.update,                     ProductUpdate,  Product),
    ("DELETE", "/v1/products/{id}",                        products.delete,                     ProductDelete,  Product),

    ("GET",    "/v1/prices",                               lists.page(Price),                   PriceList,      Price),
    ("POST",   "/v1/prices",                               prices.create,                       PriceCreate,    Price),
    ("GET",    "/v1/prices/search",                        search.search(Price),                PriceSearch,    Price),
    ("GET",    "/v1/prices/{id}",                          prices.retrieve,                    Params,         Price),
    ("POST",   "/v1/prices/{id}",                          prices.update,                       PriceUpdate,    Price),

    ("GET",    "/v1/plans",                                lists.page(Plan),                    PlanList,       Plan),
    ("POST",   "/v1/plans",                                plans.create,                        PlanCreate,     Plan),
    ("GET",    "/v1/plans/{id}",                           plans.retrieve,                      Params,         Plan),
    ("POST",   "/v1/plans/{id}",                           plans.update,                        PlanUpdate,     Plan),
    ("DELETE", "/v1/plans/{id}",                           plans.delete,                        PlanDelete,     Plan),

    ("GET",    "/v1/coupons",                              lists.page(Coupon),                  CouponList,     Coupon),
    ("POST",   "/v1/coupons",                              coupons.create,                      CouponCreate,   Coupon),
    ("GET",    "/v1/coupons/{id}",                         coupons.retrieve,                   Params,         Coupon),
    ("POST",   "/v1/coupons/{id}",                         coupons.update,                      CouponUpdate,   Coupon),
    ("DELETE", "/v1/coupons/{id}",                         coupons.delete,                      CouponDelete,   Coupon),

    ("GET",    "/v1/tax_rates",                            lists.page(TaxRate),                 TaxRateList,    TaxRate),
    ("POST",   "/v1/tax_rates",                            tax_rates.create,                    TaxRateCreate,  TaxRate),
    ("GET",    "/v1/tax_rates/{id}",                       lists.one(TaxRate),                  Params,         TaxRate),
    ("POST",   "/v1/tax_rates/{id}",                       tax_rates.update,                    TaxRateUpdate,  TaxRate),

    ("GET",    "/v1/tax_ids",                              lists.page(TaxId),                   TaxIdList,      TaxId),
    ("POST",   "/v1/tax_ids",                              tax_ids.create,                      TaxIdCreate,    TaxId),
    ("GET",    "/v1/tax_ids/{id}",                         lists.one(TaxId),                    Params,         TaxId),
    ("DELETE", "/v1/tax_ids/{id}",                         tax_ids.delete,                      TaxIdDelete,    TaxId),

    ("GET",    "/v1/customers",                            lists.page(Customer),                CustomerList,   Customer),
    ("POST",   "/v1/customers",                            customers.create,                    CustomerCreate, Customer),
    ("GET",    "/v1/customers/search",                     search.search(Customer),             CustomerSearch, Customer),
    ("GET",    "/v1/customers/{id}",                       lists.one(Customer),                 Params,         Customer),
    ("POST",   "/v1/customers/{id}",                       customers.update,                    CustomerUpdate, Customer),
    ("DELETE", "/v1/customers/{id}",                       customers.delete,                    CustomerDelete, Customer),
    ("DELETE", "/v1/customers/{customer}/discount",        discounts.delete_of_customer,        DiscountDelete, Discount),
    ("GET",    "/v1/customers/{customer}/tax_ids",         lists.page(TaxId, **of_customer),    CustomerTaxIdList,   TaxId),
    ("POST",   "/v1/customers/{customer}/tax_ids",         tax_ids.create_for_customer,         CustomerTaxIdCreate, TaxId),
    ("GET",    "/v1/customers/{customer}/tax_ids/{id}",    lists.one(TaxId, **of_customer),     Params,         TaxId),
    ("DELETE", "/v1/customers/{customer}/tax_ids/{id}",    tax_ids.delete_for_customer,         TaxIdDelete,    TaxId),
    ("GET",    BALANCE,                                    lists.page(CustomerBalanceTransaction, **of_customer),
     CustomerBalanceTransactionList, CustomerBalanceTransaction),
    ("POST",   BALANCE,                                    customer_balance_transactions.create,
     CustomerBalanceTransactionCreate, CustomerBalanceTransaction),
    ("GET",    BALANCE + "/{id}",                          lists.one(CustomerBalanceTransaction, **of_customer),
     Params, CustomerBalanceTransaction),
    ("POST",   BALANCE + "/{id}",                          customer_balance_transactions.update,
     CustomerBalanceTransactionUpdate, CustomerBalanceTransaction),

    ("GET",    "/v1/webhook_endpoints",                    lists.page(WebhookEndpoint),         WebhookEndpointList,   WebhookEndpoint),
    ("POST",   "/v1/webhook_endpoints",                    webhook_endpoints.create,            WebhookEndpointCreate, WebhookEndpoint),
    ("GET",    "/v1/webhook_endpoints/{id}",               lists.one(WebhookEndpoint),          Params,                WebhookEndpoint),
    ("POST",   "/v1/webhook_endpoints/{id}",               webhook_endpoints.update,            WebhookEndpointUpdate, WebhookEndpoint),
    ("DELETE", "/v1/webhook_endpoints/{id}",               webhook_endpoints.delete,            WebhookEndpointDelete, WebhookEndpoint),

]  # fmt: skip
