"""The course of the months: an agenda of what customers do, and what the business's news makes them do."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime

import stripe

from voldaan.demo.business import Business, Member
from voldaan.demo.cast import DAY, Customer, cast

STEP_DAYS = 3            # people act on every third day: fewer, larger steps of the clock
MORNING = 9 * 3600
GRACE_DAYS = 75          # after which an unpaid transfer is written off

Progress = Callable[[int, str], None]  # month that is being lived, what happens


class Year:
    """Lives the months of a demo."""

    def __init__(self, business: Business, start: int, months: int, customers: int, seed: int) -> None:
        self.business = business
        self.start = start
        self.ends = [_month_later(start, n) for n in range(1, months + 1)]
        days = (self.ends[-1] - start) // DAY
        self.agenda: list[tuple[int, int, str, Callable[[], None]]] = []
        self.seen: str | None = None
        self.disputes = 0
        self._planned = 0
        for story in cast(seed, customers, days):
            self.plan(story.joins, f"{story.name} joins", self.joining(story))

    def live(self, progress: Progress) -> None:
        """Step by step: time passes, people act, the business reads its news."""
        day, last = 0, (self.ends[-1] - self.start) // DAY
        while day < last:
            day = min(last, day + STEP_DAYS) if self.agenda else last
            month = sum(end <= self.start + day * DAY for end in self.ends)
            at = self.ends[-1] if day == last else self.start + day * DAY + MORNING
            progress(month, datetime.fromtimestamp(at, UTC).strftime("%-d %B %Y"))
            self.business.advance(at)
            self.react(day)
            while self.agenda and self.agenda[0][0] <= day:
                _, _, _, act = heapq.heappop(self.agenda)
                act()

    def plan(self, day: int, what: str, act: Callable[[], None]) -> None:
        self._planned += 1  # keeps what is planned for one day in the order of planning
        heapq.heappush(self.agenda, (day, self._planned, what, act))

    def joining(self, story: Customer) -> Callable[[], None]:
        def join() -> None:
            before = set(self.business.members)
            self.business.join(story)
            (id,) = set(self.business.members) - before
            member = self.business.members[id]
            if story.card_expires:
                self.plan(story.card_expires, "expiry", lambda: self.business.use_card(id, "pm_card_chargeCustomerFail"))
            if story.upgrades:
                self.plan(story.upgrades, "upgrade", lambda: self.business.upgrade(member))
            if story.cancels:
                self.plan(story.cancels, "leave", lambda: self.business.leave(member))
            if story.asks_refund:
                self.plan(story.asks_refund, "refund", lambda: self.business.refund(member))

        return join

    def react(self, day: int) -> None:
        """What people do about the news."""
        for event in self.business.news(self.seen):
            self.seen = event.id
            self.about(event, day)

    def about(self, event: stripe.Event, day: int) -> None:
        subject = event.data.object
        if event.type == "charge.dispute.created":
            self.disputes += 1
            number, dispute = self.disputes, subject["id"]
            self.plan(day + 6, "dispute", lambda: self.business.answer_dispute(dispute, number))
            return
        member = self.business.members.get(subject["customer"])
        if member is None:
            return
        if event.type == "customer.subscription.deleted":
            member.ended = True
        elif event.type == "invoice.payment_failed":
            self.failed(member, subject["attempt_count"], day)
        elif event.type == "invoice.finalized" and subject["collection_method"] == "send_invoice" and subject["amount_due"]:
            self.invoiced(member, subject["id"], day)

    def failed(self, member: Member, attempt: int, day: int) -> None:
        """Most people take another card after the first notice; some never read it."""
        if attempt == 1 and member.story.updates_card_after is not None:
            self.plan(
                day + member.story.updates_card_after, "new card", lambda: self.business.use_card(member.id, "pm_card_visa")
            )

    def invoiced(self, member: Member, invoice: str, day: int) -> None:
        if member.story.never_pays:
            self.plan(day + GRACE_DAYS, "write off", lambda: self.business.write_off(invoice))
        else:
            self.plan(day + member.story.transfer_days, "transfer", lambda: self.business.transfer(invoice))


def _month_later(start: int, months: int) -> int:
    """The same day and hour, some months later; `start` is the first of a month."""
    first = datetime.fromtimestamp(start, UTC)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return int(first.replace(year=year, month=month + 1).timestamp())
