"""What a command needs before it begins, and one line instead of a traceback where it is not to be had."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from voldaan.rules.countries import COUNTRIES
from voldaan.rules.money import CURRENCIES

if TYPE_CHECKING:
    from voldaan.resources.accounts import Account
    from voldaan.store.pool import Pool


@contextlib.contextmanager
def reaching_the_database() -> Iterator[None]:
    """Says in a line why there is no database to work with."""
    import psycopg

    from voldaan.store.cluster import ServerError
    from voldaan.store.migrate import MigrationError

    try:
        yield
    except psycopg.OperationalError as error:
        hint = " Check DATABASE_URL." if "DATABASE_URL" in os.environ else ""
        raise click.ClickException(f"The database cannot be reached.{hint} {error}") from error
    except psycopg.ProgrammingError as error:
        if isinstance(error.sqlstate, str):  # PostgreSQL said it: not about the address
            raise
        raise click.ClickException(f"DATABASE_URL names no database: {str(error).strip()}") from error
    except (ServerError, MigrationError) as error:
        raise click.ClickException(str(error)) from error


def check_port(host: str, port: int) -> None:
    """Looks whether it can be listened on, before anything else is done."""
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            with socket.socket(family, kind) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
    except OSError as error:
        why = error.strerror or str(error)
        raise click.ClickException(f"Nothing can listen on port {port} of {host}: {why}. --port takes another one.") from error


async def known_account(pool: Pool, id: str) -> Account:
    """The account that somebody named."""
    from voldaan.store import accounts

    account = await accounts.find(pool, id)
    if account is None:
        raise click.ClickException(f"There is no account {id} in this database.")
    return account


def country(context: click.Context, parameter: click.Parameter, given: str) -> str:
    """Two letters, in the case that the books have."""
    if given.upper() not in COUNTRIES:
        raise click.BadParameter(f"{given} is no country's code of two letters, as NL.")
    return given.upper()


def currency(context: click.Context, parameter: click.Parameter, given: str) -> str:
    """Three letters, in the case that the books have."""
    if given.lower() not in CURRENCIES:
        raise click.BadParameter(f"{given} is no currency's code of three letters, as eur, or none that is supported.")
    return given.lower()
