"""All invariants as SQL that returns offenders, and our attempts held against the processors' own books.

Run after every campaign, every story, every demo; nightly; before and after every upgrade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from voldaan.ledger.chart import CHART
from voldaan.processors.protocol import Flow, Processor, Record, Reporting
from voldaan.store.pool import Connection, Pool
from voldaan.store.queries import shelf

FINDINGS_MAX = 100  # per invariant: the first ones tell the story
USAGE_DAYS = 3      # how far back usage is looked at where nobody asks for all of it: a nightly check may fail twice

# How an end that moved money is called there, and what here is no end yet.
MOVED = {"succeeded"}
WAITING = {"authorized", "processing"}
MONEY = {Flow.AUTHORIZE, Flow.CAPTURE, Flow.REFUND, Flow.PAYOUT}
P5 = "P5_attempts_are_the_processors_records"


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks an invariant."""

    invariant: str
    account: str
    id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`checked` are the invariants that were run, in order; events of usage those that came since `usage_since`, 0: all."""

    checked: list[str]
    findings: list[Finding]
    usage_since: int = 0

    @property
    def clean(self) -> bool:
        return not self.findings


async def verify(
    pool: Pool,
    now: int,
    *,
    account: str | None = None,
    processors: Callable[[str], Processor] | None = None,
    usage_since: int = 0,
) -> Verdict:
    """Runs every invariant over one account or all. With `processors`, also P5: our attempts against their records.

    Of usage, whose events are kept for ever, with `usage_since` (epoch seconds) only what came since: what was added up
    before has been looked at before.
    """
    checked: list[str] = []
    findings: list[Finding] = []
    async with pool.connection() as connection:
        for name, sql in shelf("verify").items():
            given = {"only": account, "chart": list(CHART), "now": now, "usage_since": usage_since}
            cursor = await connection.execute(sql, given)
            rows = await cursor.fetchmany(FINDINGS_MAX)
            checked.append(name)
            findings += [Finding(name, *map(str, row)) for row in rows]
        if processors:
            checked.append(P5)
            findings += await _against_processors(connection, account, processors, now)
    return Verdict(checked, findings, usage_since)


OURS = """
select a.id, a.processor, a.state, a.amount, a.currency, a.flow
  from attempts a
  left join refunds r on r.account_id = a.account_id and r.id = a.refund_id
  left join payouts p on p.account_id = a.account_id and p.id = a.payout_id
 where a.account_id = %(account)s and a.flow in ('authorize', 'capture', 'refund', 'payout')
   and coalesce(r.status, p.status, '') <> 'failed'  -- came back later, here and there
"""

# The latest instant that the account has come to, by the wall clock or one of its test clocks.
LATEST = """
select extract(epoch from greatest(max(frozen_at), to_timestamp(%(now)s)))::bigint from test_clocks where account_id = %(account)s
"""


async def _against_processors(
    connection: Connection, only: str | None, processors: Callable[[str], Processor], now: int
) -> list[Finding]:
    """Money that moved there and not here, or here and not there; and what moved twice under one reference.

    A hold is no movement until it is captured, and what is under way is asked for when it is due.
    """
    cursor = await connection.execute("select distinct account_id, processor from attempts order by 1, 2")
    findings: list[Finding] = []
    for account, name in await cursor.fetchall():
        processor = processors(name)
        if (only and account != only) or not isinstance(processor, Reporting):
            continue
        rows = [row for row in await (await connection.execute(OURS, {"account": account})).fetchall() if row[1] == name]
        ours = {(row[0], Flow(row[5])): row for row in rows if row[2] == "succeeded"}
        (latest,) = await (await connection.execute(LATEST, {"account": account, "now": now})).fetchone() or (now,)
        theirs: dict[tuple[str, Flow], list[Record]] = {}
        for record in await processor.records(account, latest):
            if record.status in MOVED and record.flow in MONEY:
                theirs.setdefault((record.reference, record.flow), []).append(record)
        for row in rows:
            if row[2] in WAITING and len(theirs.get((row[0], Flow(row[5])), ())) == 1:
                del theirs[row[0], Flow(row[5])]
        findings += [Finding(P5, account, key[0], said) for key, said in _differences(name, ours, theirs)][:FINDINGS_MAX]
    return findings


def _differences(
    name: str, ours: dict[tuple[str, Flow], Any], theirs: dict[tuple[str, Flow], list[Record]]
) -> Iterator[tuple[tuple[str, Flow], str]]:
    for key, records in sorted(theirs.items()):
        mine, first = ours.get(key), records[0]
        if len(records) > 1:
            yield key, f"{name} moved {first.amount} {len(records)} times"
        if mine is None:
            yield key, f"{name} moved {first.amount}, we did not"
        elif (mine[3], mine[4]) != (first.amount, first.currency):
            yield key, f"we say {mine[3]} {mine[4]}, {name} {first.amount} {first.currency}"
    for key in sorted(ours.keys() - theirs.keys()):
        yield key, f"we moved {ours[key][3]}, {name} did not"
