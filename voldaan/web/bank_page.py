"""The page of the sandbox network's bank, where a customer proves who they are, or fails to.

It stands for the page of a real bank: the payment waits, the customer answers, the network knows, and then we ask it what
became of the attempt, just as after any other answer from outside.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from voldaan.commands.attempts import resolve
from voldaan.engine import Engine
from voldaan.processors.sandbox import SandboxNetwork
from voldaan.processors.sandbox.books import Operation
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import Attempt
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.setup_intents import SetupIntent
from voldaan.store import accounts
from voldaan.store.transaction import transaction
from voldaan.web.headers import policy
from voldaan.web.sign_in import own_path, read_form, same_origin
from voldaan.web.templates import render

PLACE = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
NEVER = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})


class BankPage:
    """GET and POST /sandbox/3ds/{id}"""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def page(self, request: Request) -> Response:
        waiting = await self._waiting(request)
        if waiting is None:
            return self._nothing(request)
        operation, account = waiting
        response = render(request, "bank.html", operation=operation, account=account)
        response.headers["content-security-policy"] = policy(f"'self' {destination(operation.return_url)}".strip())
        return response

    async def submit(self, request: Request) -> Response:
        """The customer's answer: the first one stands."""
        waiting = await self._waiting(request)
        if waiting is None:
            return self._nothing(request)
        if not same_origin(request):
            return render(request, "problem.html", title="Not answered", text="The form did not come from this page.", status=403)
        operation, account = waiting
        succeed = (await read_form(request)).get("answer") == "complete"
        await self._network().authenticate(operation.processor_id, succeed)
        await resolve(self.engine, account, [operation.reference])
        intent = await self._intent(account, operation.reference)
        succeeded = intent is not None and intent.status in ("succeeded", "processing", "requires_capture")
        if destination(operation.return_url):
            return RedirectResponse(with_result(operation.return_url or "", intent, succeeded), 303)
        if (back := own_path(request.query_params.get("next", ""))) != "/":
            return RedirectResponse(back, 303)
        if succeeded:
            return render(request, "problem.html", title="Confirmed", text="Thank you. You can close this page.")
        text = "Nothing was charged. You can close this page and try again."
        return render(request, "problem.html", title="Not confirmed", text=text)

    def _network(self) -> SandboxNetwork:
        network = self.engine.processors("sandbox")
        assert isinstance(network, SandboxNetwork)
        return network

    async def _waiting(self, request: Request) -> tuple[Operation, Account] | None:
        """The payment that waits for its customer, and whose it is."""
        operation = await self._network().challenge(request.path_params["id"])
        if operation is None:
            return None
        account = await accounts.find(self.engine.pool, operation.account_id)
        return (operation, account) if account else None

    async def _intent(self, account: Account, attempt_id: str) -> PaymentIntent | SetupIntent | None:
        wall = self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            attempt = (await tx.get(Attempt, [attempt_id])).get(attempt_id)
            if attempt is None:
                return None
            payments = await tx.get(PaymentIntent, [attempt.payment_intent])
            setups = await tx.get(SetupIntent, [attempt.setup_intent])
        return next(iter(payments.values()), None) or next(iter(setups.values()), None)

    def _nothing(self, request: Request) -> Response:
        text = "Nothing waits for you here. It may have been answered already, or withdrawn by the shop."
        return render(request, "problem.html", title="Nothing to confirm", text=text, status=404)


def destination(return_url: str | None) -> str:
    """Where a return address leads, as a source of a Content-Security-Policy; "" if we do not send anybody there."""
    parts = urlsplit(return_url or "")
    if parts.scheme in ("http", "https") and PLACE.fullmatch(parts.netloc):
        return f"{parts.scheme}://{parts.netloc}"
    if SCHEME.fullmatch(parts.scheme) and parts.scheme not in NEVER | {"http", "https"}:
        return f"{parts.scheme}:"  # an app on the customer's phone
    return ""


def with_result(return_url: str, intent: PaymentIntent | SetupIntent | None, succeeded: bool) -> str:
    """The return address with what the shop's page reads: docs.stripe.com/payments/finalize-payments-on-the-server."""
    parts = urlsplit(return_url)
    fields = parse_qsl(parts.query, keep_blank_values=True)
    if intent is not None:
        name = intent.object
        fields += [(name, intent.id), (f"{name}_client_secret", intent.client_secret or "")]
    fields.append(("redirect_status", "succeeded" if succeeded else "failed"))
    return urlunsplit(parts._replace(query=urlencode(fields)))
