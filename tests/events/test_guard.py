"""Sixty and more URLs that somebody tried on a webhook form once."""

import asyncio
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voldaan.events import guard
from voldaan.events.guard import Blocked, Unresolvable

# URL → blocked, or host:port and path. With `private`: what a developer's setting allows.
CORPUS = r"""
https://example.com                              example.com:443 /
https://example.com/hooks?x=1                    example.com:443 /hooks?x=1
https://example.com?x=1                          example.com:443 /?x=1
https://EXAMPLE.com:8443/Hooks#part              example.com:8443 /Hooks
https://sub.xn--mnchen-3ya.de/a                  sub.xn--mnchen-3ya.de:443 /a
https://93.184.216.34/                           93.184.216.34:443 /
https://[2606:2800:220:1:248:1893:25c8:1946]/    2606:2800:220:1:248:1893:25c8:1946:443 /
https://example.com/@x                           example.com:443 /@x
https://example.com:443/\x                       example.com:443 /\x
http://example.com/                              blocked
ftp://example.com/                               blocked
file:///etc/passwd                               blocked
gopher://example.com/                            blocked
javascript:alert(1)                              blocked
//example.com/                                   blocked
example.com                                      blocked
https:example.com                                blocked
https:///example.com                             blocked
https://                                         blocked
https://example.com:22/                          blocked
https://example.com:80/                          blocked
https://example.com:0/                           blocked
https://example.com:443443/                      blocked
https://example.com:/                            blocked
https://user@example.com/                        blocked
https://user:pass@example.com/                   blocked
https://example.com@127.0.0.1/                   blocked
https://127.0.0.1\@example.com/                  blocked
https://example.com\.evil.test/                  blocked
https://example.com%2f@evil.test/                blocked
https://%31%32%37.0.0.1/                         blocked
https://ex%61mple.com/                           blocked
https://example.com./                            blocked
https://.example.com/                            blocked
https://example..com/                            blocked
https://-example.com/                            blocked
https://localhost/                               blocked
https://intranet/                                blocked
https://127.0.0.1/                               blocked
https://127.1/                                   blocked
https://127.0.1/                                 blocked
https://2130706433/                              blocked
https://017700000001/                            blocked
https://0177.0.0.1/                              blocked
https://0x7f.0.0.1/                              blocked
https://0x7f000001/                              blocked
https://127.0.0.0x1/                             blocked
https://127.0.0.01/                              blocked
https://example.1/                               blocked
https://0/                                       blocked
https://0.0.0.0/                                 blocked
https://10.0.0.1/                                blocked
https://172.16.0.1/                              blocked
https://192.168.1.1/                             blocked
https://100.64.0.1/                              blocked
https://100.100.100.200/                         blocked
https://169.254.169.254/latest/meta-data/        blocked
https://168.63.129.16/                           blocked
https://192.0.0.192/                             blocked
https://198.18.0.1/                              blocked
https://224.0.0.1/                               blocked
https://255.255.255.255/                         blocked
https://[::1]/                                   blocked
https://[::]/                                    blocked
https://[::ffff:127.0.0.1]/                      blocked
https://[::ffff:7f00:1]/                         blocked
https://[::ffff:8.8.8.8]/                        blocked
https://[::127.0.0.1]/                           blocked
https://[64:ff9b::7f00:1]/                       blocked
https://[64:ff9b::10.0.0.1]/                     blocked
https://[64:ff9b:1::1]/                          blocked
https://[2002:7f00:1::]/                         blocked
https://[2001:0:7f00:1::]/                       blocked
https://[2001:db8::1]/                           blocked
https://[fe80::1]/                               blocked
https://[fe80::1%25eth0]/                        blocked
https://[fe80::1%eth0]/                          blocked
https://[fc00::1]/                               blocked
https://[fd00:ec2::254]/                         blocked
https://[ff02::1]/                               blocked
https://[::1/                                    blocked
https://::1/                                     blocked
https://[127.0.0.1]/                             blocked
https://[example.com]/                           blocked
https://１２７.0.0.1/                            blocked
https://127。0。0。1/                            blocked
https://ⓔxample.com/                             blocked
https://example.com/é                            blocked
private  http://127.0.0.1:4242/hooks             127.0.0.1:4242 /hooks
private  http://localhost:4242                   localhost:4242 /
private  https://localhost/x                     localhost:443 /x
private  http://[::1]:4242/                      ::1:4242 /
private  http://192.168.1.7/                     192.168.1.7:80 /
private  http://[fd12::7]/                       fd12::7:80 /
private  http://169.254.169.254/                 blocked
private  http://[fd00:ec2::254]/                 blocked
private  http://[fe80::1]/                       blocked
private  http://[::ffff:127.0.0.1]/              blocked
private  http://0.0.0.0/                         blocked
private  http://100.64.0.1/                      blocked
private  http://2130706433/                      blocked
private  http://localhost:0/                     blocked
private  ftp://localhost/                        blocked
"""


@pytest.mark.parametrize("line", CORPUS.strip().splitlines())
def test_where_a_webhook_may_go(line):
    private = line.startswith("private ")
    url, expected = line.removeprefix("private ").split(maxsplit=1)
    try:
        target = guard.read(url, allow_private=private)
        read = f"{target.host}:{target.port} {target.path}"
    except Blocked:
        read = "blocked"
    assert read == expected


# The last two are the Kelvin sign and the long s, which lower() or a careless expression turns into k and s.
@pytest.mark.parametrize("inside", ["\t", "\n", "\r", " ", "\0", "\x7f", "\u200b", "\ud800", "\u212a", "\u017f"])
def test_nothing_invisible_is_in_a_url(inside):
    for url in (f"https://exam{inside}ple.com/", f"https://example.com/a{inside}b", f"{inside}https://example.com/",
                f"https://example.com/{inside}"):  # fmt: skip
        with pytest.raises(Blocked):
            guard.read(url)


def test_a_url_has_a_limit():
    assert guard.read("https://example.com/" + "a" * 2_028)
    with pytest.raises(Blocked):
        guard.read("https://example.com/" + "a" * 2_029)
    with pytest.raises(Blocked):
        guard.read("https://" + "a." * 200 + "com/")


def test_the_host_header():
    assert guard.read("https://example.com/").authority == "example.com"
    assert guard.read("https://example.com:8443/").authority == "example.com:8443"
    assert guard.read("http://[::1]:80/", allow_private=True).authority == "[::1]"
    assert guard.read("http://[::1]:443/", allow_private=True).authority == "[::1]:443"


def answering(*addresses: str):
    async def lookup(host: str, port: int) -> list[str]:
        return list(addresses)

    return lookup


def resolved(url: str, *addresses: str, allow_private: bool = False) -> list[str]:
    target = guard.read(url, allow_private=allow_private)
    return asyncio.run(guard.resolve(target, allow_private=allow_private, lookup=answering(*addresses)))


def test_a_name_with_public_addresses_is_resolved():
    found = ["2606:2800:220:1::1", "93.184.216.34"]
    assert resolved("https://example.com/", *found) == found
    assert resolved("https://93.184.216.34/") == ["93.184.216.34"]


@pytest.mark.parametrize(
    "bad", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "0.0.0.0", "not one"]
)
def test_one_forbidden_address_blocks_the_name(bad):
    for addresses in ((bad,), ("93.184.216.34", bad), (bad, "93.184.216.34")):
        with pytest.raises(Blocked):
            resolved("https://rebind.example.com/", *addresses)


def test_a_name_without_an_address():
    with pytest.raises(Unresolvable):
        resolved("https://example.com/")


def test_private_addresses_behind_a_name_where_they_are_allowed():
    assert resolved("http://localhost:1/", "127.0.0.1", "::1", allow_private=True) == ["127.0.0.1", "::1"]
    with pytest.raises(Blocked):
        resolved("http://metadata.internal/", "169.254.169.254", allow_private=True)


def test_the_system_knows_localhost():
    target = guard.read("http://localhost:4242/", allow_private=True)
    assert "127.0.0.1" in asyncio.run(guard.resolve(target, allow_private=True))


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_let_through(address):
    try:
        guard.check(str(address))
    except Blocked:
        return
    assert ip_address(str(address)).is_global
    assert not address.is_multicast


@given(st.text(max_size=40))
def test_only_a_target_or_blocked_comes_out(text):
    for url in (text, f"https://{text}", f"https://example.com{text}"):
        try:
            target = guard.read(url)
        except Blocked:
            continue
        assert target.scheme == "https"
        assert target.host.isascii()
