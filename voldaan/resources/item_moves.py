"""Moving a subscription item to another subscription of the same customer."""

from __future__ import annotations

from typing import Literal

from voldaan.resources.params import Params


class ItemMove(Params):
    """The rest of its period is given back where it was, and charged where it goes: items that wait for the next invoices."""

    subscription_item: str
    to: str
    proration_behavior: Literal["create_prorations", "none"] = "create_prorations"
