"""Signing in: by the link that the command line prints, or with a secret key; out again by a form.

The link carries the account and when it ends, signed with a secret that was made at the first run. A session is a row;
the cookie holds a random token, the row its hash. Sessions of a live book end after fifteen minutes without a person,
and after twelve hours in any case.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import itsdangerous
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from voldaan.engine import Engine
from voldaan.resources.accounts import Account
from voldaan.settings import Settings
from voldaan.store import accounts, keys
from voldaan.store.queries import query
from voldaan.web.templates import render

LINK_SECONDS = 24 * 3600
SECRET_BYTES = 32
TOKEN_BYTES = 32
SEEN_AGAIN_SECONDS = 60
FORM_MAX = 4096  # bytes
SECRET = "sign_in_links"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts, in seconds: without anybody there, and at most."""

    idle: int
    absolute: int


LIVE = Lifetime(15 * 60, 12 * 3600)              # ASVS 7.3, PCI DSS 8.2.8
SANDBOX = Lifetime(24 * 3600, 30 * 24 * 3600)    # nobody's money


@dataclass(frozen=True, slots=True)
class Session:
    """Who looks. `csrf` must come back with every form."""

    account: Account
    token: str

    @property
    def csrf(self) -> str:
        return hmac.new(self.token.encode(), b"csrf", hashlib.sha256).hexdigest()

    def owns_form(self, form: dict[str, str]) -> bool:
        return hmac.compare_digest(form.get("csrf", ""), self.csrf)


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def first_run_link(engine: Engine, account_id: str, settings: Settings) -> str:
    """An address that signs its owner in to the account's pages, for a day."""
    signer = await _signer(engine)
    token = signer.dumps([account_id, engine.wall() + LINK_SECONDS])
    return f"{settings.public_url}/sign-in?token={token if isinstance(token, str) else token.decode()}"


async def _signer(engine: Engine) -> itsdangerous.URLSafeSerializer:
    """Signs with the secret in the database, which the first to ask makes."""
    async with engine.pool.connection() as connection:
        cursor = await connection.execute(query("web", "secret"), {"name": SECRET})
        found = await cursor.fetchone()
        if found is None:
            new = {"name": SECRET, "secret": secrets.token_bytes(SECRET_BYTES), "now": engine.wall()}
            await connection.execute(query("web", "make_secret"), new)
            cursor = await connection.execute(query("web", "secret"), {"name": SECRET})
            found = await cursor.fetchone()
    assert found is not None
    return itsdangerous.URLSafeSerializer(
        bytes(found[0]), salt="sign-in", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    )


async def account_of_link(engine: Engine, token: str) -> Account | None:
    """The account of a link that is ours and has not ended."""
    try:
        account_id, ends_at = (await _signer(engine)).loads(token)
    except (itsdangerous.BadData, ValueError, TypeError):
        return None
    return await accounts.find(engine.pool, account_id) if engine.wall() < ends_at else None


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


class SignIn:
    """The pages around a session."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.https = settings.public_url.startswith("https://")
        # Cookies do not know ports: servers side by side on one machine need names of their own.
        self.cookie = "__Host-voldaan" if self.https else f"voldaan_{settings.port}"

    async def page(self, request: Request) -> Response:
        """GET /sign-in: takes a link's token, or shows how to get in."""
        token = request.query_params.get("token")
        if token is None:
            return render(request, "sign_in.html", problem=None)
        account = await account_of_link(self.engine, token)
        if account is None:
            return render(request, "sign_in.html", problem="This link has ended, or was not made by this server.", status=401)
        return await self._begin(account)

    async def submit(self, request: Request) -> Response:
        """POST /sign-in: a secret key, which can do everything anyway."""
        if not same_origin(request):
            return render(request, "sign_in.html", problem="The form did not come from this site.", status=403)
        form = await read_form(request)
        found = await keys.find(self.engine.pool, form.get("key", "").strip())
        if found is None or found[1] != "secret":
            return render(request, "sign_in.html", problem="That is not a secret key of an account here.", status=401)
        return await self._begin(found[2])

    async def out(self, request: Request) -> Response:
        """POST /sign-out."""
        session = await self.session(request)
        if session:
            if not same_origin(request) or not session.owns_form(await read_form(request)):
                text = "The form did not come from this page."
                return render(request, "problem.html", title="Not signed out", text=text, status=403)
            async with self.engine.pool.connection() as connection:
                facts = {"account": session.account.id, "hash": _hash(session.token), "now": self.engine.wall()}
                await connection.execute(query("web", "end_session"), facts)
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(self.cookie, secure=self.https, httponly=True, samesite="lax")
        return response

    async def session(self, request: Request, *, by_person: bool = True) -> Session | None:
        """Who is signed in; None if nobody is. A page that refreshes itself does not keep a session alive."""
        account_id, _, token = request.cookies.get(self.cookie, "").partition(".")
        if not token:
            return None
        account = await accounts.find(self.engine.pool, account_id)
        if account is None:
            return None
        now, lifetime = self.engine.wall(), _lifetime(account)
        facts = {"account": account_id, "hash": _hash(token), "now": now, "idle_since": now - lifetime.idle}
        async with self.engine.pool.connection() as connection:
            cursor = await connection.execute(query("web", "session"), facts, binary=True)
            found = await cursor.fetchone()
            if found and by_person and now - found[1] > SEEN_AGAIN_SECONDS:
                await connection.execute(query("web", "seen"), facts)
        return Session(account, token) if found else None

    async def _begin(self, account: Account) -> Response:
        """A session of its own for every sign-in: no token that was known before it is good after it."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now, lifetime = self.engine.wall(), _lifetime(account)
        async with self.engine.pool.connection() as connection:
            facts = {"account": account.id, "hash": _hash(token), "now": now, "expires": now + lifetime.absolute}
            await connection.execute(query("web", "begin_session"), facts)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            self.cookie, f"{account.id}.{token}", max_age=lifetime.absolute, path="/", secure=self.https, httponly=True,
            samesite="lax",
        )  # fmt: skip
        return response


def _lifetime(account: Account) -> Lifetime:
    return LIVE if account.livemode else SANDBOX


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


# ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def same_origin(request: Request) -> bool:
    """Whether a form was sent by one of our own pages: as the browser says, or by the Origin it names."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a small form; the last of equal names. Empty when it is too large or no form."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_MAX:
            return {}
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).items()}


def own_path(path: str) -> str:
    """A path of this site, or its root: a form never sends people elsewhere."""
    parts = urlsplit(path)
    return path if path.startswith("/") and not path.startswith("//") and not parts.netloc and "\\" not in path else "/"
