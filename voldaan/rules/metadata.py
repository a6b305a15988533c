"""Metadata: the caller's own keys on an object, merged at every update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic_core import PydanticCustomError

from voldaan.resources.params import merge_metadata
from voldaan.rules.refusals import refused


def merged(old: Mapping[str, str], given: Mapping[str, str] | Literal[""]) -> dict[str, str]:
    """What is stored after an update: an empty value deletes its key, "" deletes all. Refuses more than 50 keys."""
    try:
        return merge_metadata(old, given)
    except PydanticCustomError as too_many:
        raise refused(too_many.message(), "metadata") from too_many
