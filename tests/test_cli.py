"""The command line says in one line what is wrong, and does nothing else then."""

from __future__ import annotations

import json
import socket

import pytest
from click.testing import CliRunner, Result

from voldaan.cli import main


def call(*words: str, **env: str) -> Result:
    return CliRunner().invoke(main, words, env={"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", **env})


def refused(result: Result) -> str:
    """Its last line, after a failure that shows no traceback."""
    assert result.exit_code in (1, 2), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (["accounts", "create", "--country", "XX"], {}, "XX is no country's code"),
        (["accounts", "create", "--currency", "zzz"], {}, "zzz is no currency's code"),
        (["serve", "--port", "99999"], {}, "99999 is not in the range"),
        (["serve"], {"VOLDAAN_PORT": "abc"}, "VOLDAAN_PORT must be a whole number from 1 to 65535, and is 'abc'"),
        (["work"], {"VOLDAAN_POOL_SIZE": "0"}, "VOLDAAN_POOL_SIZE must be a whole number from 1, and is '0'"),
        (["serve", "--host", "nowhere.invalid"], {}, "Nothing can listen on port 8787 of nowhere.invalid"),
        (["migrate"], {"DATABASE_URL": "nonsense"}, "DATABASE_URL names no database"),
        (["doctor"], {"DATABASE_URL": "nonsense"}, "DATABASE_URL names no database"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], env: dict[str, str], said: str) -> None:
    assert said in refused(call(*words, **env))


@pytest.mark.parametrize("words", [["accounts", "create"], ["verify"], ["work"], ["migrate"]], ids=" ".join)
def test_a_database_out_of_reach_is_said_to_be(words: list[str]) -> None:
    result = call(*words)
    refused(result)
    assert "The database cannot be reached. Check DATABASE_URL." in result.output
    assert "Connection refused" in result.output


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_is_found_before_anything_is_done(command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(call(command, "--port", str(port)))
    assert said == f"Error: Nothing can listen on port {port} of 127.0.0.1: Address already in use. --port takes another one."


@pytest.mark.parametrize("words", [["accounts", "link", "acct_x"], ["verify", "--account", "acct_x"]], ids=" ".join)
def test_an_account_must_be_known(dsn: str, words: list[str]) -> None:
    """Books that are not there are not clean."""
    assert refused(call(*words, DATABASE_URL=dsn)) == "Error: There is no account acct_x in this database."


def test_an_account_is_made_linked_and_looked_at(dsn: str) -> None:
    made = call("accounts", "create", "--country", "be", "--currency", "EUR", "--json", DATABASE_URL=dsn)
    account = json.loads(made.stdout)["account"]
    assert call("accounts", "link", account, DATABASE_URL=dsn).stdout.startswith("http://127.0.0.1:8787/sign-in?token=")
    looked = json.loads(call("verify", "--account", account, "--json", DATABASE_URL=dsn).stdout)
    assert looked["clean"]
