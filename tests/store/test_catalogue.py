"""The catalogue and customers against a real database: what is stored, what is told, what is refused, and the API's shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.api.contract.checker import check
from voldaan.api import expand, forms, lists
from voldaan.commands import (
    coupons,
    customer_balance_transactions,
    customers,
    discounts,
    plans,
    prices,
    products,
    tax_ids,
    tax_rates,
    test_clocks,
    webhook_endpoints,
)
from voldaan.events.reading import read_events
from voldaan.resources.accounts import Account
from voldaan.resources.base import Resource
from voldaan.resources.coupons import Coupon, CouponCreate, CouponDelete, CouponList, CouponUpdate
from voldaan.resources.customer_balance_transactions import (
    CustomerBalanceTransaction,
    CustomerBalanceTransactionCreate,
    CustomerBalanceTransactionList,
    CustomerBalanceTransactionUpdate,
)
from voldaan.resources.customers import Customer, CustomerCreate, CustomerDelete, CustomerList, CustomerUpdate
from voldaan.resources.discounts import DiscountDelete, DiscountParams
from voldaan.resources.params import Params
from voldaan.resources.plans import Plan, PlanCreate, PlanDelete, PlanList, PlanUpdate
from voldaan.resources.prices import Price, PriceCreate, PriceList, PriceUpdate
from voldaan.resources.products import ProductCreate, ProductDelete, ProductUpdate
from voldaan.resources.tax_ids import (
    CustomerTaxIdCreate,
    CustomerTaxIdList,
    TaxId,
    TaxIdCreate,
    TaxIdDelete,
    TaxIdList,
)
from voldaan.resources.tax_rates import TaxRate, TaxRateCreate, TaxRateList, TaxRateUpdate
from voldaan.resources.test_clocks import TestClockCreate
from voldaan.resources.webhook_endpoints import (
    WebhookEndpointCreate,
    WebhookEndpointDelete,
    WebhookEndpointUpdate,
)
from voldaan.rules.decision import Decision, Refused
from voldaan.rules.promotion_codes import Named
from voldaan.store.pages import Page
from voldaan.store.pool import Pool
from voldaan.store.transaction import Missing, transaction
from voldaan.store.writer import write

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000
Json = dict[str, Any]
Command = Callable[..., Awaitable[Any]]


class Shop:
    """One account, asked as the edge asks: a form in, the API's JSON out."""

    def __init__(self, pool: Pool, account: Account) -> None:
        self.pool = pool
        self.account = account
        self.now = NOW

    async def ask(self, command: Command, params: type[Params], form: str = "", **path: str) -> Any:
        asked = params.model_validate(forms.parse(form.encode()))
        wanted = expand.tree(asked.expand)
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            result = await command(tx, asked, **path)
            if isinstance(result, Page):
                return await expand.render(tx, result.items, wanted.get("data", {}))
            return (await expand.render(tx, [result], wanted))[0] if isinstance(result, Resource) else result

    async def refusal(self, command: Command, params: type[Params], form: str = "", **path: str) -> tuple[str, str | None]:
        """The code and the parameter that a request is refused with."""
        with pytest.raises((Refused, Missing)) as error:
            await self.ask(command, params, form, **path)
        if isinstance(error.value, Missing):
            return f"no {error.value.object_name}", error.value.param
        return error.value.refusal.code, error.value.refusal.param

    async def events(self) -> list[Json]:
        """All that was told since the last look, oldest first, each held against the contract."""
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            ids = [row[0] for row in await tx.all("select id from each_event where account_id = %(account)s order by id")]
            told = await expand.render(tx, list((await read_events(tx, ids)).values()), {})
        assert [check(event, "stripe.Event") for event in told] == [[] for _ in told]
        fresh, self.seen = told[getattr(self, "seen", 0) :], len(told)
        return fresh

    async def told(self) -> list[str]:
        return [event["type"] for event in await self.events()]

    async def rows(self, sql: str, **params: Any) -> list[Any]:
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            return await tx.all(sql, **params)


@pytest.fixture
def shop(pool: Pool, account: Account) -> Shop:
    return Shop(pool, account)


MONTHLY = "currency=eur&unit_amount=1000&recurring[interval]=month"


# ── products and prices ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_product_and_its_first_price_are_made_together(shop: Shop) -> None:
    form = (
        "name=Bread&default_price_data[currency]=eur&default_price_data[unit_amount]=310&metadata[shelf]=2"
        "&default_price_data[recurring][interval]=month&package_dimensions[height]=1.5&package_dimensions[length]=2"
        "&package_dimensions[weight]=0.25&package_dimensions[width]=4&marketing_features[0][name]=Crust"
        "&expand[]=default_price&unit_label=loaf&images[0]=https://example.com/a.png"
    )
    bread = await shop.ask(products.create, ProductCreate, form)
    assert check(bread, "stripe.Product") == []
    assert bread["default_price"]["unit_amount"] == 310
    assert bread["default_price"]["recurring"]["interval"] == "month"
    assert bread["package_dimensions"] == {"height": 1.5, "length": 2, "weight": 0.25, "width": 4}
    assert await shop.told() == ["product.created", "plan.created", "price.created"]
    assert await shop.ask(products.retrieve, Params, "expand[]=default_price", id=bread["id"]) == bread


async def test_an_update_tells_what_was_before_and_silence_means_nothing_changed(shop: Shop) -> None:
    bread = await shop.ask(products.create, ProductCreate, "name=Bread&description=Sour&metadata[a]=1")
    shop.now += 60
    after = await shop.ask(products.update, ProductUpdate, "description=&metadata[b]=2&active=false", id=bread["id"])
    assert (after["description"], after["metadata"], after["active"]) == (None, {"a": "1", "b": "2"}, False)
    assert after["updated"] == NOW + 60
    _, told = await shop.events()
    assert told["data"]["previous_attributes"] == {
        "active": True, "description": "Sour", "metadata": {"b": None}, "updated": NOW,
    }  # fmt: skip
    await shop.ask(products.update, ProductUpdate, "active=false", id=bread["id"])
    assert await shop.told() == []


async def test_a_product_with_prices_stays_and_one_without_goes(shop: Shop) -> None:
    bread = await shop.ask(products.create, ProductCreate, "name=Bread&id=bread")
    await shop.ask(prices.create, PriceCreate, "product=bread&" + MONTHLY)
    assert await shop.refusal(products.delete, ProductDelete, id=bread["id"]) == ("", "id")
    await shop.ask(products.create, ProductCreate, "name=Salt&id=salt")
    assert await shop.ask(products.delete, ProductDelete, id="salt") == {"id": "salt", "object": "product", "deleted": True}
    assert await shop.refusal(products.retrieve, Params, id="salt") == ("no product", None)
    assert await shop.refusal(products.create, ProductCreate, "name=B&id=bread") == ("resource_already_exists", "id")
    assert await shop.refusal(prices.create, PriceCreate, "product=salt&" + MONTHLY) == ("no product", "product")


async def test_refusals_name_the_parameter_as_it_was_sent(shop: Shop) -> None:
    await shop.ask(products.create, ProductCreate, "name=Bread&id=bread")
    nested = "name=x&default_price_data[currency]=eur"
    assert await shop.refusal(products.create, ProductCreate, nested) == ("", "default_price_data[unit_amount]")
    assert await shop.refusal(products.create, ProductCreate, "name=x&url=nowhere") == ("url_invalid", "url")
    assert await shop.refusal(prices.create, PriceCreate, MONTHLY) == ("", None)  # as the live API was recorded
    both = f"product=bread&product_data[name]=x&{MONTHLY}"
    assert await shop.refusal(prices.create, PriceCreate, both) == ("", "product")
    data = f"product_data[name]=x&product_data[tax_code]=1&{MONTHLY}"
    assert await shop.refusal(prices.create, PriceCreate, data) == ("resource_missing", "product_data[tax_code]")
    metered = f"product=bread&{MONTHLY}&recurring[usage_type]=metered&recurring[meter]=mtr_none"
    assert (await shop.refusal(prices.create, PriceCreate, metered))[1] == "recurring[meter]"
    assert await shop.told() == ["product.created"]


async def test_tiers_and_currency_options_show_when_asked_for(shop: Shop) -> None:
    form = (
        "product_data[name]=Calls&currency=eur&recurring[interval]=month&billing_scheme=tiered&tiers_mode=graduated"
        "&tiers[0][up_to]=10&tiers[0][unit_amount]=5&tiers[1][up_to]=inf&tiers[1][unit_amount_decimal]=2.5"
        "&currency_options[usd][tiers][0][up_to]=inf&currency_options[usd][tiers][0][flat_amount]=100"
    )
    plainly = await shop.ask(prices.create, PriceCreate, form)
    assert check(plainly, "stripe.Price") == []
    assert "tiers" not in plainly
    assert "currency_options" not in plainly
    full = await shop.ask(
        prices.retrieve, Params, "expand[]=tiers&expand[]=currency_options.usd.tiers&expand[]=currency_options", id=plainly["id"]
    )
    assert check(full, "stripe.Price") == []
    assert full["tiers"][1] == {
        "flat_amount": None, "flat_amount_decimal": None, "unit_amount": None, "unit_amount_decimal": "2.5", "up_to": None,
    }  # fmt: skip
    assert sorted(full["currency_options"]) == ["eur", "usd"]


async def test_a_lookup_key_belongs_to_one_price_and_can_be_transferred(shop: Shop) -> None:
    old = await shop.ask(prices.create, PriceCreate, f"product_data[name]=Gold&lookup_key=gold&{MONTHLY}")
    again = f"product={old['product']}&lookup_key=gold&{MONTHLY}"
    assert await shop.refusal(prices.create, PriceCreate, again) == ("", "lookup_key")
    new = await shop.ask(prices.create, PriceCreate, again + "&transfer_lookup_key=true")
    assert new["lookup_key"] == "gold"
    assert (await shop.ask(prices.retrieve, Params, id=old["id"]))["lookup_key"] is None
    back = await shop.ask(prices.update, PriceUpdate, "lookup_key=gold&transfer_lookup_key=true", id=old["id"])
    assert back["lookup_key"] == "gold"
    found = await shop.ask(lists.page(Price), PriceList, "lookup_keys[]=gold")
    assert [price["id"] for price in found] == [old["id"]]


async def test_the_default_price_cannot_be_archived(shop: Shop) -> None:
    bread = await shop.ask(
        products.create, ProductCreate, "name=B&default_price_data[currency]=eur&default_price_data[unit_amount]=1"
    )
    default = bread["default_price"]
    assert await shop.refusal(prices.update, PriceUpdate, "active=false", id=default) == ("", "active")
    await shop.ask(products.update, ProductUpdate, "default_price=", id=bread["id"])
    assert (await shop.ask(prices.update, PriceUpdate, "active=false", id=default))["active"] is False
    archived = await shop.refusal(products.update, ProductUpdate, f"default_price={default}", id=bread["id"])
    assert archived == ("", "default_price")
    other = await shop.ask(prices.create, PriceCreate, "product_data[name]=Other&currency=eur&unit_amount=2")
    stranger = await shop.refusal(products.update, ProductUpdate, f"default_price={other['id']}", id=bread["id"])
    assert stranger == ("", "default_price")


async def test_prices_are_listed_by_what_recurs(shop: Shop) -> None:
    monthly = await shop.ask(prices.create, PriceCreate, f"product_data[name]=Gold&{MONTHLY}")
    once = await shop.ask(prices.create, PriceCreate, f"product={monthly['product']}&currency=usd&unit_amount=5")

    async def listed(form: str) -> list[str]:
        return [price["id"] for price in await shop.ask(lists.page(Price), PriceList, form)]

    assert await listed("") == [once["id"], monthly["id"]]
    assert await listed("recurring[interval]=month") == [monthly["id"]]
    assert await listed("recurring[interval]=year") == []
    assert await listed("type=one_time") == [once["id"]]
    assert await listed("currency=usd&active=true") == [once["id"]]
    assert await listed(f"product={monthly['product']}&limit=1") == [once["id"]]


async def test_a_plan_is_a_second_reading_of_the_price(shop: Shop) -> None:
    form = "amount=500&currency=eur&interval=month&interval_count=3&product[name]=Gold&id=gold&trial_period_days=7&nickname=G"
    plan = await shop.ask(plans.create, PlanCreate, form)
    assert check(plan, "stripe.Plan") == []
    assert (plan["id"], plan["amount"], plan["amount_decimal"], plan["interval_count"]) == ("gold", 500, "500", 3)
    price = await shop.ask(prices.retrieve, Params, id="gold")
    assert check(price, "stripe.Price") == []
    assert (price["unit_amount"], price["recurring"]["trial_period_days"]) == (500, 7)
    assert await shop.told() == ["product.created", "plan.created", "price.created"]

    changed = await shop.ask(plans.update, PlanUpdate, "trial_period_days=14&metadata[a]=1", id="gold")
    assert (changed["trial_period_days"], changed["metadata"]) == (14, {"a": "1"})
    await shop.ask(prices.create, PriceCreate, f"product={plan['product']}&currency=eur&unit_amount=5")
    assert await shop.ask(lists.page(Plan), PlanList) == [changed] == [await shop.ask(plans.retrieve, Params, id="gold")]
    await shop.told()
    assert await shop.ask(plans.delete, PlanDelete, id="gold") == {"id": "gold", "object": "plan", "deleted": True}
    assert await shop.told() == ["plan.deleted", "price.deleted"]
    assert await shop.ask(lists.page(Plan), PlanList) == []
    assert await shop.refusal(plans.retrieve, Params, id="gold") == ("no plan", None)


async def test_plans_refuse_in_their_own_words(shop: Shop) -> None:
    base = "currency=eur&interval=month&product[name]=x"
    assert await shop.refusal(plans.create, PlanCreate, base) == ("", "amount")
    assert await shop.refusal(plans.create, PlanCreate, base + "&amount=1&interval_count=40") == ("", "interval_count")
    base = "currency=eur&interval=month&amount=1"
    assert await shop.refusal(plans.create, PlanCreate, base) == ("parameter_missing", "product")
    assert await shop.refusal(plans.create, PlanCreate, base + "&product=prod_x") == ("no product", "product")


# ── coupons, discounts, tax rates ───────────────────────────────────────────────────────────────────────────────────


async def test_a_coupon_from_creation_to_deletion(shop: Shop) -> None:
    bread = await shop.ask(products.create, ProductCreate, "name=Bread")
    form = f"percent_off=12.5&duration=repeating&duration_in_months=3&name=Spring&applies_to[products][0]={bread['id']}"
    coupon = await shop.ask(coupons.create, CouponCreate, form + "&expand[]=applies_to")
    assert check(coupon, "stripe.Coupon") == []
    assert (coupon["percent_off"], coupon["valid"], len(coupon["id"])) == (12.5, True, 8)
    assert coupon["applies_to"] == {"products": [bread["id"]]}
    renamed = await shop.ask(coupons.update, CouponUpdate, "name=Summer", id=coupon["id"])
    assert (renamed["name"], "applies_to" in renamed) == ("Summer", False)
    deleted = await shop.ask(coupons.delete, CouponDelete, id=coupon["id"])
    assert deleted == {"id": coupon["id"], "object": "coupon", "deleted": True}
    assert await shop.ask(lists.page(Coupon), CouponList) == []
    assert await shop.refusal(coupons.retrieve, Params, id=coupon["id"]) == ("no coupon", None)
    assert await shop.told() == ["product.created", "coupon.created", "coupon.updated", "coupon.deleted"]
    wrong = "percent_off=5&applies_to[products][0]=prod_x"
    assert await shop.refusal(coupons.create, CouponCreate, wrong) == ("no product", "applies_to[products][0]")


async def test_newest_first_whatever_the_ids_are(shop: Shop) -> None:
    for id in ("B", "A", "C"):
        await shop.ask(coupons.create, CouponCreate, f"percent_off=5&id={id}")

    async def listed(form: str) -> list[str]:
        return [coupon["id"] for coupon in await shop.ask(lists.page(Coupon), CouponList, form)]

    assert await listed("") == ["C", "A", "B"]
    assert await listed("limit=1&starting_after=C") == ["A"]
    assert await listed("ending_before=B") == ["C", "A"]


async def test_a_coupon_expires_by_itself(shop: Shop) -> None:
    coupon = await shop.ask(coupons.create, CouponCreate, f"percent_off=5&id=MAY&redeem_by={NOW + 100}")
    due = "select kind, subject, due_at from due where account_id = %(account)s and kind <> 'ledger.roll_up'"
    assert await shop.rows(due) == [
        ("coupon.expire", "MAY", NOW + 100)
    ]
    async with transaction(shop.pool, shop.account, NOW + 99, NOW + 99) as tx:
        await coupons.expire(tx, ["MAY"])
        assert (await tx.need(Coupon, "MAY")).valid
    shop.now = NOW + 100
    async with transaction(shop.pool, shop.account, shop.now, shop.now) as tx:
        await coupons.expire(tx, ["MAY"])
        await coupons.expire(tx, ["MAY"])
    assert (await shop.ask(coupons.retrieve, Params, id=coupon["id"]))["valid"] is False
    assert await shop.told() == ["coupon.created", "coupon.updated"]


async def redeem(shop: Shop, customer: str, *forms_: Json, **facts: Any) -> list[Any]:
    async with transaction(shop.pool, shop.account, shop.now, shop.now) as tx:
        wanted = [DiscountParams(**f) for f in forms_]
        found, _, decision = await discounts.redeem(tx, Named(), wanted, Decision(), customer=customer, **facts)
        await write(tx, [decision])
        return found


async def test_redeeming_counts_and_stops_at_the_maximum(shop: Shop) -> None:
    anna = await shop.ask(customers.create, CustomerCreate, "name=Anna")
    await shop.ask(coupons.create, CouponCreate, "percent_off=5&id=TWO&max_redemptions=2&duration=repeating&duration_in_months=1")
    first, second = await redeem(shop, anna["id"], {"coupon": "TWO"}, {"coupon": "TWO"}, subscription="sub_1")
    assert first.end == first.start + 30 * 86400 == second.end  # 2026-09-21 to 2026-10-21
    coupon = await shop.ask(coupons.retrieve, Params, id="TWO")
    assert (coupon["times_redeemed"], coupon["valid"]) == (2, False)
    assert (await shop.told())[-2:] == ["customer.discount.created"] * 2
    with pytest.raises(Refused) as error:
        await redeem(shop, anna["id"], {"coupon": "TWO"})
    assert (error.value.refusal.code, error.value.refusal.param) == ("coupon_expired", "discounts[0][coupon]")
    assert await redeem(shop, anna["id"], {"discount": first.id}) == [first]


async def test_a_list_of_discounts_names_one_thing_each(shop: Shop) -> None:
    anna = await shop.ask(customers.create, CustomerCreate, "name=Anna")
    for wanted, blamed in [
        ({}, "discounts[0][coupon]"),
        ({"coupon": "a", "discount": "di_1"}, "discounts[0][coupon]"),
        ({"coupon": "none"}, "discounts[0][coupon]"),
        ({"discount": "di_none"}, "discounts[0][discount]"),
        ({"promotion_code": "promo_none"}, "discounts[0][promotion_code]"),
    ]:
        with pytest.raises((Refused, Missing)) as error:
            await redeem(shop, anna["id"], wanted)
        said = error.value
        assert (said.param if isinstance(said, Missing) else said.refusal.param) == blamed


async def test_a_customers_discount_is_taken_away(shop: Shop) -> None:
    anna = await shop.ask(customers.create, CustomerCreate, "name=Anna")
    await shop.ask(coupons.create, CouponCreate, "percent_off=5&id=FIVE&duration=forever")
    assert (await shop.refusal(discounts.delete_of_customer, DiscountDelete, customer=anna["id"]))[0] == "resource_missing"
    (discount,) = await redeem(shop, anna["id"], {"coupon": "FIVE"})
    async with transaction(shop.pool, shop.account, shop.now, shop.now) as tx:
        await tx.run(
            "update customers set doc = doc || jsonb_build_object('discount', %(d)s::jsonb) where account_id = %(account)s",
            d=f'{{"id": "{discount.id}", "source": {{"coupon": "FIVE", "type": "coupon"}}, "start": {NOW}}}',
        )
    shown = await shop.ask(lists.one(Customer), Params, id=anna["id"])
    assert check(shown, "stripe.Customer") == []
    assert shown["discount"]["source"] == {"coupon": "FIVE", "type": "coupon"}
    shop.now += 10
    await shop.told()
    gone = await shop.ask(discounts.delete_of_customer, DiscountDelete, customer=anna["id"])
    assert (gone["id"], gone["deleted"], "end" in gone) == (discount.id, True, False)
    assert (await shop.ask(lists.one(Customer), Params, id=anna["id"]))["discount"] is None
    assert await shop.told() == ["customer.discount.deleted", "customer.updated"]
    assert await shop.rows("select end_at from discounts where account_id = %(account)s") == [(NOW + 10,)]


async def test_tax_rates_keep_their_percentage(shop: Shop) -> None:
    form = "display_name=BTW&inclusive=false&percentage=21.0&country=nl&tax_type=vat"
    rate = await shop.ask(tax_rates.create, TaxRateCreate, form)
    assert check(rate, "stripe.TaxRate") == []
    assert (rate["percentage"], rate["country"], rate["active"]) == (21, "NL", True)
    await shop.ask(tax_rates.update, TaxRateUpdate, "active=false&description=Old", id=rate["id"])
    assert await shop.told() == ["tax_rate.created", "tax_rate.updated"]
    assert len(await shop.ask(lists.page(TaxRate), TaxRateList, "active=false&inclusive=false")) == 1
    for wrong in ("101", "-1", "1.23456"):
        form = f"display_name=x&inclusive=true&percentage={wrong}"
        assert await shop.refusal(tax_rates.create, TaxRateCreate, form) == ("", "percentage")


# ── customers ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_customer_with_everything(shop: Shop) -> None:
    form = (
        "name=Anna&email=anna@example.com&phone=+31&description=Regular&business_name=Bakery&address[country]=nl"
        "&address[city]=Delft&shipping[name]=Anna&shipping[address][country]=nl&preferred_locales[]=nl&tax_exempt=reverse"
        "&metadata[a]=1&invoice_settings[footer]=Thanks&invoice_settings[custom_fields][0][name]=PO"
        "&invoice_settings[custom_fields][0][value]=7&balance=-500&tax_id_data[0][type]=eu_vat"
        "&tax_id_data[0][value]=NL123456789B01&next_invoice_sequence=10&tax[ip_address]=127.0.0.1"
        "&expand[]=tax_ids&expand[]=tax&expand[]=sources&expand[]=invoice_credit_balance&expand[]=cash_balance"
        "&expand[]=invoice_settings"
    )
    form = form.removesuffix("&expand[]=invoice_settings")
    anna = await shop.ask(customers.create, CustomerCreate, form)
    assert check(anna, "stripe.Customer") == []
    assert (anna["balance"], anna["currency"], anna["invoice_credit_balance"]) == (-500, "eur", {"eur": -500})
    assert (len(anna["invoice_prefix"]), anna["next_invoice_sequence"]) == (8, 10)
    assert (anna["tax_ids"]["data"][0]["value"], anna["sources"]["data"]) == ("NL123456789B01", [])
    assert anna["tax"]["location"] == {"country": "NL", "source": "shipping_destination", "state": None}
    created, tax_id = await shop.events()
    assert (created["type"], tax_id["type"]) == ("customer.created", "customer.tax_id.created")
    assert created["data"]["object"]["balance"] == -500
    assert "tax_ids" not in created["data"]["object"]
    again = await shop.ask(lists.one(Customer), Params, form[form.index("expand") :], id=anna["id"])
    assert again == anna
    assert await shop.rows("select debit, credit, amount from postings where account_id = %(account)s") == [
        ("customer_balance_adjustments", "customer_balance", 500)
    ]


async def test_an_update_changes_what_is_given_and_tells_what_was(shop: Shop) -> None:
    anna = await shop.ask(customers.create, CustomerCreate, "name=Anna&metadata[a]=1&invoice_settings[footer]=Thanks")
    await shop.told()
    form = "email=anna@example.com&metadata[a]=&metadata[b]=2&invoice_settings[footer]=Bye&balance=300"
    after = await shop.ask(customers.update, CustomerUpdate, form, id=anna["id"])
    assert (after["name"], after["email"], after["metadata"], after["balance"]) == ("Anna", "anna@example.com", {"b": "2"}, 300)
    (told,) = await shop.events()
    assert told["data"]["previous_attributes"] == {
        "balance": 0, "currency": None, "email": None, "invoice_settings": {"footer": "Thanks"},
        "metadata": {"a": "1", "b": None},
    }  # fmt: skip
    await shop.ask(customers.update, CustomerUpdate, "balance=300&name=Anna", id=anna["id"])
    assert await shop.told() == []
    assert await shop.refusal(customers.update, CustomerUpdate, "name=x", id="cus_none") == ("no customer", None)


async def test_invoice_prefixes_are_given_once(shop: Shop) -> None:
    await shop.ask(customers.create, CustomerCreate, "invoice_prefix=ANNA")
    assert await shop.refusal(customers.create, CustomerCreate, "invoice_prefix=ANNA") == ("", "invoice_prefix")
    ben = await shop.ask(customers.create, CustomerCreate, "name=Ben")
    assert await shop.refusal(customers.update, CustomerUpdate, "invoice_prefix=ANNA", id=ben["id"]) == ("", "invoice_prefix")
    assert (await shop.ask(customers.update, CustomerUpdate, "invoice_prefix=BEN", id=ben["id"]))["invoice_prefix"] == "BEN"


async def test_only_a_method_of_ones_own_can_be_the_default(shop: Shop) -> None:
    blamed = ("resource_missing", "invoice_settings[default_payment_method]")
    form = "invoice_settings[default_payment_method]=pm_none"
    assert await shop.refusal(customers.create, CustomerCreate, form) == blamed
    anna = await shop.ask(customers.create, CustomerCreate, "name=Anna")
    assert await shop.refusal(customers.update, CustomerUpdate, form, id=anna["id"]) == blamed


async def test_a_test_card_becomes_a_method_of_the_new_customers_own(shop: Shop) -> None:
    form = "payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa"
    anna = await shop.ask(customers.create, CustomerCreate, form + "&expand[]=invoice_settings.default_payment_method")
    card = anna["invoice_settings"]["default_payment_method"]
    assert (card["customer"], card["card"]["last4"]) == (anna["id"], "4242")
    assert card["id"] != "pm_card_visa"
    attached, created = await shop.events()
    assert (attached["type"], created["type"]) == ("payment_method.attached", "customer.created")
    assert created["data"]["object"]["invoice_settings"]["default_payment_method"] == card["id"]
    other = await shop.refusal(customers.create, CustomerCreate, form.replace("=pm_card_visa&", "=pm_card_mastercard&"))
    assert other == ("resource_missing", "invoice_settings[default_payment_method]")
    taken = await shop.refusal(customers.create, CustomerCreate, f"payment_method={card['id']}")
    assert taken == ("", None)
    assert len(await shop.ask(lists.page(Customer), CustomerList)) == 1

    ben = await shop.ask(customers.create, CustomerCreate, "payment_method=pm_card_visa")
    assert ben["invoice_settings"]["default_payment_method"] is None
    stranger = f"invoice_settings[default_payment_method]={card['id']}"
    assert (await shop.refusal(customers.update, CustomerUpdate, stranger, id=ben["id"]))[0] == "resource_missing"
    assert (await shop.ask(customers.update, CustomerUpdate, stranger, id=anna["id"]))["id"] == anna["id"]


async def test_a_customer_on_a_test_clock_lives_by_it(shop: Shop) -> None:
    clock = await shop.ask(test_clocks.create, TestClockCreate, f"frozen_time={NOW - 86400}")
    anna = await shop.ask(customers.create, CustomerCreate, f"name=Anna&test_clock={clock['id']}&email=anna@example.com")
    ben = await shop.ask(customers.create, CustomerCreate, "name=Ben&email=ben@example.com")
    assert (anna["created"], ben["created"]) == (NOW - 86400, NOW)
    assert check(anna, "stripe.Customer") == []

    async def listed(form: str) -> list[str]:
        return [customer["name"] for customer in await shop.ask(lists.page(Customer), CustomerList, form)]

    assert await listed("") == ["Ben"]
    assert await listed(f"test_clock={clock['id']}") == ["Anna"]
    assert await listed("email=ben@example.com") == ["Ben"]
    assert await shop.refusal(customers.create, CustomerCreate, "test_clock=clock_none") == (
        "no test_helpers.test_clock", "test_clock",
    )  # fmt: skip


async def test_a_deleted_customer_leaves_a_stub(shop: Shop) -> None:
    anna = await shop.ask(customers.create, CustomerCreate, "name=Anna")
    stub = {"id": anna["id"], "object": "customer", "deleted": True}
    assert await shop.ask(customers.delete, CustomerDelete, id=anna["id"]) == stub
    assert await shop.ask(lists.one(Customer), Params, id=anna["id"]) == stub
    assert await shop.ask(lists.page(Customer), CustomerList) == []
    assert await shop.told() == ["customer.created", "customer.deleted"]
    assert await shop.refusal(customers.update, CustomerUpdate, "name=x", id=anna["id"]) == ("no customer", None)
    assert await shop.refusal(customers.delete, CustomerDelete, id=anna["id"]) == ("no customer", None)


async def test_the_balance_and_its_transactions(shop: Shop) -> None:
    anna = (await shop.ask(customers.create, CustomerCreate, "name=Anna"))["id"]
    create, model = customer_balance_transactions.create, CustomerBalanceTransactionCreate
    first = await shop.ask(create, model, "amount=-500&currency=eur&description=Gift&metadata[a]=1", customer=anna)
    second = await shop.ask(create, model, "amount=200&currency=eur", customer=anna)
    assert check(first, "stripe.CustomerBalanceTransaction") == []
    assert (first["ending_balance"], second["ending_balance"], first["type"]) == (-500, -300, "adjustment")
    assert await shop.refusal(create, model, "amount=5&currency=usd", customer=anna) == ("", "currency")
    assert await shop.refusal(create, model, "amount=0&currency=eur", customer=anna) == ("", "amount")
    listed = await shop.ask(
        lists.page(CustomerBalanceTransaction, customer="customer"), CustomerBalanceTransactionList, customer=anna
    )
    assert [t["amount"] for t in listed] == [200, -500]
    noted = await shop.ask(
        customer_balance_transactions.update, CustomerBalanceTransactionUpdate, "description=", id=first["id"], customer=anna
    )
    assert (noted["description"], noted["amount"]) == (None, -500)
    other = (await shop.ask(customers.create, CustomerCreate, "name=Ben"))["id"]
    update, changed = customer_balance_transactions.update, CustomerBalanceTransactionUpdate
    assert await shop.refusal(update, changed, "", id=first["id"], customer=other) == ("no customer_balance_transaction", None)
    sums = "sum(case when credit = 'customer_balance' then amount else -amount end)"
    assert await shop.rows(f"select {sums} from postings where account_id = %(account)s") == [(300,)]
    assert [e["data"]["object"]["balance"] for e in await shop.events() if e["type"] == "customer.updated"] == [-500, -300]


async def test_tax_ids_of_a_customer_and_of_the_business(shop: Shop) -> None:
    anna = (await shop.ask(customers.create, CustomerCreate, "name=Anna"))["id"]
    vat = "type=eu_vat&value=NL123456789B01"
    first = await shop.ask(tax_ids.create_for_customer, CustomerTaxIdCreate, vat, customer=anna)
    assert check(first, "stripe.TaxId") == []
    assert (first["country"], first["verification"]["status"], first["owner"]["customer"]) == ("NL", "unavailable", anna)
    own = await shop.ask(tax_ids.create, TaxIdCreate, vat)
    assert check(own, "stripe.TaxId") == []
    assert (own["customer"], own["owner"]["type"]) == (None, "self")
    owned = await shop.ask(tax_ids.create, TaxIdCreate, f"{vat}&owner[type]=customer&owner[customer]={anna}")

    async def listed(form: str) -> list[str]:
        return [tax_id["id"] for tax_id in await shop.ask(lists.page(TaxId), TaxIdList, form)]

    assert await listed("") == await listed("owner[type]=self") == [own["id"]]
    assert await listed(f"owner[type]=customer&owner[customer]={anna}") == [owned["id"], first["id"]]
    assert await listed("owner[type]=account&owner[account]=acct_1") == []
    for _ in range(3):
        await shop.ask(tax_ids.create_for_customer, CustomerTaxIdCreate, vat, customer=anna)
    assert (await shop.refusal(tax_ids.create_for_customer, CustomerTaxIdCreate, vat, customer=anna))[0] == "tax_id_limit"
    assert await shop.refusal(tax_ids.create, TaxIdCreate, "type=eu_vat&value=NL1") == ("tax_id_invalid", "value")
    nested = "tax_id_data[0][type]=eu_vat&tax_id_data[0][value]=NL1"
    assert await shop.refusal(customers.create, CustomerCreate, nested) == ("tax_id_invalid", "tax_id_data[0][value]")
    deleted = await shop.ask(tax_ids.delete_for_customer, TaxIdDelete, id=first["id"], customer=anna)
    assert deleted == {"id": first["id"], "object": "tax_id", "deleted": True}
    left = await shop.ask(lists.page(TaxId, customer="customer"), CustomerTaxIdList, customer=anna)
    assert len(left) == 4
    assert (await shop.told()).count("customer.tax_id.deleted") == 1


# ── webhook endpoints ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_endpoint_shows_its_secret_once(shop: Shop) -> None:
    form = "url=https://example.com/hook&enabled_events[]=invoice.paid&enabled_events[]=customer.created&metadata[a]=1"
    made = await shop.ask(webhook_endpoints.create, WebhookEndpointCreate, form)
    assert check(made, "stripe.WebhookEndpoint") == []
    assert made["secret"].startswith("whsec_")
    update, changed = webhook_endpoints.update, WebhookEndpointUpdate
    after = await shop.ask(update, changed, "disabled=true&enabled_events[]=*", id=made["id"])
    assert (after["status"], after["enabled_events"], "secret" in after) == ("disabled", ["*"], False)
    assert "signing_secret" not in after
    await shop.ask(update, changed, "disabled=false", id=made["id"])
    await shop.ask(customers.create, CustomerCreate, "name=Anna")
    due = await shop.rows("select kind from due where account_id = %(account)s and kind <> 'ledger.roll_up'")
    assert due == [("webhook.deliver",)]
    gone = await shop.ask(webhook_endpoints.delete, WebhookEndpointDelete, id=made["id"])
    assert gone == {"id": made["id"], "object": "webhook_endpoint", "deleted": True}


@pytest.mark.parametrize(
    ("form", "blamed"),
    [
        ("url=https://example.com&enabled_events[]=invoice.payed", "enabled_events[0]"),
        ("url=ftp://example.com&enabled_events[]=*", "url"),
        ("url=https://&enabled_events[]=*", "url"),
        ("url=example.com&enabled_events[]=*", "url"),
        ("url=https://example.com:x&enabled_events[]=*", "url"),
        ("url=https://example.com&enabled_events[]=*&api_version=2020-08-27", "api_version"),
        ("url=https://example.com&enabled_events[]=*&connect=true", "connect"),
    ],
)
async def test_endpoints_that_cannot_be(shop: Shop, form: str, blamed: str) -> None:
    assert (await shop.refusal(webhook_endpoints.create, WebhookEndpointCreate, form))[1] == blamed


async def test_another_account_sees_nothing(shop: Shop, pool: Pool) -> None:
    from voldaan.store import accounts

    anna = await shop.ask(customers.create, CustomerCreate, "name=Anna")
    stranger = Shop(pool, (await accounts.create(pool, NOW, business_name="Another")).account)
    assert await stranger.refusal(lists.one(Customer), Params, id=anna["id"]) == ("no customer", None)
    assert await stranger.refusal(customers.update, CustomerUpdate, "name=x", id=anna["id"]) == ("no customer", None)
