"""The command line."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Coroutine
from typing import Any

import click

from voldaan import starting
from voldaan.settings import VERSION, SettingError, Settings

PORT = click.IntRange(1, 65_535)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)


def ready_database() -> str:
    """The dsn of a database that runs and whose schema is the present one."""
    from voldaan.store.embedded import database_dsn
    from voldaan.store.migrate import migrate

    with starting.reaching_the_database():
        dsn = database_dsn()
        done = run(migrate(dsn))
    if done:
        click.echo(f"The schema is up to date: {done[0]}{f' to {done[-1]}' if len(done) > 1 else ''}", err=True)
    return dsn


def settings_of(port: int | None = None, host: str | None = None) -> Settings:
    """From the environment, with what the command line gave."""
    try:
        return Settings.read(port, host)
    except SettingError as error:
        raise click.ClickException(str(error)) from error


@click.group()
@click.version_option(VERSION)
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
def main(verbose: bool) -> None:
    """Voldaan: billing and payments as one system on one PostgreSQL database."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


@main.command()
@click.option("--port", type=PORT, help="Port of the API and the pages (default 8787, or VOLDAAN_PORT).")
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--no-worker", is_flag=True, help="Leave due work to `voldaan work` processes.")
def serve(port: int | None, host: str | None, no_worker: bool) -> None:
    """Serve the API and the pages, with a worker."""
    from voldaan.serve import serve as serve_forever

    settings = settings_of(port, host)
    starting.check_port(settings.host, settings.port)
    os.environ.setdefault("VOLDAAN_PUBLIC_URL", settings.public_url)  # a port given here is part of every address we hand out
    dsn = ready_database()
    run(serve_forever(dsn, settings, worker=not no_worker, embedded="DATABASE_URL" not in os.environ))


@main.command()
def work() -> None:
    """Run one more worker. Start as many as there are cores."""
    from voldaan.work.process import work as work_forever

    settings = settings_of()
    run(work_forever(ready_database(), settings))


@main.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    ready_database()
    click.echo("The schema is up to date.")


@main.group()
def accounts() -> None:
    """Accounts: one book each."""


@accounts.command("create")
@click.option("--name", help="The business's name.")
@click.option("--country", default="NL", show_default=True, callback=starting.country, help="Where it is: two letters.")
@click.option(
    "--currency", default="eur", show_default=True, callback=starting.currency, help="Of its payouts and reports: three letters."
)
@click.option("--live", is_flag=True, help="A live book instead of a sandbox.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def accounts_create(name: str | None, country: str, currency: str, live: bool, as_json: bool) -> None:
    """Make an account and show its keys, this once."""
    from voldaan.runtime import running
    from voldaan.store import accounts as store
    from voldaan.web.sign_in import first_run_link

    async def make() -> tuple[store.NewAccount, str]:
        async with running(dsn, settings) as engine:
            new = await store.create(
                engine.pool, engine.wall(), livemode=live, business_name=name, country=country, default_currency=currency,
            )  # fmt: skip
            return new, await first_run_link(engine, new.account.id, settings)

    settings, dsn = settings_of(), ready_database()
    made, link = run(make())
    facts = {"account": made.account.id, "secret_key": made.secret_key, "publishable_key": made.publishable_key}
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo("\n".join(f"{fact:16} {value}" for fact, value in facts.items()))
    click.echo(f"{'overview':16} {link}")


@accounts.command("link")
@click.argument("account")
def accounts_link(account: str) -> None:
    """Show a new link that signs in to the overview page of ACCOUNT; it holds for a day."""
    from voldaan.runtime import running
    from voldaan.web.sign_in import first_run_link

    async def make() -> str:
        async with running(dsn, settings) as engine:
            known = await starting.known_account(engine.pool, account)
            return await first_run_link(engine, known.id, settings)

    settings, dsn = settings_of(), ready_database()
    click.echo(run(make()))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Look at the environment: PostgreSQL, its settings, the disk, the clock."""
    from voldaan.store.doctor import examine
    from voldaan.store.embedded import database_dsn

    with starting.reaching_the_database():
        findings = run(examine(database_dsn()))
    if as_json:
        click.echo(json.dumps([{"code": f.code, "severity": f.severity, "message": f.message, "fix": f.fix} for f in findings]))
    for finding in [] if as_json else findings:
        click.echo(f"{finding.severity:8} {finding.code}: {finding.message}")
        if finding.fix:
            click.echo(f"         {finding.fix}")
    sys.exit(1 if any(f.severity == "error" for f in findings) else 0)


@main.group()
def bench() -> None:
    """Measure, and print the figures as JSON."""


@bench.command("billing-run")
@click.option("--subscriptions", default=20_000, show_default=True, help="How many are renewed and invoiced.")
@click.option("--workers", default=2, show_default=True, help="Worker processes: one per core.")
@click.option("--warm-up", default=4_000, show_default=True, help="How many others the workers bill first, not counted.")
@click.option("--collect", is_flag=True, help="Have the sandbox network charge them, and settle it.")
@click.option("--drafts", is_flag=True, help="Write drafts, and finalize them in a second step.")
@click.option("--mix", "mixed", is_flag=True, help="30 % metered, 20 % by tiers, 20 % with a coupon, 50 % taxed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as it does anyway.")
def bench_billing_run(
    subscriptions: int, workers: int, warm_up: int, collect: bool, drafts: bool, mixed: bool, as_json: bool
) -> None:
    """Renewals to finalized invoices, up to the committed attempt."""
    from voldaan.bench.billing_run import bench as measure

    dsn = ready_database()
    figures = run(
        measure(
            dsn, subscriptions=subscriptions, workers=workers, warm_up=warm_up, collect=collect, drafts=drafts, mixed=mixed
        )
    )
    click.echo(json.dumps(figures, indent=2))


@bench.command("api")
@click.option("--clients", default=32, show_default=True, help="Connections, each with one request under way.")
@click.option("--seconds", default=10, show_default=True, help="For creates, and again for reads.")
@click.option("--port", default=8797, show_default=True, type=PORT, help="Port of the server that is started for it.")
def bench_api(clients: int, seconds: int, port: int) -> None:
    """Creates and reads over HTTP."""
    from voldaan.bench.api import bench as measure

    click.echo(json.dumps(run(measure(ready_database(), clients=clients, seconds=seconds, port=port)), indent=2))


@bench.command("pdf")
@click.option("--invoices", default=200, show_default=True, help="How many are set.")
@click.option("--lines", default=10, show_default=True, help="Of each.")
def bench_pdf(invoices: int, lines: int) -> None:
    """Invoices on paper: processor time each."""
    from voldaan.bench.pdf import bench as measure

    click.echo(json.dumps(measure(invoices, lines), indent=2))


@bench.command("usage")
@click.option("--events", default=100, show_default=True, type=click.IntRange(1, 10_000), help="In one call.")
@click.option("--clients", default=16, show_default=True, help="Connections, each with one call under way.")
@click.option("--seconds", default=10, show_default=True, help="Of ingestion.")
@click.option("--stored", default=0, show_default=True, help="Events that are there before.")
@click.option("--customers", default=1_000, show_default=True, help="Who use something.")
@click.option("--port", default=8797, show_default=True, type=PORT, help="Port of the server that is started for it.")
def bench_usage(events: int, clients: int, seconds: int, stored: int, customers: int, port: int) -> None:
    """Meter events over HTTP, and reading one customer's usage."""
    from voldaan.bench.usage import bench as measure

    figures = run(
        measure(
            ready_database(), events=events, clients=clients, seconds=seconds, stored=stored, customers=customers, port=port
        )
    )
    click.echo(json.dumps(figures, indent=2))


@main.command()
@click.option("--customers", default=150, show_default=True, help="How many join.")
@click.option("--months", default=12, show_default=True, type=click.IntRange(1, 60), help="How long it lives.")
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same books.")
@click.option("--port", type=PORT, help="Port of the API and the pages (default 8787, or VOLDAAN_PORT).")
@click.option("--exit", "exit_after", is_flag=True, help="Print the summary and stop, instead of serving.")
def demo(customers: int, months: int, seed: int, port: int | None, exit_after: bool) -> None:
    """Live a business through some months, then serve its API and overview page."""
    from voldaan.demo.show import show

    settings = settings_of(port)
    starting.check_port(settings.host, settings.port)
    sys.exit(show(ready_database(), settings, customers=customers, months=months, seed=seed, stay=not exit_after))


@main.command()
@click.option("--account", help="One account only.")
@click.option("--all-usage", is_flag=True, help="Every event of usage ever received, not those of the last three days.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(account: str | None, all_usage: bool, as_json: bool) -> None:
    """Check all invariants; exit 1 on a breach."""
    from voldaan.reports.verify import USAGE_DAYS, Verdict
    from voldaan.reports.verify import verify as check
    from voldaan.rules.instants import rfc3339
    from voldaan.runtime import running

    async def look() -> Verdict:
        async with running(dsn, settings) as engine:
            if account:
                await starting.known_account(engine.pool, account)
            wall = engine.wall()
            since = 0 if all_usage else wall - USAGE_DAYS * 86_400
            return await check(engine.pool, wall, account=account, processors=engine.processors, usage_since=since)

    settings, dsn = settings_of(), ready_database()
    verdict = run(look())
    findings = [{"invariant": f.invariant, "account": f.account, "id": f.id, "detail": f.detail} for f in verdict.findings]
    if as_json:
        looked = {"checked": verdict.checked, "usage_since": verdict.usage_since}
        click.echo(json.dumps({"clean": verdict.clean, **looked, "findings": findings}))
    else:
        for f in verdict.findings:
            click.echo(f"{f.invariant}  {f.account}  {f.id}: {f.detail}")
        usage = f"usage received since {rfc3339(verdict.usage_since)}" if verdict.usage_since else "all usage"
        looked = f"{len(verdict.checked)} invariants checked, {usage}: "
        click.echo(looked + ("clean" if verdict.clean else f"{len(findings)} findings"))
    sys.exit(0 if verdict.clean else 1)


@main.command()
@click.argument("folder", default="docs", type=click.Path(file_okay=False))
def docs(folder: str) -> None:
    """Write the pages of the documentation that are made from the code."""
    from pathlib import Path

    from voldaan.reference import pages

    for name, text in pages().items():
        (Path(folder) / name).write_text(text, encoding="utf-8")
        click.echo(f"{folder}/{name}")


if __name__ == "__main__":
    main()
