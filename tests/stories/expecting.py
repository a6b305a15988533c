"""What is so after each step. Every function returns pairs of what the story says and what was found; equal pairs hold."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from tests.stories.grammar import MORE, STEP, listed
from tests.stories.language import Grammar, Money, Phrase, written
from tests.stories.stage import Stage, told

Pair = tuple[str, str]
OF_INVOICE = Grammar("fact of an invoice")
OF_LINE = Grammar("fact of an invoice line")
LINES = Grammar("invoice line")
OF_SUBSCRIPTION = Grammar("fact of a subscription")
OF_PAYMENT = Grammar("fact of a payment")
OF_DISPUTE = Grammar("fact of a dispute")
OF_PAYOUT = Grammar("fact of a payout")
ACCOUNTS = Grammar("ledger account with its balance")
MORE_ACCOUNTS = Grammar("list of ledger accounts with their balances")
AMOUNTS = Grammar("amount")


def facts(clauses: list[Phrase], subject: Any, stage: Stage) -> list[Pair]:
    """What each clause says of the subject, and how it is."""
    return [(str(said), str(found)) for said, found in (c.call(stage, subject, **c.values) for c in clauses)]


# Invoices ----------------------------------------------------------------------------------------------------------------


@STEP("invoice <name:invoice> <status:word> <amount>", clauses=OF_INVOICE, below=LINES)
def invoice(stage: Stage, said: Phrase, name: str, status: str, amount: Money) -> list[Pair]:
    """`amount` is the total. If any line is told, all are, in the order in which they are shown."""
    found = stage.invoice(name)
    pairs = [(f"{status} {amount}", f"{found.status} {Money(found.total, found.currency)}")]
    return pairs + facts(said.clauses, found, stage) + of_lines(stage, said.below, found)


@STEP("preview <amount>", clauses=OF_INVOICE, below=LINES)
def preview(stage: Stage, said: Phrase, amount: Money) -> list[Pair]:
    found = stage.preview
    pairs = [(str(amount), str(Money(found.total, found.currency)))]
    return pairs + facts(said.clauses, found, stage) + of_lines(stage, said.below, found)


@STEP("<name:invoice> is as previewed")
def as_previewed(stage: Stage, said: Phrase, name: str) -> list[Pair]:
    """To the cent and to the second."""
    return [(_all_of(stage.preview), _all_of(stage.invoice(name)))]


def _all_of(invoice: Any) -> str:
    sums = [invoice.subtotal, invoice.total_excluding_tax, invoice.total, invoice.starting_balance, invoice.amount_due]
    lines = [
        f"{line.description}: {line.amount} {line.quantity} {line.period.start} {line.period.end}"
        f" {[t.amount for t in line.taxes or []]} {[d.amount for d in line.discount_amounts or []]}"
        for line in invoice.lines.data
    ]
    return "\n".join([str(sums), *lines])


def of_lines(stage: Stage, said: list[Phrase], invoice: Any) -> list[Pair]:
    if not said:
        return []
    pairs: list[Pair] = []
    for phrase, line in zip_longest(said, invoice.lines.data):
        heading = f"{phrase.values['amount']} {phrase.values['label']}" if phrase else "no more lines"
        found = f"{Money(line.amount, invoice.currency)} {stage.label(line)}" if line else "no line"
        pairs.append((heading, found))
        if phrase and line:
            pairs += facts(phrase.clauses, line, stage)
    return pairs


@LINES("<amount> <label>", clauses=OF_LINE)
def line(stage: Stage, said: Phrase, amount: Money, label: str) -> None:
    """Read by of_lines."""


@OF_LINE("<start:when> to <end:when>")
def line_period(stage: Stage, line: Any, start: int, end: int) -> Pair:
    return f"{written(start)} to {written(end)}", f"{written(line.period.start)} to {written(line.period.end)}"


@OF_LINE("at <when>")
def line_moment(stage: Stage, line: Any, when: int) -> Pair:
    """For no time at all."""
    return line_period(stage, line, when, when)


@OF_LINE("tax <amount>")
def line_tax(stage: Stage, line: Any, amount: Money) -> Pair:
    return f"tax {amount}", f"tax {Money(sum(t.amount for t in line.taxes or []), line.currency)}"


@OF_LINE("discount <amount>")
def line_discount(stage: Stage, line: Any, amount: Money) -> Pair:
    return f"discount {amount}", f"discount {Money(sum(d.amount for d in line.discount_amounts or []), line.currency)}"


def _amount_of(words: str, field: str) -> None:
    """Files "due 31.00" and the like: an amount that is a field of the invoice."""

    def check(stage: Stage, invoice: Any, amount: Money) -> Pair:
        return f"{words} {amount}", f"{words} {Money(invoice[field], invoice.currency)}"

    OF_INVOICE(f"{words} <amount>")(check)


for _words, _field in {
    "due": "amount_due", "paid": "amount_paid", "remaining": "amount_remaining", "subtotal": "subtotal",
    "overpaid": "amount_overpaid", "starting balance": "starting_balance", "ending balance": "ending_balance",
    "without tax": "total_excluding_tax",
}.items():  # fmt: skip
    _amount_of(_words, _field)


@OF_INVOICE("tax <amount>")
def invoice_tax(stage: Stage, invoice: Any, amount: Money) -> Pair:
    return f"tax {amount}", f"tax {Money(sum(t.amount for t in invoice.total_taxes or []), invoice.currency)}"


@OF_INVOICE("shipping <amount>")
def invoice_shipping(stage: Stage, invoice: Any, amount: Money) -> Pair:
    """What its rate says, before exclusive tax."""
    return f"shipping {amount}", f"shipping {Money(invoice.amount_shipping, invoice.currency)}"


@OF_INVOICE("credits <amount>")
def invoice_credits(stage: Stage, invoice: Any, amount: Money) -> Pair:
    """What billing credits have paid of it, or would pay."""
    return f"credits {amount}", f"credits {Money(_credits(invoice.total_pretax_credit_amounts), invoice.currency)}"


@OF_LINE("credits <amount>")
def line_credits(stage: Stage, line: Any, amount: Money) -> Pair:
    return f"credits {amount}", f"credits {Money(_credits(line.pretax_credit_amounts), line.currency)}"


def _credits(amounts: Any) -> int:
    return sum(a.amount for a in amounts or [] if a.type == "credit_balance_transaction")


@OF_INVOICE("discount <amount>")
def invoice_discount(stage: Stage, invoice: Any, amount: Money) -> Pair:
    taken = sum(d.amount for d in invoice.total_discount_amounts or [])
    return f"discount {amount}", f"discount {Money(taken, invoice.currency)}"


@OF_INVOICE("tries <n>")
def tries(stage: Stage, invoice: Any, n: int) -> Pair:
    return f"tries {n}", f"tries {invoice.attempt_count}"


@OF_INVOICE("reason <word>")
def reason(stage: Stage, invoice: Any, word: str) -> Pair:
    return f"reason {word}", f"reason {invoice.billing_reason}"


@OF_INVOICE("threshold <amount>")
def threshold(stage: Stage, invoice: Any, amount: Money) -> Pair:
    """The amount that was reached, for which it came."""
    found = getattr(invoice, "threshold_reason", None)
    reached = Money(found.amount_gte or 0, invoice.currency) if found else "none"
    return f"{amount} subscription_threshold", f"{reached} {invoice.billing_reason}"


def _instant_of(words: str, field: str) -> None:
    """Files "next try 2027-03-01" and, for null, "no next try"."""

    def check(stage: Stage, invoice: Any, when: int) -> Pair:
        return f"{words} {written(when)}", f"{words} {written(invoice[field])}"

    def never(stage: Stage, invoice: Any) -> Pair:
        return f"{words} never", f"{words} {written(invoice[field])}"

    OF_INVOICE(f"{words} <when>")(check)
    OF_INVOICE(f"no {words}")(never)


for _words, _field in {
    "next try": "next_payment_attempt", "to be paid by": "due_date", "finalizes": "automatically_finalizes_at",
}.items():  # fmt: skip
    _instant_of(_words, _field)


@OF_INVOICE("period <start:when> to <end:when>")
def invoice_period(stage: Stage, invoice: Any, start: int, end: int) -> Pair:
    return f"{written(start)} to {written(end)}", f"{written(invoice.period_start)} to {written(invoice.period_end)}"


@STEP("no draft of <who>")
def no_draft(stage: Stage, said: Phrase, who: str) -> list[Pair]:
    found = stage.v1.invoices.list({"customer": stage.customers[who], "status": "draft"}).data
    return [("0 drafts", f"{len(found)} drafts")]


# Subscriptions and customers -----------------------------------------------------------------------------------------------


@STEP("subscription <sub> <status:word>", clauses=OF_SUBSCRIPTION)
def subscription(stage: Stage, said: Phrase, sub: str, status: str) -> list[Pair]:
    found = stage.subscription(sub)
    return [(status, found.status), *facts(said.clauses, found, stage)]


@OF_SUBSCRIPTION("<start:when> to <end:when>")
def of_period(stage: Stage, subscription: Any, start: int, end: int) -> Pair:
    """Of its first item."""
    item = subscription["items"].data[0]
    found = f"{written(item.current_period_start)} to {written(item.current_period_end)}"
    return f"{written(start)} to {written(end)}", found


def _instant_of_subscription(words: str, field: str) -> None:
    def check(stage: Stage, subscription: Any, when: int) -> Pair:
        return f"{words} {written(when)}", f"{words} {written(subscription[field])}"

    OF_SUBSCRIPTION(f"{words} <when>")(check)


for _words, _field in {
    "anchor": "billing_cycle_anchor", "trial until": "trial_end", "ends": "cancel_at", "ended": "ended_at",
    "canceled": "canceled_at",
}.items():  # fmt: skip
    _instant_of_subscription(_words, _field)


@OF_SUBSCRIPTION("billed until <when>")
def of_billed_until(stage: Stage, subscription: Any, when: int) -> Pair:
    """Of its first item."""
    item = subscription["items"].data[0]
    return f"billed until {written(when)}", f"billed until {written(getattr(item, 'billed_until', None))}"


@OF_SUBSCRIPTION("billed for its period")
def of_nothing_ahead(stage: Stage, subscription: Any) -> Pair:
    return "nothing", str(getattr(subscription["items"].data[0], "billed_until", "nothing"))


@OF_SUBSCRIPTION("to <items>")
def of_items(stage: Stage, subscription: Any, items: list[tuple[str, int]]) -> Pair:
    names = {id: name for name, id in stage.prices.items()}
    found = [(names[i.price.id], i.quantity) for i in subscription["items"].data]
    return str(sorted(items)), str(sorted(found))


@OF_SUBSCRIPTION("waits for <items> until <when>")
def of_pending_update(stage: Stage, subscription: Any, items: list[tuple[str, int]], when: int) -> Pair:
    names = {id: name for name, id in stage.prices.items()}
    pending = subscription.pending_update
    expected = f"{sorted(items)} until {written(when)}"
    if pending is None:
        return expected, "nothing"
    found = [(names[i.price.id], i.quantity) for i in pending.subscription_items]
    return expected, f"{sorted(found)} until {written(pending.expires_at)}"


@OF_SUBSCRIPTION("ends at period end")
def of_period_end(stage: Stage, subscription: Any) -> Pair:
    return "True", str(subscription.cancel_at_period_end)


@OF_SUBSCRIPTION("because of <reason:word>")
def of_reason(stage: Stage, subscription: Any, reason: str) -> Pair:
    return reason, str(subscription.cancellation_details.reason)


@OF_SUBSCRIPTION("discounts <n>")
def of_discounts(stage: Stage, subscription: Any, n: int) -> Pair:
    return f"{n} discounts", f"{len(subscription.discounts)} discounts"


@STEP("<who> has balance <amount>")
def balance_of(stage: Stage, said: Phrase, who: str, amount: Money) -> list[Pair]:
    """As Stripe counts: credit is negative."""
    return [(str(amount), str(Money(stage.v1.customers.retrieve(stage.customers[who]).balance, amount.currency)))]


@STEP("<who> is delinquent")
def delinquent(stage: Stage, said: Phrase, who: str) -> list[Pair]:
    return [("delinquent True", f"delinquent {stage.v1.customers.retrieve(stage.customers[who]).delinquent}")]


@STEP("<who> is not delinquent")
def not_delinquent(stage: Stage, said: Phrase, who: str) -> list[Pair]:
    return [("delinquent False", f"delinquent {stage.v1.customers.retrieve(stage.customers[who]).delinquent}")]


# Money ---------------------------------------------------------------------------------------------------------------------


@STEP("payment of <who> <status:word> <amount>", clauses=OF_PAYMENT)
def payment(stage: Stage, said: Phrase, who: str, status: str, amount: Money) -> list[Pair]:
    found = stage.v1.payment_intents.retrieve(stage.intent(who))
    pairs = [(f"{status} {amount}", f"{found.status} {Money(found.amount, found.currency)}")]
    return pairs + facts(said.clauses, found, stage)


@OF_PAYMENT("capturable <amount>")
def capturable(stage: Stage, intent: Any, amount: Money) -> Pair:
    return str(amount), str(Money(intent.amount_capturable, intent.currency))


@OF_PAYMENT("received <amount>")
def received(stage: Stage, intent: Any, amount: Money) -> Pair:
    return str(amount), str(Money(intent.amount_received, intent.currency))


@OF_PAYMENT("declined <code:word>")
def declined(stage: Stage, intent: Any, code: str) -> Pair:
    error = intent.last_payment_error
    return code, str(error and (getattr(error, "decline_code", None) or error.code))


@OF_PAYMENT("canceled as <reason:word>")
def canceled_as(stage: Stage, intent: Any, reason: str) -> Pair:
    return reason, str(intent.cancellation_reason)


@STEP("<who> was charged <amount>", clauses=AMOUNTS)
def charged(stage: Stage, said: Phrase, who: str, amount: Money) -> list[Pair]:
    """Every charge that took money, oldest first, before any refund."""
    every = [amount, *(c.values["amount"] for c in said.clauses)]
    found = stage.v1.charges.list({"customer": stage.customers[who], "limit": 100}).data
    taken = [Money(c.amount_captured, c.currency) for c in reversed(found) if c.status == "succeeded" and c.captured]
    return [(", ".join(map(str, every)), ", ".join(map(str, taken)))]


@STEP("declines of <who> <n>")
def declines(stage: Stage, said: Phrase, who: str, n: int) -> list[Pair]:
    """Charges that the customer's bank refused."""
    found = stage.v1.charges.list({"customer": stage.customers[who], "limit": 100}).data
    return [(f"{n} declines", f"{sum(c.status == 'failed' for c in found)} declines")]


@AMOUNTS("<amount>")
def amount(stage: Stage, said: Phrase, amount: Money) -> None:
    """Read by charged."""


@STEP("dispute of <who> <status:word> <amount>", clauses=OF_DISPUTE)
def dispute(stage: Stage, said: Phrase, who: str, status: str, amount: Money) -> list[Pair]:
    found = stage.dispute(who)
    pairs = [(f"{status} {amount}", f"{found.status} {Money(found.amount, found.currency)}")]
    return pairs + facts(said.clauses, found, stage)


@OF_DISPUTE("answer by <when>")
def answer_by(stage: Stage, dispute: Any, when: int) -> Pair:
    return written(when), written(dispute.evidence_details.due_by)


@STEP("refund of <who> <status:word> <amount>")
def refund(stage: Stage, said: Phrase, who: str, status: str, amount: Money) -> list[Pair]:
    """The latest."""
    found = stage.v1.refunds.list({"charge": stage.charge(who), "limit": 1}).data[0]
    return [(f"{status} {amount}", f"{found.status} {Money(found.amount, found.currency)}")]


@STEP("payout <status:word> <amount>", clauses=OF_PAYOUT)
def payout(stage: Stage, said: Phrase, status: str, amount: Money) -> list[Pair]:
    """The latest."""
    found = stage.v1.payouts.list({"limit": 1}).data[0]
    pairs = [(f"{status} {amount}", f"{found.status} {Money(found.amount, found.currency)}")]
    return pairs + facts(said.clauses, found, stage)


@OF_PAYOUT("arrives <when>")
def arrives(stage: Stage, payout: Any, when: int) -> Pair:
    return written(when), written(payout.arrival_date)


@STEP("balance pending <pending:amount> available <available:amount>")
def balance(stage: Stage, said: Phrase, pending: Money, available: Money) -> list[Pair]:
    found = stage.v1.balance.retrieve()

    def of(kind: Any) -> Money:
        return Money(sum(b.amount for b in kind if b.currency == pending.currency), pending.currency)

    return [(f"{pending} and {available}", f"{of(found.pending)} and {of(found.available)}")]


# Events, books, invariants ---------------------------------------------------------------------------------------------------


@STEP("events <words>", below=MORE)
def events(stage: Stage, said: Phrase, words: list[str]) -> list[Pair]:
    """All that happened since events were told last, in order."""
    found = stage.hear()
    stage.events = []
    return [(" ".join(listed(said)), " ".join(found))]


@STEP("told beforehand of <who> <amount>")
def told_beforehand(stage: Stage, said: Phrase, who: str, amount: Money) -> list[Pair]:
    """The latest invoice.upcoming: what a renewal will bring, on an invoice that does not exist."""
    events = stage.v1.events.list({"type": "invoice.upcoming", "limit": 100}).data
    coming = next(e.data.object for e in events if e.data.object["customer"] == stage.customers[who])
    found = f"{Money(coming['total'], coming['currency'])}, {coming['billing_reason']}, {coming['status']}"
    return [(f"{amount}, upcoming, draft", found)]


@STEP("ledger <words> <amount>", clauses=ACCOUNTS, below=MORE_ACCOUNTS)
def ledger(stage: Stage, said: Phrase, words: list[str], amount: Money) -> list[Pair]:
    """Every balance that has changed since the ledger was told last, exactly; others may be told too."""
    every = [part for line in (said, *said.below) for part in (line, *line.clauses)]
    told_of = {(" ".join(p.values["words"]), p.values["amount"].currency): p.values["amount"].amount for p in every}
    now = stage.ledger()
    found = {key: now.get(key, 0) for key in told_of} | stage.changed(now)
    stage.balances = now
    return [(told(told_of), told(found))]


@ACCOUNTS("<words> <amount>")
@MORE_ACCOUNTS("<words> <amount>", clauses=ACCOUNTS)
def account(stage: Stage, said: Phrase, words: list[str], amount: Money) -> None:
    """Read by ledger."""


@STEP("the listener heard <words>", below=MORE)
def heard(stage: Stage, said: Phrase, words: list[str]) -> list[Pair]:
    """Signed deliveries since the listener was asked last, in any order: they travel each by itself."""
    wanted = sorted(listed(said))
    assert stage.listener is not None, "nobody listens"
    return [(" ".join(wanted), " ".join(stage.listener.heard(len(wanted))))]


@STEP("verify clean")
def verify(stage: Stage, said: Phrase) -> list[Pair]:
    return [("clean", "\n".join(stage.verify(stage.account)) or "clean")]


def untold(stage: Stage) -> Iterable[Pair]:
    """What happened at the end of a step, and the story does not tell."""
    if events := stage.hear():
        yield "no more events", " ".join(events)
        stage.events = []
    now = stage.ledger()
    if changed := stage.changed(now):
        yield "nothing else in the ledger", told(changed)
        stage.balances = now


