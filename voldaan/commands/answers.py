"""What a command may answer besides a resource: "show this object once its attempts are settled"."""

from __future__ import annotations

from dataclasses import dataclass

from voldaan.resources.base import Resource


@dataclass(frozen=True, slots=True)
class Answer:
    """The object to show after the attempts of this request are settled.

    `decline_is_error`: a declined attempt answers 402 with the card error, as confirm and pay do.
    """

    id: str
    cls: type[Resource]
    decline_is_error: bool = False
