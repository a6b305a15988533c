"""Places that belong to a member state and not to its value added tax, and the other way round, told by their postal codes.

Source: Directive 2006/112/EC, articles 6 and 7 (what is outside, Monaco as France, the Isle of Man as the United Kingdom), and
105 (regions of Portugal with rates of their own). Checked against the postal codes that the states publish; no address is
looked up, so a code that is missing or wrong counts as the mainland.
"""

from __future__ import annotations

AS = {"MC": "FR", "IM": "GB"}

OUTSIDE = {
    "DE": ("78266", "27498"),                    # Büsingen, Heligoland
    "ES": ("35", "38", "51", "52"),              # the Canary Islands, Ceuta, Melilla
    "FI": ("22",),                               # Åland
    "FR": ("97", "984", "986", "987", "988"),    # overseas; 980 is Monaco, which is inside
    "GR": ("63086", "630 86"),                   # Mount Athos
    "IT": ("23041", "22061"),                    # Livigno, Campione d'Italia
}
REGIONS = {"PT": {"90": "30", "91": "30", "92": "30", "93": "30", "94": "30", "95": "20", "96": "20", "97": "20", "98": "20",
                  "99": "20"}}  # ISO 3166-2: PT-30 Madeira, PT-20 the Azores  # fmt: skip


def country(code: str) -> str:
    """The country whose tax holds in this one."""
    return AS.get(code, code)


def is_outside(country: str, postal_code: str | None) -> bool:
    """Whether the place belongs to the country and not to its value added tax."""
    bare = (postal_code or "").strip()
    return any(bare.startswith(prefix) for prefix in OUTSIDE.get(country, ()))


def region(country: str, postal_code: str | None) -> str | None:
    """The region with rates of its own that the postal code lies in."""
    return REGIONS.get(country, {}).get((postal_code or "").strip()[:2])
