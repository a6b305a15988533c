"""Sends one webhook: to the address that was checked, under the name that was asked for, within its time.

The name is resolved once; the connection goes to the checked addresses and to nothing else, with the original name in
SNI, certificate check and Host. Redirects are not followed, no proxy is used, and no more than 64 kB of the reply is read.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import httpcore
import httpx

from voldaan.events import guard
from voldaan.events.guard import Resolver

TIMEOUT_SECONDS = 15.0
REPLY_MAX = 65_536  # bytes that are read
EXCERPT_MAX = 1_000  # characters that are kept

Result = Literal[
    "delivered",  # any 2xx
    "refused",  # any other answer
    "redirected",  # 3xx: an endpoint is called under its own address
    "timed_out",
    "unresolvable",
    "blocked",  # by the guard: nothing was sent
    "tls_failed",
    "connection_failed",
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one try. `status` is None where no answer came; `reason` says in words what went wrong."""

    result: Result
    status: int | None
    body_excerpt: str
    elapsed_ms: int
    reason: str | None = None

    @property
    def gone(self) -> bool:
        """The receiver says that the endpoint no longer exists and wants no more."""
        return self.status == 410


async def deliver(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout: float = TIMEOUT_SECONDS,
    allow_private: bool = False,
    lookup: Resolver | None = None,
    network: httpcore.AsyncNetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
) -> Delivery:
    """POSTs the body. Never raises for what the receiver or the network does; `timeout` seconds are for all of it.

    `lookup`, `network` and `tls` replace the name service, the sockets and the trusted certificates.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    answer = _Answer()
    dial = _Checked(network or httpcore.AnyIOBackend())

    def ended(result: Result, reason: object = None) -> Delivery:
        return Delivery(
            result=result,
            status=answer.status,
            body_excerpt=answer.excerpt(),
            elapsed_ms=round((loop.time() - started) * 1_000),
            reason=str(reason) if reason is not None else None,
        )

    try:
        async with asyncio.timeout(timeout):
            target = guard.read(url, allow_private=allow_private)
            dial.addresses = await guard.resolve(target, allow_private=allow_private, lookup=lookup)
            await _exchange(target, body, headers, dial, tls or _trusted(), answer)
    except guard.Blocked as blocked:
        return ended("blocked", blocked)
    except guard.Unresolvable as unknown:
        return ended("unresolvable", unknown)
    except (TimeoutError, httpcore.TimeoutException):
        # A receiver that has answered but drips its body has still answered.
        return ended(answer.result()) if answer.status else ended("timed_out", f"no answer in {timeout:g} s")
    except httpcore.ConnectError as failed:
        return ended("tls_failed" if dial.connected else "connection_failed", _cause(failed))
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as failed:
        return ended(answer.result()) if answer.status else ended("connection_failed", _cause(failed))
    return ended(answer.result())


class _Answer:
    """What has come back so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.body = bytearray()

    def result(self) -> Result:
        status = self.status or 0
        return "delivered" if 200 <= status < 300 else "redirected" if 300 <= status < 400 else "refused"

    def excerpt(self) -> str:
        return self.body.decode(errors="replace").replace("\0", "\ufffd")[:EXCERPT_MAX]


class _Checked(httpcore.AsyncNetworkBackend):
    """Dials the checked addresses, whatever name it is asked for."""

    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self.network = network
        self.addresses: Sequence[str] = ()
        self.connected = False

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception = httpcore.ConnectError("no address to dial")
        for address in self.addresses:
            try:
                stream = await self.network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                self.connected = True
                return stream
        raise failed


async def _exchange(
    target: guard.Target,
    body: bytes,
    headers: Mapping[str, str],
    dial: _Checked,
    tls: ssl.SSLContext,
    answer: _Answer,
) -> None:
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    sent = {"Host": target.authority, **headers, "Connection": "close"}
    pairs = [(name.encode(), value.encode()) for name, value in sent.items()]
    async with (
        httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=dial, retries=0) as connection,
        connection.stream("POST", url, headers=pairs, content=body) as response,
    ):
        answer.status = response.status
        async for chunk in response.aiter_stream():
            answer.body += chunk[: REPLY_MAX - len(answer.body)]
            if len(answer.body) == REPLY_MAX:
                break


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that httpx trusts: certifi's, or those of SSL_CERT_FILE. Loading them takes milliseconds."""
    return httpx.create_ssl_context()


def _cause(failed: Exception) -> str:
    return str(failed) or str(failed.__cause__ or "") or type(failed).__name__
