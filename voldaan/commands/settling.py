"""Settling a batch of answers in one transaction: the facts in a fixed number of queries, the rules, the invoices, one write.

Customers are locked first, in id order. What is settled already stays as it is, so an answer may come twice, late, or
from two workers at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from voldaan.commands import collection, tax_associations
from voldaan.ledger.chart import DEFERRED_REVENUE
from voldaan.ledger.payments import moved
from voldaan.processors.protocol import Outcome
from voldaan.resources.attempts import Attempt
from voldaan.resources.balance_transactions import BalanceTransaction
from voldaan.resources.base import Resource
from voldaan.resources.charges import Charge
from voldaan.resources.mandates import Mandate
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.payouts import Payout
from voldaan.resources.refunds import Refund
from voldaan.resources.setup_intents import SetupIntent
from voldaan.rules import dunning, holds, settlement
from voldaan.rules.attempts import Facts, Settled, may_settle
from voldaan.rules.decision import Decision, Refusal
from voldaan.rules.owing import CollectionFacts
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

R = TypeVar("R", bound=Resource)


async def settle(tx: Transaction, answers: Sequence[tuple[str, Outcome]]) -> Decision:
    """What the processors answered, once. `tx.attempts` holds what is to be carried out next."""
    rows = await load(tx, [id for id, _ in answers])
    live = [rows.find(Attempt, id) for id, outcome in answers if _counts(rows, id, outcome)]
    invoices = await collection.load_collection(tx, [a.invoice for a in live if a and a.invoice])
    decisions = []
    for id, outcome in answers:
        attempt = rows.find(Attempt, id)
        if attempt is None:
            continue
        settled = settlement.settle(rows.facts(tx, attempt), outcome, tx.now, tx.wall, new_id)
        decisions.append(told(settled, attempt, invoices, tx.now))
        rows.take(settled.decision)
        if given_up := _given_up(rows, attempt, invoices, tx):
            decisions.append(given_up)
            rows.take(given_up)
    whole = await write(tx, decisions)
    await tax_associations.follow(tx, whole)
    return whole


def _given_up(rows: Rows, attempt: Attempt, invoices: dict[str, CollectionFacts], tx: Transaction) -> Decision | None:
    """The payment intent of an invoice that the answer has voided is not to be paid any more."""
    facts = invoices.get(attempt.invoice or "")
    intent = rows.find(PaymentIntent, attempt.payment_intent)
    if facts is None or intent is None or facts.invoice.status != "void":
        return None
    waiting = rows.find(Attempt, intent.attempt)
    gone = holds.cancel(intent, waiting, "void_invoice", now=tx.now, wall=tx.wall, new_id=new_id)
    return None if isinstance(gone, Refusal) else gone


def _counts(rows: Rows, id: str, outcome: Outcome) -> bool:
    attempt = rows.find(Attempt, id)
    return attempt is not None and may_settle(attempt, outcome)


def told(settled: Settled, attempt: Attempt, invoices: dict[str, CollectionFacts], now: int) -> Decision:
    """The whole decision: with its postings, and with what it means for the invoice."""
    decision = settled.decision
    for movement in settled.moved:
        decision.postings += moved(movement)
    facts = invoices.get(attempt.invoice or "")
    news = settled.invoice
    if facts is None or news is None:
        return decision
    automatic = attempt.initiator == "merchant" and attempt.off_session
    counted = attempt.state == "processing"          # accepted before, and final now
    method = attempt.payment_method
    match news.what:
        case "succeeded":
            assert attempt.payment_intent is not None
            return decision.add(
                collection.payment_succeeded(
                    facts,
                    news.amount,
                    now,
                    new_id,
                    payment_intent=attempt.payment_intent,
                    payment_method=method,
                    automatic=automatic,
                    counted=counted,
                )
            )
        case "failed" if news.decline and news.decline.code == "authentication_required":
            return decision.add(
                collection.payment_requires_action(facts, now, new_id, payment_method=method, automatic=automatic)
            )
        case "failed":
            why = dunning.meaning(news.decline.code, news.decline.advice_code) if news.decline else None
            return decision.add(
                collection.payment_failed(
                    facts, why, now, new_id, payment_method=method, automatic=automatic, counted=counted
                )
            )
        case "action_required":
            return decision.add(
                collection.payment_requires_action(
                    facts, now, new_id, payment_method=method, automatic=automatic, on_session=not attempt.off_session
                )
            )
        case "processing":
            return decision.add(collection.payment_processing(facts, now, automatic=automatic))


class Rows:
    """The rows of a batch by id, each as the decisions so far have left it."""

    def __init__(self) -> None:
        self._rows: dict[tuple[type[Resource], str], Resource] = {}
        self.deferred: dict[str, int] = {}           # invoice -> what the books hold of it that is not earned yet
        self.taken: dict[str, int] = {}              # refund or dispute -> how much of that it has taken

    def put(self, resources: Iterable[Resource]) -> None:
        for resource in resources:
            self._rows[type(resource), resource.id] = resource

    def take(self, decision: Decision) -> None:
        """What a decision changes is what the next one starts from."""
        self.put(decision.inserts)
        self.put(update.new for update in decision.updates)
        for posting in decision.postings:
            self.posted(posting.invoice, posting.source, posting.debit, posting.credit, posting.amount)

    def posted(self, invoice: str | None, source: str, debit: str, credit: str, amount: int) -> None:
        """Follows what is deferred of an invoice."""
        if invoice is None or DEFERRED_REVENUE not in (debit, credit):
            return
        more = amount if credit == DEFERRED_REVENUE else -amount
        self.deferred[invoice] = self.deferred.get(invoice, 0) + more
        self.taken[source] = self.taken.get(source, 0) - more

    def find(self, cls: type[R], id: str | None) -> R | None:
        return self._rows.get((cls, id or ""))  # type: ignore[return-value]

    def all(self, cls: type[R]) -> list[R]:
        return [r for r in self._rows.values() if isinstance(r, cls)]

    def facts(self, tx: Transaction, attempt: Attempt) -> Facts:
        """What the answer to an attempt may change."""
        intent = self.find(PaymentIntent, attempt.payment_intent)
        charge = self.find(Charge, attempt.charge or (intent.latest_charge if intent else None))
        then = attempt.request.get("then")
        return Facts(
            attempt=attempt,
            account=tx.account,
            intent=intent,
            method=self.find(PaymentMethod, attempt.payment_method),
            mandate=self.find(Mandate, attempt.request.get("mandate")),
            charge=charge,
            charge_transaction=self.find(BalanceTransaction, charge.balance_transaction) if charge else None,
            authorization=self.find(Attempt, authorization_of(attempt, intent)),
            next_method=self.find(PaymentMethod, then["payment_method"]) if then else None,
            setup=self.find(SetupIntent, attempt.setup_intent),
            refund=self.find(Refund, attempt.refund),
            deferred=self.deferred.get(charge.invoice or "", 0) if charge else 0,
            refund_deferred=self.taken.get(attempt.refund or "", 0),
            payout=self.find(Payout, attempt.payout),
        )


def authorization_of(attempt: Attempt, intent: PaymentIntent | None) -> str | None:
    """The attempt that a capture takes money of, or a void gives up."""
    if attempt.flow == "void":
        return attempt.request.get("authorization")
    return intent.attempt if intent and attempt.flow == "capture" else None


async def load(tx: Transaction, ids: Sequence[str]) -> Rows:
    """The attempts, locked after their customers, with everything that their answers may change."""
    rows = Rows()
    await tx.all(query("attempts", "lock_customers"), ids=list(ids))
    rows.put((await tx.get(Attempt, ids, lock=True)).values())
    attempts = rows.all(Attempt)
    rows.put((await tx.get(PaymentIntent, [a.payment_intent for a in attempts], lock=True)).values())
    rows.put((await tx.get(SetupIntent, [a.setup_intent for a in attempts], lock=True)).values())
    intents = {i.id: i for i in rows.all(PaymentIntent)}
    latest = [intents[a.payment_intent].latest_charge for a in attempts if a.payment_intent in intents]
    rows.put((await tx.get(Charge, [*(a.charge for a in attempts), *latest], lock=True)).values())
    rows.put((await tx.get(Refund, [a.refund for a in attempts], lock=True)).values())
    rows.put((await tx.get(Payout, [a.payout for a in attempts], lock=True)).values())
    methods = [a.payment_method for a in attempts]
    following = [a.request["then"]["payment_method"] for a in attempts if "then" in a.request]
    rows.put((await tx.get(PaymentMethod, [*methods, *following])).values())
    refunded = {a.charge for a in attempts if a.flow == "refund"}
    charges = [c for c in rows.all(Charge) if c.id in refunded]
    rows.put((await tx.get(BalanceTransaction, [c.balance_transaction for c in charges])).values())
    await load_deferred(tx, rows, charges)
    earlier = [authorization_of(a, intents.get(a.payment_intent or "")) for a in attempts]
    rows.put((await tx.get(Attempt, [id for id in earlier if rows.find(Attempt, id) is None], lock=True)).values())
    return rows


async def load_deferred(tx: Transaction, rows: Rows, charges: Sequence[Charge]) -> None:
    """What the books hold of these charges' invoices that is not earned yet, and who has taken how much of it."""
    invoices = sorted({c.invoice for c in charges if c.invoice})
    if not invoices:
        return
    for invoice, source, debit, credit, amount in await tx.all(query("attempts", "deferred"), invoices=invoices):
        rows.posted(invoice, source, debit, credit, amount)
