"""Pages over HTTP: who gets in, what browsers are told, that forms from elsewhere do nothing, that names never run."""

from __future__ import annotations

import re
import time

import httpx
import psycopg
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.api.wire import Wire
from tests.api.world import World
from tests.conftest import new_account
from tests.web.conftest import Visitor
from voldaan.settings import Settings
from voldaan.web import pages, wording
from voldaan.work import test_clocks
from voldaan.work.handlers import HANDLERS

PAYLOADS = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}",
    "${7*7}<!--",
    "<a href=\"javascript:alert(1)\">Anna</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202eevil</td></tr></table>",
]  # fmt: skip


# ── getting in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_sees_anything_without_signing_in(visitor: Visitor) -> None:
    for path in ("/", "/logs/req_00000000000000000000000000"):
        answer = visitor.http.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "Test bakery" not in answer.text
    assert visitor.http.get("/overview/main").status_code == 401
    assert visitor.http.get("/sign-in").status_code == 200


def test_the_link_signs_in(visitor: Visitor) -> None:
    answer = visitor.http.get(visitor.link())
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie  # the server speaks http; with https it is __Host- and Secure
    page = visitor.http.get("/")
    assert page.status_code == 200
    assert "Test bakery" in page.text
    assert page.headers["cache-control"] == "no-store"


def test_a_link_that_is_old_or_altered_does_not(visitor: Visitor) -> None:
    old = visitor.link(wall=int(time.time()) - 24 * 3600 - 1)
    good = visitor.link()
    signed, signature = good.rsplit(".", 1)  # of its last letter two bits say nothing: another letter is altered
    altered = f"{signed}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    for link in (old, altered, good.replace("token=", "token=x"), "/sign-in?token="):
        answer = visitor.http.get(link)
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False), link


def test_a_secret_key_signs_in_and_nothing_else_does(visitor: Visitor) -> None:
    for wrong in ("", "sk_test_wrong", "pk_test_" + visitor.key[8:], visitor.key[:-1]):
        answer = visitor.http.post("/sign-in", data={"key": wrong})
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
        assert wrong == "" or wrong not in answer.text
    assert visitor.http.post("/sign-in", data={"key": f" {visitor.key} "}).status_code == 303
    assert "Test bakery" in visitor.http.get("/").text


def test_every_sign_in_has_a_session_of_its_own(visitor: Visitor) -> None:
    """A session that somebody planted is not the one that is used."""
    visitor.sign_in()
    first = dict(visitor.http.cookies)
    visitor.sign_in()
    assert dict(visitor.http.cookies) != first


def test_signing_out_ends_the_session_everywhere(visitor: Visitor) -> None:
    visitor.sign_in()
    kept = dict(visitor.http.cookies)
    form = re.search(r'name="csrf" value="(\w+)"', visitor.http.get("/").text)
    assert form
    answer = visitor.http.post("/sign-out", data={"csrf": form[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert httpx.get(f"{visitor.address}/", cookies=kept).status_code == 303


def test_a_form_from_elsewhere_does_nothing(visitor: Visitor) -> None:
    visitor.sign_in()
    csrf = re.search(r'name="csrf" value="(\w+)"', visitor.http.get("/").text)[1]  # type: ignore[index]
    foreign = [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}]
    for headers in foreign:
        assert visitor.http.post("/sign-out", data={"csrf": csrf}, headers=headers).status_code == 403
        assert visitor.http.post("/sign-in", data={"key": visitor.key}, headers=headers).status_code == 403
        assert "set-cookie" not in visitor.http.post("/theme", data={"theme": "dark"}, headers=headers).headers
    for wrong in ({}, {"csrf": "x"}, {"csrf": csrf[:-1] + "0"}):
        if wrong.get("csrf") != csrf:
            assert visitor.http.post("/sign-out", data=wrong).status_code == 403
    assert visitor.http.get("/").status_code == 200


@pytest.mark.parametrize("column", ["expires_at", "seen_at"])
def test_sessions_end_by_themselves(visitor: Visitor, column: str) -> None:
    visitor.sign_in()
    assert visitor.http.get("/").status_code == 200
    with psycopg.connect(visitor.dsn, autocommit=True) as connection:
        connection.execute(
            f"update web_sessions set created_at = created_at - interval '40 days', seen_at = seen_at - interval '40 days',"
            f" expires_at = expires_at - interval '{'40 days' if column == 'expires_at' else '1 second'}' where account_id = %s",
            (visitor.account,),
        )
    assert visitor.http.get("/").status_code == 303


def test_the_database_knows_neither_tokens_nor_what_business_transactions_may_not_read(visitor: Visitor) -> None:
    visitor.sign_in()
    token = next(iter(visitor.http.cookies.jar)).value or ""
    with psycopg.connect(visitor.dsn, autocommit=True) as connection:
        rows = connection.execute("select account_id, encode(hash, 'hex') from web_sessions").fetchall()
        assert all(token.partition(".")[2] not in str(row) for row in rows)
        assert connection.execute("select count(*) from web_secrets").fetchone() == (1,)
        connection.execute("set role voldaan_app")
        assert connection.execute("select count(*) from web_secrets").fetchone() == (0,)


def test_one_account_does_not_see_another(visitor: Visitor, api_server: str, dsn: str) -> None:
    other = new_account(dsn, business_name="Other bakery")
    World(Wire(api_server, other.secret_key)).customer(name="Somebody else's customer")
    visitor.sign_in()
    page = visitor.http.get("/").text
    assert "Other bakery" not in page
    assert "Somebody else" not in page


# ── what browsers are told ──────────────────────────────────────────────────────────────────────────────────────────


PATHS = ["/", "/sign-in", "/overview/main", "/static/app.css", "/i/acct_x/in_x", "/sandbox/3ds/x", "/healthz"]


@pytest.mark.parametrize("path", PATHS)
def test_headers(visitor: Visitor, path: str) -> None:
    visitor.sign_in()
    headers = visitor.http.get(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"


def test_pages_carry_no_script_or_style_of_their_own(visitor: Visitor) -> None:
    visitor.sign_in()
    for path in ("/", "/sign-in", "/logs/req_00000000000000000000000000"):
        text = visitor.http.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=", text), path
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), path
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path


def test_where_nothing_is_a_page_says_so(visitor: Visitor) -> None:
    answer = visitor.http.get("/nothing-here")
    assert answer.status_code == 404
    assert "This address leads nowhere" in answer.text
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.anyio
async def test_where_a_page_fails_people_are_told() -> None:
    """And the failure goes on to the log."""
    async def failing(request: Request) -> Response:
        raise RuntimeError("broken")

    app = Starlette(routes=[Route("/", failing)], exception_handlers=pages.problems(Settings()))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as http:
        answer = await http.get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "broken" not in answer.text


def test_static_files_are_kept_for_good_and_found_by_their_content(visitor: Visitor) -> None:
    page = visitor.http.get("/sign-in").text
    for address in re.findall(r'"(/static/[^"]+)"', page):
        answer = visitor.http.get(address)
        assert answer.status_code == 200
        assert ("immutable" in answer.headers["cache-control"]) == ("?v=" in address), address
        assert answer.headers["cache-control"].startswith("public")
    assert visitor.http.get("/static/../pages.py").status_code == 404
    assert visitor.http.get("/static/%2e%2e/pages.py").status_code == 404


def test_light_and_dark_are_remembered_without_script(visitor: Visitor) -> None:
    answer = visitor.http.post("/theme", data={"theme": "dark", "next": "/sign-in"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert '<html lang="en" data-theme="dark">' in visitor.http.get("/sign-in").text
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "evil"):
        assert visitor.http.post("/theme", data={"theme": "light", "next": elsewhere}).headers["location"] == "/"
    visitor.http.post("/theme", data={"theme": "<script>"})
    assert '<html lang="en" data-theme="light">' in visitor.http.get("/sign-in").text


# ── what people write never runs ────────────────────────────────────────────────────────────────────────────────────


def test_names_never_become_markup(visitor: Visitor) -> None:
    visitor.sign_in()
    for payload in PAYLOADS:
        visitor.world.customer(name=payload, email=None)
    page = visitor.http.get("/").text
    assert not re.search(r"<(script(?! src=\"/static/)|img|a href=\"javascript)", page)
    assert "alert(1)" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "49" not in re.findall(r"\{\{7\*7\}\}|>49<", page)


def test_a_business_name_never_becomes_markup(api_server: str, dsn: str) -> None:
    made = new_account(dsn, business_name="<script>alert(1)</script>")
    with httpx.Client(base_url=api_server) as http:
        http.post("/sign-in", data={"key": made.secret_key})
        page = http.get("/").text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2


def test_all_due_work_has_words() -> None:
    assert wording.DUE.keys() == {handler.kind for handler in HANDLERS} | {test_clocks.KIND}


# ── the log of a request ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_of_a_request_shows_what_it_did(visitor: Visitor) -> None:
    visitor.sign_in()
    key = {"authorization": f"Bearer {visitor.key}"}
    made = httpx.post(f"{visitor.address}/v1/customers", data={"name": "Anna"}, headers=key)
    page = visitor.http.get(f"/logs/{made.headers['request-id']}")
    assert page.status_code == 200
    assert made.json()["id"] in page.text
    assert "customer.created" in page.text


def test_a_request_that_did_nothing_or_was_anothers_has_an_empty_log(visitor: Visitor, api_server: str, dsn: str) -> None:
    visitor.sign_in()
    other = new_account(dsn)
    theirs = httpx.post(f"{api_server}/v1/customers", headers={"authorization": f"Bearer {other.secret_key}"}, data={"name": "X"})
    refused = httpx.get(f"{api_server}/v1/customers/cus_none", headers={"authorization": f"Bearer {visitor.key}"})
    address = refused.json()["error"]["request_log_url"]
    assert address.endswith(f"/logs/{refused.headers['request-id']}")
    for path in (address.removeprefix(visitor.address), f"/logs/{theirs.headers['request-id']}", "/logs/<script>", "/logs/req_!"):
        page = visitor.http.get(path)
        assert page.status_code == 404
        assert "No event of this account" in page.text
        assert "<script>" not in page.text


def test_healthz_answers(visitor: Visitor) -> None:
    assert visitor.http.get("/healthz").json() == {"status": "ok"}
