"""An endpoint that would never be called is refused when it is registered, and the way out is named."""

from __future__ import annotations

import pytest

from voldaan.commands.webhook_endpoints import check_url
from voldaan.rules.decision import Refused

INSIDE = ["http://localhost:4242/webhook", "https://localhost/webhook", "https://10.0.0.7/", "http://example.com/hook",
          "https://example.com:8080/hook"]  # fmt: skip
NEVER = ["https://169.254.169.254/latest", "ftp://example.com/", "nowhere"]


@pytest.mark.parametrize("url", INSIDE)
def test_what_is_not_public_needs_the_setting(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOLDAAN_WEBHOOKS_PRIVATE", raising=False)
    with pytest.raises(Refused, match="VOLDAAN_WEBHOOKS_PRIVATE=1") as refused:
        check_url(url, livemode=False)
    assert (refused.value.refusal.code, refused.value.refusal.param) == ("url_invalid", "url")
    monkeypatch.setenv("VOLDAAN_WEBHOOKS_PRIVATE", "1")
    check_url(url, livemode=False)


@pytest.mark.parametrize("url", NEVER)
def test_what_is_never_called_is_refused_whatever_the_setting(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLDAAN_WEBHOOKS_PRIVATE", "1")
    with pytest.raises(Refused):
        check_url(url, livemode=False)


def test_the_public_internet_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOLDAAN_WEBHOOKS_PRIVATE", raising=False)
    check_url("https://example.com/hook", livemode=True)
