"""The tax providers over a network that this process may ask: those that VOLDAAN_TAX_PROVIDERS names.

    VOLDAAN_TAX_PROVIDERS='{"ours": {"url": "https://tax.example.com/quote", "secret": "…"}}'
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated

import msgspec

from voldaan.rules.tax_provider import LOCAL
from voldaan.taxes.remote import RemoteTaxProvider
from voldaan.taxes.wire import SECONDS, HttpTaxProvider

Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """Where a provider is, the secret that it knows us by, and how long one answer may take."""

    url: Annotated[str, msgspec.Meta(pattern="^https?://")]
    secret: str = ""
    seconds: Annotated[float, msgspec.Meta(gt=0, le=20)] = SECONDS


def remote() -> Mapping[str, RemoteTaxProvider]:
    """By name. Raises ValueError if the environment is not as described above."""
    return _read(os.environ.get("VOLDAAN_TAX_PROVIDERS", ""))


@cache
def _read(text: str) -> Mapping[str, RemoteTaxProvider]:
    entries = msgspec.json.decode(text, type=dict[Name, Entry]) if text else {}
    if LOCAL in entries:
        raise ValueError(f"VOLDAAN_TAX_PROVIDERS: {LOCAL} is the provider that comes with the program")
    return {name: HttpTaxProvider(entry.url, entry.secret, entry.seconds) for name, entry in entries.items()}
