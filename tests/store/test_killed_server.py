"""A server that dies by SIGKILL in the middle of a payment: the repeat under the same key gets the one right answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests.conftest import ROOT, free_port, new_account, wait_for

PAYMENT = {
    "amount": "1234", "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true", "off_session": "true",
}  # fmt: skip
POINTS = ["after_dispatch_commit", "before_call", "after_call", "before_settle", "after_settle_commit"]
BOOKS = """
select (select count(*) from payment_intents where account_id = %(account)s),
       (select count(*) from attempts where account_id = %(account)s and state = 'succeeded'),
       (select count(*) from charges where account_id = %(account)s),
       (select count(*) from balance_transactions where account_id = %(account)s),
       (select count(*) from sandbox_network.operations where account_id = %(account)s and state = 'succeeded')
"""
HELD_FOR_DEAD = "update idempotency_keys set created_at = created_at - interval '2 minutes' where account_id = %(account)s"


@contextmanager
def server(dsn: str, failpoints: str = "", **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server of the test's own, without a worker who could settle what it leaves behind."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "voldaan.cli", "serve", "--port", str(port), "--no-worker"],
        env={**os.environ, "DATABASE_URL": dsn, "FAILPOINTS": failpoints, **environment},
        cwd=ROOT,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def survivor(dsn: str) -> Iterator[str]:
    """The server that the repeats go to."""
    with server(dsn) as (address, _):
        yield address


@pytest.mark.parametrize("point", POINTS)
def test_a_payment_whose_server_died_is_made_once_and_the_repeat_says_so(dsn: str, survivor: str, point: str) -> None:
    made = new_account(dsn)
    auth, headers, books = (made.secret_key, ""), {"Idempotency-Key": f"pay-{point}"}, {"account": made.account.id}
    with server(dsn, f"{point}:1:kill") as (address, process):
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{address}/v1/payment_intents", data=PAYMENT, headers=headers, auth=auth, timeout=30)
        assert process.wait(20) == -signal.SIGKILL

    def repeat() -> httpx.Response:
        return httpx.post(f"{survivor}/v1/payment_intents", data=PAYMENT, headers=headers, auth=auth, timeout=30)

    early = repeat()
    assert (early.status_code, early.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert early.headers["stripe-should-retry"] == "true"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(HELD_FOR_DEAD, books)
        answer = repeat()
        assert answer.status_code == 200, answer.text
        assert (answer.json()["status"], answer.json()["amount_received"]) == ("succeeded", 1234)
        assert connection.execute(BOOKS, books).fetchone() == (1, 1, 1, 1, 1)
    again = repeat()
    assert again.content == answer.content
    assert again.headers["idempotent-replayed"] == "true"


REFUNDED = """
select (select count(*) from credit_notes where account_id = %(account)s),
       (select count(*) from refunds where account_id = %(account)s and status = 'succeeded'),
       (select count(*) from attempts where account_id = %(account)s and flow = 'refund' and state = 'succeeded'),
       (select count(*) from balance_transactions where account_id = %(account)s and net = -500),
       (select coalesce(sum(case when credit = 'refunds_payable' then amount else -amount end), 0) from postings
         where account_id = %(account)s and 'refunds_payable' in (debit, credit))
"""


@pytest.mark.parametrize("point", POINTS)
def test_a_credit_note_whose_server_died_gives_back_once(dsn: str, survivor: str, point: str) -> None:
    """The note was committed with its refund on the way: the repeat finds out what became of that, and issues no other."""
    made = new_account(dsn)
    auth, books = (made.secret_key, ""), {"account": made.account.id}

    def post(address: str, path: str, **data: str) -> httpx.Response:
        return httpx.post(f"{address}/v1/{path}", data=data, auth=auth, timeout=30)

    customer = post(survivor, "customers", payment_method="pm_card_visa").json()["id"]
    method = post(survivor, "payment_methods/pm_card_visa/attach", customer=customer).json()["id"]
    invoice = post(survivor, "invoices", customer=customer, currency="eur").json()["id"]
    post(survivor, "invoiceitems", customer=customer, invoice=invoice, amount="1500", currency="eur")
    paid = post(survivor, f"invoices/{invoice}/pay", payment_method=method)
    assert paid.json().get("status") == "paid", paid.text
    note = {"invoice": invoice, "amount": "500", "refund_amount": "500"}
    headers = {"Idempotency-Key": f"note-{point}"}
    with server(dsn, f"{point}:1:kill") as (address, process):
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{address}/v1/credit_notes", data=note, headers=headers, auth=auth, timeout=30)
        assert process.wait(20) == -signal.SIGKILL
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(HELD_FOR_DEAD, books)
        answer = httpx.post(f"{survivor}/v1/credit_notes", data=note, headers=headers, auth=auth, timeout=30)
        assert answer.status_code == 200, answer.text
        [refund] = answer.json()["refunds"]
        assert (answer.json()["object"], refund["amount_refunded"]) == ("credit_note", 500)
        assert connection.execute(REFUNDED, books).fetchone() == (1, 1, 1, 1, 0)


def test_a_payment_that_never_began_is_made_by_the_repeat(dsn: str, survivor: str) -> None:
    """Killed before the first commit, nothing is left of it, not even the key."""
    made = new_account(dsn)
    auth, headers, books = (made.secret_key, ""), {"Idempotency-Key": "pay"}, {"account": made.account.id}
    with server(dsn) as (address, process), psycopg.connect(dsn) as blocker:
        blocker.execute("lock table payment_intents in access exclusive mode")
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{address}/v1/payment_intents", data=PAYMENT, headers=headers, auth=auth, timeout=1.5)
        process.kill()
        process.wait(20)
        blocker.rollback()
    answer = httpx.post(f"{survivor}/v1/payment_intents", data=PAYMENT, headers=headers, auth=auth, timeout=30)
    assert (answer.status_code, answer.json().get("status")) == (200, "succeeded")
    with psycopg.connect(dsn) as connection:
        assert connection.execute(BOOKS, books).fetchone() == (1, 1, 1, 1, 1)
