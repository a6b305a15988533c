"""Sheets on paper: typst sets them, with the fonts that it carries, which go into the PDF. Only a sheet with letters that these
do not have, such as Chinese ones, is set with the fonts of the machine as well; where it has none, boxes stand for them.

The compilers are kept, so that a sheet takes milliseconds.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import msgspec
import typst

HERE = Path(__file__).parent
TYPE = "application/pdf"

# Latin, Greek and Cyrillic, marks, currencies, arrows and signs of arithmetic: what typst's own fonts have for certain.
OWN_FONTS = re.compile(r"[\u0000-\u04ff\u1e00-\u22ff]*")

_one_at_a_time = Lock()  # the compilers' memory of fonts and sources is one


@cache
def _compiler(machine: bool) -> typst.Compiler:
    return typst.Compiler(str(HERE / "sheet.typ"), root=str(HERE), ignore_system_fonts=not machine)


def make(sheet: dict[str, Any], at: int) -> bytes:
    """The PDF of a sheet, as of `at` (epoch seconds). The same sheet gives the same bytes; on another machine too, unless its
    fonts are needed.
    """
    data = msgspec.json.encode(sheet).decode()
    machine = not OWN_FONTS.fullmatch(data)
    with _one_at_a_time:
        made = _compiler(machine).compile(format="pdf", sys_inputs={"data": data}, timestamp=datetime.fromtimestamp(at, UTC))
    assert isinstance(made, bytes)
    return made


def headers(name: str, *, inline: bool) -> dict[str, str]:
    """Of an answer that is a PDF. Numbers may have any letters, and headers may not: RFC 6266."""
    shown = "".join(letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else "_" for letter in name)
    exactly = "" if shown == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    kept = "inline" if inline else "attachment"
    return {"content-type": TYPE, "content-disposition": f'{kept}; filename="{shown}"{exactly}'}


async def print_out(sheet: dict[str, Any], at: int) -> bytes:
    """The same, while others are served."""
    return await asyncio.to_thread(make, sheet, at)
