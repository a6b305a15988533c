"""The overview in one currency, ready for its template: figures chosen, charts drawn, words found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from voldaan.ledger import chart as accounts
from voldaan.reports.mrr import Recurring
from voldaan.reports.overview import Overview
from voldaan.reports.payments import Payments, Tally
from voldaan.reports.receivables import Receivables
from voldaan.reports.recurring import GAINS, KINDS
from voldaan.reports.revenue import Ledger
from voldaan.web import charts, wording
from voldaan.web.amounts import change, compact, money, month, month_year, number, share, signed, words
from voldaan.web.charts import Chart, Series

STATUS_CSS = {
    "active": "c-good", "trialing": "c-accent", "past_due": "c-warn", "unpaid": "c-bad", "incomplete": "c-warn-soft",
    "paused": "c-quiet", "canceled": "c-quiet-soft", "incomplete_expired": "c-quiet-soft",
}  # fmt: skip
CASH = (
    ("available", "Available", "c-good", accounts.PROCESSOR_AVAILABLE),
    ("pending", "Pending", "c-accent-soft", accounts.PROCESSOR_PENDING),
    ("in-transit", "On its way to the bank", "c-accent", accounts.PAYOUTS_IN_TRANSIT),
    ("bank", "In the bank", "c-quiet", accounts.BANK),
    ("external", "Received otherwise", "c-quiet-soft", accounts.EXTERNAL_CASH),
)
AGING_CSS = ("c-accent-soft", "c-warn-soft", "c-warn", "c-bad-soft", "c-bad")
PAYOUT_TONE = {"paid": "good", "in_transit": "info", "pending": "", "failed": "bad", "canceled": ""}
CODES_MAX = 5


@dataclass(frozen=True, slots=True)
class Kpi:
    """One of the figures on top."""

    id: str
    name: str
    figure: str
    note: str
    change: str = ""
    tone: str = ""
    spark: Markup | None = None


@dataclass(frozen=True, slots=True)
class DueRow:
    name: str
    count: int
    next: int | None
    parked: int
    error: str | None
    real_time: bool


class View:
    """What the template names; everything is in one currency and in minor units until it is written."""

    def __init__(
        self, overview: Overview, currency: str, *, default: str, address: str, verdict: Any, read_all: bool
    ) -> None:
        self.currency = currency
        self.address = address
        self.verdict = verdict
        self.read_all = read_all
        self.clock = overview.clock
        self.day = overview.clock.now // 86_400 * 86_400  # the page is the same until something has happened
        self.currencies = overview.currencies or [default]
        self.customers = overview.customers
        self.fresh = not (overview.customers.count or overview.ledgers or overview.subscriptions)
        self.ledger = overview.ledgers.get(currency, Ledger())
        self.recurring = overview.recurring.get(currency, Recurring())
        self.receivables = overview.receivables.get(currency, Receivables())
        self.tries = overview.payments.get(currency, Payments([]))
        self.months = overview.revenue.get(currency, [])
        self.next_payout = overview.next_payouts.get(currency)
        self.payouts = [(p, PAYOUT_TONE.get(p.status, "")) for p in overview.payouts.get(currency, [])]
        self.subscriptions = overview.subscriptions.get(currency, {})
        self.due = [
            DueRow(wording.due_name(d.kind), d.count, d.next, d.parked, d.error, self.clock.on_clock and not d.on_clock)
            for d in overview.due
        ]
        self.latest = wording.lines(overview.latest)

    def money(self, amount: int) -> str:
        return money(amount, self.currency)

    def short(self, amount: int) -> str:
        return compact(amount, self.currency)

    # ── key figures ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def kpis(self) -> list[Kpi]:
        return [self._mrr_kpi(), self._cash_kpi(), self._receivables_kpi(), self._revenue_kpi(), self._payments_kpi()]

    def _mrr_kpi(self) -> Kpi:
        before = self.recurring.recent.start
        ends = [m.end for m in self.recurring.months]
        subscribers = self.recurring.subscribers
        note = f"{number(subscribers)} {'subscriber' if subscribers == 1 else 'subscribers'}"
        moved = f"{change(self.recurring.amount, before)} in 30 days" if before else ""
        tone = "good" if self.recurring.amount > before else "bad" if self.recurring.amount < before else ""
        spark = charts.sparkline("Monthly recurring revenue over twelve months", ends, "c-accent")
        return Kpi("mrr", "Recurring revenue", self.money(self.recurring.amount), note, moved, tone, spark)

    def _cash_kpi(self) -> Kpi:
        available = self.ledger.balance(accounts.PROCESSOR_AVAILABLE)
        bar = charts.shares("Cash by where it is", self._cash_parts(), height=6)
        return Kpi("cash", "Cash", self.money(self.cash), f"{self.money(available)} available to pay out", spark=bar)

    def _receivables_kpi(self) -> Kpi:
        late, open_ = self.receivables.overdue, self.receivables.count
        note = f"{number(open_)} open {'invoice' if open_ == 1 else 'invoices'}"
        return Kpi(
            "receivables", "Receivables", self.money(self.receivables.amount), note,
            f"{self.money(late)} overdue" if late else "", "bad" if late else "",
            charts.shares("Open invoices by how late they are", self._aging_parts(), height=6),
        )  # fmt: skip

    def _revenue_kpi(self) -> Kpi:
        whole = [m for m in self.months if m.ended]
        earned, before = (whole[-1].net, whole[-2].net) if whole else (0, 0)
        name = f"Earned in {month(whole[-1].month)}" if whole else "Earned"
        tone = "good" if earned > before else "bad" if earned < before else ""
        spark = charts.sparkline("Revenue over the last months", [m.net for m in whole], "c-good")
        note = f"{self.money(self.ledger.balance(accounts.DEFERRED_REVENUE))} deferred"
        moved = change(earned, before) if before > 0 else ""
        return Kpi("revenue", name, self.money(earned), note, moved, tone, spark)

    def _payments_kpi(self) -> Kpi:
        tries = self.tries
        note = f"last 90 days · {number(tries.declined.count)} of {number(tries.answered)} declined"
        parts = [("Succeeded", "c-good", tries.succeeded.count), ("Declined", "c-bad", tries.declined.count)]
        bar = charts.shares("Tries that succeeded and tries that were declined", parts, height=6)
        return Kpi("payments", "Payment success", share(tries.succeeded.count, tries.answered), note, spark=bar)

    # ── recurring revenue ───────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def mrr_moves(self) -> Chart | None:
        months = self.recurring.months
        if not any(m.moved or m.end for m in months):
            return None
        series = [
            Series("New", "c-accent", [m.amount("new") for m in months]),
            Series("Reactivation", "c-teal", [m.amount("reactivation") for m in months]),
            Series("Expansion", "c-accent-soft", [m.amount("expansion") for m in months]),
            Series("Contraction", "c-warn", [-m.amount("contraction") for m in months]),
            Series("Churn", "c-bad", [-m.amount("churn") for m in months]),
        ]
        return charts.stacked_bars(
            "mrr-moves", "Movement of monthly recurring revenue", [month(m.name) for m in months], series,
            lambda a: signed(a, self.currency), self.short, height=132, total="Net",
            long_labels=[month_year(m.name) for m in months],
        )  # fmt: skip

    @cached_property
    def mrr_stand(self) -> Chart:
        months = self.recurring.months
        line = Series("At the month's end", "c-accent", [m.end for m in months])
        return charts.area(
            "mrr-stand", "Monthly recurring revenue at the end of each month", [month(m.name) for m in months], line,
            self.money, self.short, height=152, long_labels=[month_year(m.name) for m in months],
        )  # fmt: skip

    @property
    def mrr_bridge(self) -> list[tuple[str, str, str]]:
        """The last thirty days from their start to now."""
        recent = self.recurring.recent
        rows = [("30 days ago", self.money(recent.start), "")]
        for kind in KINDS:
            amount = recent.amount(kind)
            tone = "muted" if not amount else "good" if kind in GAINS else "bad"
            rows.append((words(kind), signed(amount if kind in GAINS else -amount, self.currency), tone))
        return [*rows, ("Now", self.money(recent.end), "strong")]

    # ── revenue ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def revenue(self) -> Chart | None:
        if not any(m.gross or m.reversed or m.deferred for m in self.months):
            return None
        return charts.bars_and_line(
            "revenue", "Revenue earned, and what is deferred", [month(m.month) for m in self.months],
            Series("Earned", "c-good", [m.net for m in self.months]),
            Series("Deferred at the end", "c-accent", [m.deferred for m in self.months]),
            self.money, self.short, long_labels=[month_year(m.month) for m in self.months],
        )  # fmt: skip

    @property
    def revenue_bridge(self) -> list[tuple[str, str, str]]:
        """The last whole month, the year, and what is still to come."""
        whole = [m for m in self.months if m.ended][-1]
        return [
            (f"Recognised in {month(whole.month)}", self.money(whole.gross), ""),
            ("Refunds, disputes, credits", self.money(-whole.reversed), "bad" if whole.reversed else "muted"),
            (f"Earned in {month(whole.month)}", self.money(whole.net), "strong"),
            ("In twelve months", self.money(sum(m.net for m in self.months)), ""),
            ("Deferred now", self.money(self.ledger.balance(accounts.DEFERRED_REVENUE)), ""),
        ]

    # ── payments ────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def payments_chart(self) -> Chart | None:
        months = self.tries.months
        if not any(m.succeeded.count or m.declined.count for m in months):
            return None
        series = [
            Series("Succeeded", "c-good", [m.succeeded.amount for m in months]),
            Series("Declined tries", "c-bad", [-m.declined.amount for m in months]),
        ]
        return charts.stacked_bars(
            "payments", "Payments by month", [month(m.month) for m in months], series, self.money, self.short,
            height=132, long_labels=[month_year(m.month) for m in months],
        )  # fmt: skip

    @property
    def failed(self) -> Tally:
        return self.tries.failed_first

    @property
    def recovery(self) -> list[tuple[str, str, Tally]]:
        return [
            ("Recovered", "c-good", self.tries.recovered),
            ("Still tried", "c-warn", self.tries.retrying),
            ("Lost", "c-bad", self.tries.lost),
        ]

    @property
    def recovery_bar(self) -> Markup:
        parts = [(f"{name} {self.money(t.amount)}", css, t.amount) for name, css, t in self.recovery]
        return charts.shares("What became of payments that failed at first", parts)

    @property
    def codes(self) -> list[tuple[str, Tally, Markup]]:
        top = self.tries.top_codes
        most = max((t.count for _, t in top), default=1)
        rest = Tally(sum(t.count for _, t in top[CODES_MAX:]), sum(t.amount for _, t in top[CODES_MAX:]))
        shown = [*top[:CODES_MAX], *([("other codes", rest)] if rest.count else [])]
        return [(code, tally, charts.meter(min(tally.count, most), most)) for code, tally in shown]

    # ── cash, receivables, subscriptions ────────────────────────────────────────────────────────────────────────────

    @property
    def cash(self) -> int:
        return self.ledger.cash

    @property
    def cash_rows(self) -> list[tuple[str, str, str, int]]:
        rows = [(id, name, css, self.ledger.balance(account)) for id, name, css, account in CASH]
        return [row for row in rows if row[3] or row[0] != "external"]

    def _cash_parts(self) -> list[tuple[str, str, int]]:
        return [(f"{name} {self.money(amount)}", css, amount) for _, name, css, amount in self.cash_rows]

    @property
    def cash_bar(self) -> Markup:
        return charts.shares("Cash by where it is", self._cash_parts())

    @property
    def aging(self) -> list[tuple[Any, str]]:
        return list(zip(self.receivables.buckets, AGING_CSS, strict=True))

    def _aging_parts(self) -> list[tuple[str, str, int]]:
        return [(f"{bucket.name} {self.money(bucket.amount)}", css, bucket.amount) for bucket, css in self.aging]

    @property
    def aging_bar(self) -> Markup:
        return charts.shares("Open invoices by how late they are", self._aging_parts())

    @property
    def dso(self) -> str | None:
        tenths = self.receivables.days_sales_outstanding
        return None if tenths is None else f"{tenths // 10}.{tenths % 10} days"

    @property
    def statuses(self) -> list[tuple[str, str, int]]:
        order = {status: place for place, status in enumerate(STATUS_CSS)}
        found = sorted(self.subscriptions.items(), key=lambda s: order.get(s[0], len(order)))
        return [(status, STATUS_CSS.get(status, "c-quiet"), count) for status, count in found]

    @property
    def status_bar(self) -> Markup:
        return charts.shares("Subscriptions by status", [(s, css, count) for s, css, count in self.statuses])

    # ── the ledger ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def trial(self) -> list[tuple[str, int, int]]:
        """The trial balance: each account on the side where it stands."""
        rows = [(a.name, a.debits - a.credits) for a in self.ledger.accounts]
        return [(name, max(signed_, 0), max(-signed_, 0)) for name, signed_ in rows if signed_]

    @property
    def trial_debits(self) -> int:
        return sum(debit for _, debit, _ in self.trial)

    @property
    def trial_credits(self) -> int:
        return sum(credit for _, _, credit in self.trial)

