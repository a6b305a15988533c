"""Where a webhook may go: https, a proper host name, and only to addresses of the public internet.

Three steps, and no way around them: `read` refuses odd URLs, `resolve` asks the name service once and refuses a name
with any forbidden address, and the caller dials exactly the addresses it was given (events/transport.py). Checking first
and resolving again later is what rebinding lives on.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Resolver = Callable[[str, int], Awaitable[list[str]]]

PORTS = frozenset({443, 8443})
URL_MAX = 2_048

# A host is a name in ASCII, an IPv4 address in its usual form, or an IPv6 address in brackets and without a zone. So
# there is no user name, no backslash, no percent sign and no letter of another script that two readers read differently.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>[/?][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")  # as a last label it would be read as an IPv4 address

# Cloud metadata services. They stay forbidden where private addresses are allowed.
_METADATA_V4 = [IPv4Network(n) for n in ("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32")]
_METADATA_V6 = [IPv6Network(n) for n in ("fd00:ec2::/32", "fd20:ce::/32")]

_PRIVATE_V4 = [IPv4Network(n) for n in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_PRIVATE_V6 = [IPv6Network(n) for n in ("::1/128", "fc00::/7")]

# The rest of the IANA special-purpose registry: this network, carrier-grade NAT, protocol assignments, documentation,
# 6to4 relays, benchmarks, multicast, reserved, broadcast.
_SPECIAL_V4 = [
    IPv4Network(n)
    for n in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip

# Of IPv6 only global unicast is let through, less what hides an IPv4 address (Teredo, 6to4) or is for documents.
# NAT64 (64:ff9b::/96), mapped addresses (::ffff:0:0/96), link-local and multicast are outside of it anyway.
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = [IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]


class Blocked(Exception):
    """The address may not be called; the text says why."""


class Unresolvable(Exception):
    """The name service knows no address for the name."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL. `host` is a lower-case name or an address without brackets; `path` includes the query."""

    scheme: str
    host: str
    port: int
    path: str
    is_address: bool

    @property
    def authority(self) -> str:
        """The Host header: an IPv6 address in brackets, the port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def read(url: str, *, allow_private: bool = False) -> Target:
    """The parts of a URL that may be called as far as its text tells. Raises Blocked.

    `allow_private` is for development and one's own network: plain http, any port, loopback and private addresses.
    """
    match = _URL.fullmatch(url.partition("#")[0]) if len(url) <= URL_MAX else None
    if not match:
        raise Blocked("the URL is malformed")
    scheme, host = match["scheme"].lower(), match["host"].lower()
    port = int(match["port"] or (443 if scheme == "https" else 80))
    path = match["path"] or "/"
    if not allow_private:
        if scheme != "https":
            raise Blocked("the URL must begin with https://")
        if port not in PORTS:
            raise Blocked(f"port {port} is not allowed")
    if not 1 <= port <= 65_535:
        raise Blocked(f"port {port} is not allowed")

    address = _address(host.strip("[]"))
    if host.startswith("[") and not isinstance(address, IPv6Address):
        raise Blocked("the host is not an IPv6 address")
    if address is not None:
        check(str(address), allow_private=allow_private)
    elif not _NAME.fullmatch(host) or _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise Blocked("the host is neither a name nor an address in its usual form")
    elif "." not in host and not allow_private:
        raise Blocked("the host is not a public name")
    return Target(
        scheme=scheme,
        host=str(address) if address is not None else host,
        port=port,
        path=path if path.startswith("/") else f"/{path}",
        is_address=address is not None,
    )


async def resolve(
    target: Target, *, allow_private: bool = False, lookup: Resolver | None = None
) -> list[str]:
    """The addresses to dial, in order of preference. Raises Unresolvable, and Blocked if only one may not be called."""
    if target.is_address:
        return [target.host]
    addresses = await (lookup or system_lookup)(target.host, target.port)
    if not addresses:
        raise Unresolvable(f"{target.host} has no address")
    for address in addresses:
        check(address, allow_private=allow_private)
    return addresses


async def system_lookup(host: str, port: int) -> list[str]:
    """Asks the operating system. Each address once, without a zone lost on the way."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolvable(f"{host} has no address: {error}") from None
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def check(address: str, *, allow_private: bool = False) -> None:
    """Raises Blocked unless the address belongs to the public internet, or is private where that is allowed."""
    parsed = _address(address)
    if parsed is None:
        raise Blocked(f"{address} is not an address in its usual form")
    reason = _forbidden_v4(parsed) if isinstance(parsed, IPv4Address) else _forbidden_v6(parsed)
    if reason and not (allow_private and reason == "private"):
        raise Blocked(f"{address} is a {reason} address")


def _forbidden_v4(address: IPv4Address) -> str | None:
    if any(address in network for network in _METADATA_V4):
        return "link-local or metadata"
    if any(address in network for network in _PRIVATE_V4):
        return "private"
    return "special" if any(address in network for network in _SPECIAL_V4) else None


def _forbidden_v6(address: IPv6Address) -> str | None:
    if any(address in network for network in _METADATA_V6):
        return "link-local or metadata"
    if any(address in network for network in _PRIVATE_V6):
        return "private"
    if address not in _GLOBAL_V6 or any(address in network for network in _SPECIAL_V6):
        return "special"
    return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address in its usual form: four decimal numbers without leading zeros, or IPv6 without a zone."""
    try:
        return IPv6Address(text) if ":" in text and "%" not in text else IPv4Address(text)
    except ValueError:
        return None
