"""What is held against each other when a campaign is over: what the network took, what we say, who was to pay."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

# The far side: every payment that the network took, by invoice; several, and somebody was charged twice.
TAKEN = """
select a.invoice_id, count(*), sum(o.amount)
  from sandbox_network.operations o join attempts a on a.account_id = o.account_id and a.id = o.reference
 where o.account_id = %(account)s and o.flow = 'authorize' and o.state = 'succeeded'
 group by a.invoice_id
"""
NOBODYS = """
select o.reference from sandbox_network.operations o
 where o.account_id = %(account)s and not exists (select from attempts a where a.account_id = o.account_id and a.id = o.reference)
"""
BILLED = """
select s.id,
       (select count(*) from subscription_items i
          join billed_periods b on b.account_id = i.account_id and b.subscription_item_id = i.id
         where i.account_id = s.account_id and i.subscription_id = s.id),
       array(select i.id from invoices i where i.account_id = s.account_id and i.subscription_id = s.id),
       array(select i.id from invoices i where i.account_id = s.account_id and i.subscription_id = s.id and i.status = 'paid'
                                           and i.amount_paid = i.amount_due and i.amount_paid = i.total),
       s.status
  from subscriptions s where s.account_id = %(account)s
"""
ATTEMPTS = """
select count(*) filter (where state in ('dispatched', 'unknown', 'processing', 'needs_reconciliation')),
       count(*) filter (where tries > 1), coalesce(sum(tries - 1) filter (where tries > 1), 0)
  from attempts where account_id = %(account)s
"""
PARKED = "select count(*) from due where account_id = %(account)s and parked_at is not null"


@dataclass(frozen=True, slots=True)
class Findings:
    """`charged_twice` invoices, subscriptions `missed` (not renewed once, not paid once), and what is left hanging."""

    charged_twice: list[str]
    missed: list[str]
    nobodys: list[str]         # payments at the network that no attempt of ours asked for
    unresolved: int            # attempts whose outcome is not known
    parked: int
    asked_again: int           # attempts whose outcome was not known at first
    questions: int             # how often that was asked for

    @property
    def clean(self) -> bool:
        return not (self.charged_twice or self.missed or self.nobodys or self.unresolved or self.parked)


def look(dsn: str, account: str) -> Findings:
    """Compares the books of both sides."""
    asked = {"account": account}
    with psycopg.connect(dsn) as connection:
        taken = {row[0]: row[1] for row in connection.execute(TAKEN, asked)}
        unresolved, again, questions = connection.execute(ATTEMPTS, asked).fetchone() or (0, 0, 0)
        missed = [
            id for id, periods, invoices, paid, status in connection.execute(BILLED, asked)
            if (periods, len(invoices), len(paid), status) != (1, 1, 1, "active") or invoices[0] not in taken
        ]  # fmt: skip
        return Findings(
            charged_twice=sorted(invoice for invoice, times in taken.items() if times > 1),
            missed=missed,
            nobodys=[row[0] for row in connection.execute(NOBODYS, asked)],
            unresolved=unresolved,
            parked=(connection.execute(PARKED, asked).fetchone() or (0,))[0],
            asked_again=again,
            questions=int(questions),
        )
