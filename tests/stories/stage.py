"""The stage of one story: a fresh account and a test clock behind the official SDK, and who is who by the story's names."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx
import psycopg
import stripe

from tests.stories.language import Money
from tests.stories.listener import Listener
from voldaan.ledger.chart import CHART, DEBIT_NORMAL

CLOCK_PAUSE = 0.02       # seconds between two looks at an advancing clock
CLOCK_PATIENCE = 60.0
DAY = 86_400
HOPS = {"day": 2, "week": 14, "month": 59, "year": 730}  # days: two of an interval, as far as one advance may go

Balances = dict[tuple[str, str], int]  # (ledger account, currency) -> minor units on the account's own side

LEDGER = """
select side.account, p.currency, sum(side.debit), sum(side.credit)
  from postings p cross join lateral (values (p.debit, p.amount, 0), (p.credit, 0, p.amount)) as side(account, debit, credit)
 where p.account_id = %s group by 1, 2
"""


@dataclass(slots=True)
class Stage:
    """What a story has made so far. Dicts are from the story's names to ids."""

    address: str                                             # of the server, where the bank's page is
    client: stripe.StripeClient
    account: str
    database: psycopg.Connection[Any]
    verify: Callable[[str], list[str]]                       # what is wrong with the books of an account
    lossy: Callable[[], stripe.StripeClient]                 # the same account, over a line that loses every reply
    clock: str = ""
    now: int = 0
    hop: int = HOPS["year"]                                  # days that one advance may go
    prices: dict[str, str] = field(default_factory=dict)
    meters: dict[str, str] = field(default_factory=dict)     # metered prices to the names of the events they count
    rates: dict[str, str] = field(default_factory=dict)
    shipping: dict[str, str] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    subscriptions: dict[str, str] = field(default_factory=dict)
    schedules: dict[str, str] = field(default_factory=dict)
    quotes: dict[str, str] = field(default_factory=dict)

    contracts: dict[str, str] = field(default_factory=dict)
    agreed: dict[str, str] = field(default_factory=dict)     # price of somebody's own -> the name of the one it stands for
    payments: dict[str, str] = field(default_factory=dict)   # the latest payment intent of each who paid by themselves
    preview: Any = None
    credited: Any = None                                     # the invoice that a credit note is being issued for
    listener: Listener | None = None
    ignored: set[str] = field(default_factory=set)
    counted_as: dict[str, str] = field(default_factory=dict)  # ledger account -> the name it is read under
    last_event: str | None = None
    events: list[str] = field(default_factory=list)           # happened, and not yet told
    balances: Balances = field(default_factory=dict)

    @property
    def v1(self) -> Any:
        return self.client.v1

    # time ---------------------------------------------------------------------------------------------------------------

    def begin(self, at: int) -> None:
        """The clock is made when the first customer is: at the time of the first step."""
        self.now = at
        self.clock = self.v1.test_helpers.test_clocks.create({"frozen_time": at}).id

    def advance(self, to: int) -> None:
        """Lets time pass, and waits until all that was due has happened."""
        while self.now < to:
            self.now = min(to, self.now + self.hop * DAY)
            self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": self.now})
            self.wait()

    def wait(self) -> None:
        end = time.monotonic() + CLOCK_PATIENCE
        while (clock := self.v1.test_helpers.test_clocks.retrieve(self.clock)).status == "advancing":
            if time.monotonic() > end:
                raise TimeoutError(f"the test clock has not arrived in {CLOCK_PATIENCE} s")
            time.sleep(CLOCK_PAUSE)
        assert clock.status == "ready", clock.status

    def wanted(self, items: list[tuple[str, int]]) -> list[dict[str, Any]]:
        """Prices with quantities as the API wants them: usage has none."""
        return [
            {"price": self.prices[name]} | ({} if name in self.meters else {"quantity": quantity}) for name, quantity in items
        ]

    # who is who ---------------------------------------------------------------------------------------------------------

    def subscription(self, name: str) -> Any:
        return self.v1.subscriptions.retrieve(self.subscriptions[name])

    def invoice(self, name: str) -> Any:
        """By number, "latest of anna", or "draft of anna". Raises LookupError when there is not exactly one."""
        which, of, who = name.partition(" of ")
        if of:
            status = {"status": "draft"} if which == "draft" else {}
            found = self.v1.invoices.list({"customer": self.customers[who], "limit": 100, **status}).data
            if which == "latest":
                found = found[:1]
        else:
            found = [i for i in self.v1.invoices.list({"limit": 100}).data if i.number == name]
        if len(found) != 1:
            raise LookupError(f"there are {len(found)} invoices called {name}")
        return found[0]

    def intent(self, who: str) -> str:
        """The payment intent of what somebody paid by themselves, or of their latest invoice."""
        if who in self.payments:
            return self.payments[who]
        (latest,) = self.v1.payment_intents.list({"customer": self.customers[who], "limit": 1}).data
        return str(latest.id)

    def charge(self, who: str) -> str:
        """The latest charge that took money of somebody."""
        found = self.v1.charges.list({"customer": self.customers[who], "limit": 10}).data
        return str(next(c.id for c in found if c.status == "succeeded"))

    def dispute(self, who: str) -> Any:
        """The latest dispute of somebody's charges."""
        charges = {c.id for c in self.v1.charges.list({"customer": self.customers[who], "limit": 100}).data}
        return next(d for d in self.v1.disputes.list({"limit": 100}).data if d.charge in charges)

    def answer_bank(self, who: str, answer: str) -> None:
        """The customer answers on the page of their bank: "complete" or "fail"."""
        action = self.v1.payment_intents.retrieve(self.intent(who)).next_action
        path = action.redirect_to_url.url if action.type == "redirect_to_url" else action.use_stripe_sdk["stripe_js"]
        httpx.post(urljoin(self.address, path), data={"answer": answer}).raise_for_status()

    def label(self, line: Any) -> str:
        """How a story calls an invoice line: by price and quantity, or by its description."""
        prices = {id: name for name, id in self.prices.items()} | self.agreed
        details = line.pricing.price_details if line.pricing else None
        price = prices.get(details.price) if details else None
        if price is None and line.description and line.description.startswith("Minimum"):
            return "minimum"
        if price is None:
            return str(line.description)
        named = price if line.quantity in (1, None) else f"{line.quantity} {price}"
        parent = line.parent.subscription_item_details or line.parent.invoice_item_details
        if parent.proration:
            return f"{'unused' if line.amount < 0 or 'Unused' in line.description else 'remaining'} {named}"
        if ", reported after " in line.description:
            return f"late {named}"
        return f"trial {named}" if line.description.startswith("Trial") else named

    def use_card(self, who: str, card: str) -> None:
        self.use(who, f"pm_card_{card}")

    def use_account(self, who: str, iban: str) -> None:
        """A bank account that is debited."""
        owner = {"name": who.title(), "email": f"{who}@example.com"}
        made = {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": owner}
        self.use(who, self.v1.payment_methods.create(made).id)

    def use(self, who: str, method: str) -> None:
        """Attached, and what everything is paid with from now on."""
        attached = self.v1.payment_methods.attach(method, {"customer": self.customers[who]})
        settings = {"default_payment_method": attached.id}
        self.v1.customers.update(self.customers[who], {"invoice_settings": settings})

    # what happened ------------------------------------------------------------------------------------------------------

    def hear(self) -> list[str]:
        """The types of all events since the last time, oldest first, with those that were not told yet."""
        new: list[Any] = []
        for event in self.v1.events.list({"limit": 100}).auto_paging_iter():
            if event.id == self.last_event:
                break
            new.append(event)
        if new:
            self.last_event = new[0].id
        self.events += [e.type for e in reversed(new) if e.type not in self.ignored and not _of_clock(e)]
        return self.events

    def ledger(self) -> Balances:
        """Every account's balance on its own side, under the name that the story reads it by."""
        found: Balances = {}
        for account, currency, debits, credits in self.database.execute(LEDGER, (self.account,)).fetchall():
            balance = int(debits - credits if CHART[account] in DEBIT_NORMAL else credits - debits)
            name = self.counted_as.get(account, account.replace("_", " "))
            found[name, currency] = found.get((name, currency), 0) + balance
        return found

    def changed(self, now: Balances) -> Balances:
        """The balances that are not what they were when the story last spoke of the ledger."""
        keys = sorted(now | self.balances, key=self._in_chart)
        return {key: now.get(key, 0) for key in keys if now.get(key, 0) != self.balances.get(key, 0)}

    def _in_chart(self, key: tuple[str, str]) -> tuple[str, int]:
        """By currency, then in the order of the chart of accounts."""
        name, currency = key
        names = [self.counted_as.get(account, account.replace("_", " ")) for account in CHART]
        return currency, names.index(name)


def told(balances: Balances) -> str:
    """Balances as a story writes them."""
    return ", ".join(f"{name} {Money(amount, currency)}" for (name, currency), amount in balances.items())


def _of_clock(event: Any) -> bool:
    """The clock is the story's own device."""
    return str(event.type).startswith("test_helpers.")
