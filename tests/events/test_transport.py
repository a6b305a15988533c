"""One delivery, seen from the receiver's side: a local server that behaves, misbehaves, or must never be reached."""

import asyncio
import ssl
import subprocess
from contextlib import asynccontextmanager

import httpcore
import pytest

from voldaan.events.transport import REPLY_MAX, deliver

BODY = '{"id":"evt_1","name":"é"}'.encode()
HEADERS = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": "t=1,v1=ab"}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def receiver(answer, tls: ssl.SSLContext | None = None):
    """A server on loopback. `answer` is what it sends back, or a function of reader and writer. Yields port and requests."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if callable(answer):
                await answer(reader, writer, requests)
                return
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            requests.append(head + await reader.readexactly(length))
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], requests
    finally:
        server.close()


def once(answer, path="/hooks", **options):
    """Delivers one body to a receiver with this answer."""

    async def run():
        async with receiver(answer) as (port, requests):
            return await deliver(f"http://127.0.0.1:{port}{path}", BODY, HEADERS, allow_private=True, **options), requests

    return asyncio.run(run())


def test_what_the_receiver_sees():
    delivery, requests = once(OK, "/hooks?a=1#part")
    head, _, body = requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hooks?a=1 HTTP/1.1"
    assert body == BODY
    received = dict(line.split(": ", 1) for line in lines[1:])
    assert received["Stripe-Signature"] == "t=1,v1=ab"
    assert received["Content-Length"] == str(len(BODY))
    assert received["Host"].startswith("127.0.0.1:")
    assert (delivery.result, delivery.status, delivery.body_excerpt, delivery.gone) == ("delivered", 200, "ok", False)
    assert 0 <= delivery.elapsed_ms < 5_000


@pytest.mark.parametrize(
    ("status", "result", "gone"),
    [
        (200, "delivered", False), (201, "delivered", False), (204, "delivered", False), (299, "delivered", False),
        (301, "redirected", False), (302, "redirected", False), (304, "redirected", False), (307, "redirected", False),
        (400, "refused", False), (401, "refused", False), (404, "refused", False), (410, "refused", True),
        (429, "refused", False), (500, "refused", False), (503, "refused", False),
    ],
)  # fmt: skip
def test_how_an_answer_counts(status, result, gone):
    answer = f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".encode()
    delivery, requests = once(answer)
    assert (delivery.result, delivery.status, delivery.gone) == (result, status, gone)
    assert len(requests) == 1


def test_a_redirect_is_not_followed():
    """Not even to the receiver itself, and never inward."""

    async def run():
        async with receiver(OK) as (inner, reached):
            answer = f"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:{inner}/\r\nContent-Length: 0\r\n\r\n".encode()
            async with receiver(answer) as (port, _):
                delivery = await deliver(f"http://127.0.0.1:{port}/", BODY, HEADERS, allow_private=True)
                return delivery, reached

    delivery, reached = asyncio.run(run())
    assert (delivery.result, reached) == ("redirected", [])


def test_a_large_reply_is_read_to_its_cap_only():
    async def flood(reader, writer, requests):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        sent = 0
        try:
            while sent < 50_000_000:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent += 65_536
        except OSError:
            pass
        requests.append(sent)

    delivery, requests = once(flood)
    assert delivery.result == "delivered"
    assert delivery.body_excerpt == "x" * 1_000
    assert sum(requests) < 20_000_000
    assert REPLY_MAX == 65_536


def test_the_excerpt_is_text_that_a_database_takes():
    delivery, _ = once(b"HTTP/1.1 500 X\r\nContent-Length: 8\r\n\r\na\0b\xff\xfe\xc3\xa9!")
    assert delivery.body_excerpt == "a\ufffdb\ufffd\ufffdé!"


def test_a_receiver_that_never_answers():
    async def silent(reader, writer, requests):
        await reader.read()

    delivery, _ = once(silent, timeout=0.2)
    assert (delivery.result, delivery.status) == ("timed_out", None)
    assert 150 <= delivery.elapsed_ms < 2_000


def test_a_receiver_that_drips_its_head():
    """Slow loris: every byte comes in time, the whole does not."""

    async def drip(reader, writer, requests):
        for byte in OK * 10:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    delivery, _ = once(drip, timeout=0.3)
    assert (delivery.result, delivery.status) == ("timed_out", None)
    assert delivery.elapsed_ms < 2_000


def test_a_receiver_that_drips_its_body_has_answered():
    async def drip(reader, writer, requests):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(5)

    delivery, _ = once(drip, timeout=0.3)
    assert (delivery.result, delivery.status, delivery.body_excerpt) == ("delivered", 200, "abc")
    assert delivery.elapsed_ms < 2_000


def test_a_connection_cut_short():
    async def close(reader, writer, requests):
        await reader.readuntil(b"\r\n\r\n")

    async def garbage(reader, writer, requests):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x00\x01\x02 this is no HTTP\r\n\r\n")
        await writer.drain()

    async def half(reader, writer, requests):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
        await writer.drain()

    assert once(close)[0].result == "connection_failed"
    assert once(garbage)[0].result == "connection_failed"
    assert once(half)[0].result == "delivered"


def test_nobody_listens():
    async def run():
        async with receiver(OK) as (port, _):
            pass
        return await deliver(f"http://127.0.0.1:{port}/", BODY, HEADERS, allow_private=True)

    delivery = asyncio.run(run())
    assert (delivery.result, delivery.status) == ("connection_failed", None)
    assert delivery.reason


def test_private_addresses_are_blocked_unless_allowed():
    async def run():
        async with receiver(OK) as (port, requests):
            tried = [
                await deliver(url, BODY, HEADERS)
                for url in (f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/", "https://localhost/", "https://[::1]/")
            ]
            return tried, requests

    tried, requests = asyncio.run(run())
    assert {delivery.result for delivery in tried} == {"blocked"}
    assert requests == []


def test_a_name_that_does_not_exist():
    async def lookup(host, port):
        return []

    delivery = asyncio.run(deliver("https://gone.example.com/", BODY, HEADERS, lookup=lookup))
    assert (delivery.result, delivery.reason) == ("unresolvable", "gone.example.com has no address")


class Recorder(httpcore.AsyncNetworkBackend):
    """Notes who is dialed, and lets nobody through."""

    def __init__(self):
        self.dialed = []

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.dialed.append((host, port))
        raise httpcore.ConnectError("nobody is let through")


def rebinding(*answers):
    """A name service that says something else each time."""
    waiting = list(answers)

    async def lookup(host, port):
        return waiting.pop(0)

    return lookup, waiting


def test_rebinding_does_not_reach_the_inside():
    """The name is public when it is checked and 127.0.0.1 a moment later: nobody asks a second time."""

    async def run():
        async with receiver(OK) as (_, requests):
            recorder = Recorder()
            lookup, waiting = rebinding(["93.184.216.34", "93.184.216.35"], ["127.0.0.1"])
            delivery = await deliver("https://rebind.example.com:8443/", BODY, HEADERS, lookup=lookup, network=recorder)
            again = await deliver("https://rebind.example.com:8443/", BODY, HEADERS, lookup=lookup, network=recorder)
            return delivery, again, recorder.dialed, waiting, requests

    delivery, again, dialed, waiting, requests = asyncio.run(run())
    assert delivery.result == "connection_failed"
    assert dialed == [("93.184.216.34", 8443), ("93.184.216.35", 8443)]
    assert again.result == "blocked"
    assert (waiting, requests) == ([], [])


def test_one_forbidden_address_among_public_ones_blocks_the_try():
    recorder = Recorder()
    lookup, _ = rebinding(["93.184.216.34", "10.0.0.1"])
    delivery = asyncio.run(deliver("https://rebind.example.com/", BODY, HEADERS, lookup=lookup, network=recorder))
    assert (delivery.result, delivery.reason) == ("blocked", "10.0.0.1 is a private address")
    assert recorder.dialed == []


class Diverted(httpcore.AnyIOBackend):
    """Leads a public address to the receiver on loopback, as the routes of the internet would."""

    def __init__(self, port):
        self.port = port
        self.dialed = []

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.dialed.append((host, port))
        return await super().connect_tcp("127.0.0.1", self.port, timeout, local_address, socket_options)


async def public(host, port):
    return ["93.184.216.34"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for hooks.example.com, signed by itself."""
    folder = tmp_path_factory.mktemp("certificate")
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=hooks.example.com",
             "-addext", "subjectAltName=DNS:hooks.example.com"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return folder


def over_tls(certificate, url, tls=None):
    names = []

    async def run():
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        async with receiver(OK, context) as (port, requests):
            network = Diverted(port)
            delivery = await deliver(url, BODY, HEADERS, lookup=public, network=network, tls=tls)
            return delivery, requests, network.dialed

    return *asyncio.run(run()), names


def test_the_checked_address_is_dialed_under_the_original_name(certificate):
    trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    delivery, requests, dialed, names = over_tls(certificate, "https://hooks.example.com:8443/in", trusting)
    assert delivery.result == "delivered"
    assert dialed == [("93.184.216.34", 8443)]
    assert names == ["hooks.example.com"]
    assert b"\r\nHost: hooks.example.com:8443\r\n" in requests[0]


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate):
    delivery, requests, _, names = over_tls(certificate, "https://hooks.example.com/in")
    assert (delivery.result, delivery.status, requests) == ("tls_failed", None, [])
    assert names == ["hooks.example.com"]
    assert "certificate" in delivery.reason.lower()


def test_a_certificate_for_another_name_is_refused(certificate):
    trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    delivery, requests, _, _ = over_tls(certificate, "https://other.example.com/in", trusting)
    assert (delivery.result, requests) == ("tls_failed", [])


def test_a_receiver_without_tls():
    async def plain(reader, writer, requests):
        await reader.read(1)
        writer.write(OK)
        await writer.drain()

    async def run():
        async with receiver(plain) as (port, _):
            return await deliver("https://hooks.example.com/", BODY, HEADERS, lookup=public, network=Diverted(port))

    assert asyncio.run(run()).result == "tls_failed"


def test_fifty_good_receivers_are_not_held_up_by_a_slow_one():
    async def silent(reader, writer, requests):
        await reader.read()

    async def run():
        async with receiver(silent) as (slow, _), receiver(OK) as (good, requests):
            ports = [slow] + [good] * 50
            tries = (deliver(f"http://127.0.0.1:{p}/", BODY, HEADERS, allow_private=True, timeout=1) for p in ports)
            return await asyncio.gather(*tries), requests

    deliveries, requests = asyncio.run(run())
    assert deliveries[0].result == "timed_out"
    assert [delivery.result for delivery in deliveries[1:]] == ["delivered"] * 50
    assert len(requests) == 50


def test_no_proxy_is_used(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert once(OK)[0].result == "delivered"
