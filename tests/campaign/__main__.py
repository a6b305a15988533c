"""`make campaign`: crashes and lost answers, many times over; and the same once more where they must do harm.

    make campaign ARGS="--subscriptions 2000 --kills 40"

Prints a summary for people, then the figures as JSON. Ends with 1 if anybody was charged twice or missed, if an invariant
is broken, or if the negative control did not find that a network without keys charges twice. Then the same for usage, with
PostgreSQL itself killed (tests/campaign/usage.py). `--chance` begins with all of the cases that tests/rules draws by chance;
`--journeys 200` with that many customers who do everything that billing offers (tests/campaign/journeys.py).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests.campaign import chance as chances
from tests.campaign import journey_run, usage
from tests.campaign.campaign import Outcome, Plan, run
from tests.campaign.usage import UsagePlan
from voldaan.store.embedded import start


@click.command()
@click.option("--subscriptions", default=20_000, show_default=True, help="How many renew.")
@click.option("--kills", default=200, show_default=True, help="Workers that are killed with SIGKILL.")
@click.option("--workers", default=2, show_default=True)
@click.option("--seed", default=7, show_default=True, help="Of the deaths and of what the network loses.")
@click.option("--control-subscriptions", default=2_000, show_default=True, help="Of the negative control; 0 leaves it out.")
@click.option("--control-kills", default=50, show_default=True)
@click.option("--usage-kills", default=20, show_default=True, help="PostgreSQL killed while usage comes in; 0 leaves it out.")
@click.option("--chance", is_flag=True, help="First all of the long runs of chance; many minutes.")
@click.option("--journeys", default=0, show_default=True, help="First this many journeys of chance; five seconds each.")
def main(
    subscriptions: int, kills: int, workers: int, seed: int, control_subscriptions: int, control_kills: int, usage_kills: int,
    chance: bool, journeys: int,
) -> None:
    """Renew subscriptions under crashes and lost answers, and hold the books of both sides against each other."""
    drawn = [chances.run()] if chance else []
    for each in drawn:
        click.echo(chances.told(each))
    plans = [Plan(subscriptions, kills, workers, seed)]
    if control_subscriptions:
        plans.append(Plan(control_subscriptions, control_kills, workers, seed, keys=False))
    with server() as dsn:
        travelled = [journey_run.many(dsn, range(seed, seed + journeys))] if journeys else []
        for journey in (journey for each in travelled for journey in each.broken):
            click.echo(journey_run.told(journey))
        outcomes = []
        for plan in plans:
            outcomes.append(run(dsn, plan))
            click.echo(told(outcomes[-1]))
    used = []
    for usage_plan in [UsagePlan(usage_kills, seed=seed), UsagePlan(2, seed=seed, keys=False)] if usage_kills else []:
        used.append(usage.run(usage_plan))
        click.echo(usage.told(used[-1]))
    click.echo(json.dumps([outcome.figures() for outcome in (*travelled, *outcomes, *used, *drawn)], indent=2))
    counted = all(o.safe if o.plan.keys else bool(o.doubled) for o in used)
    well = all(each.passed for each in (*drawn, *travelled))
    sys.exit(0 if passed(outcomes) and counted and well else 1)


def passed(outcomes: list[Outcome]) -> bool:
    """The campaign was safe, and the control was not."""
    return all(o.safe if o.plan.keys else bool(o.findings.charged_twice) for o in outcomes)


def told(outcome: Outcome) -> str:
    """A summary for people."""
    plan, found = outcome.plan, outcome.findings
    title = "Campaign" if plan.keys else "Negative control: the network forgets keys and references"
    lost, points = sum(plan.lost), [f"{count:5} {name}" for name, count in outcome.kills.items() if count]
    lines = [
        f"{title}: {plan.subscriptions} subscriptions, {plan.workers} workers, {lost} % lost, {outcome.seconds:.0f} s",
        f"  {sum(outcome.kills.values())} of {plan.kills} killed:",
        *(f"  {point}" for point in points),
        f"  {len(found.charged_twice)} charged twice, {len(found.missed)} missed",
        f"  {found.unresolved} unresolved, {found.parked} parked",
        f"  {found.asked_again} attempts without an answer at first, asked about {found.questions} times",
        f"  {len(outcome.verdict.checked)} invariants checked, {len(outcome.verdict.findings)} breaches",
    ]
    lines += [f"    {f.invariant} {f.id}: {f.detail}" for f in outcome.verdict.findings[:10]]
    lines += [f"    accident: {accident}" for accident in outcome.accidents[:5]]
    if plan.keys:
        lines.append("  safe" if outcome.safe else "  NOT SAFE")
    else:
        lines.append("  not safe, as it must be" if found.charged_twice else "  THE CONTROL PROVED NOTHING")
    return "\n".join(lines)


@contextmanager
def server() -> Iterator[str]:
    """DATABASE_URL's server, or an embedded one in a folder of its own."""
    if dsn := os.environ.get("DATABASE_URL"):
        yield dsn
        return
    folder = Path(tempfile.mkdtemp(prefix="voldaan-campaign-"))
    folder.chmod(0o755)  # PostgreSQL runs as another account when this runs as root
    running = start(folder / "data")
    try:
        yield running.dsn
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
