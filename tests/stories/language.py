"""The language of the stories: lines, indented under what they belong to, each a phrase of a grammar. See README.md.

    at 2027-01-31 09:30
        anna subscribes to 2 seat, coupon WELCOME
        invoice ANNA-0001 paid 20.00
            20.00 2 seat, 2027-01-31 09:30 to 2027-02-28 09:30

A phrase is a head and, after commas, clauses. A grammar is a list of patterns with typed places; whatever matches none of
them is unclear, and a story with an unclear line is not told at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from voldaan.rules.money import exponent, format_amount, is_supported

HOME_CURRENCY = "eur"


class Unclear(Exception):
    """A line that is not of the language."""

    def __init__(self, line: Line, why: str) -> None:
        super().__init__(f"{line}: {why}")


@dataclass(slots=True)
class Line:
    """A line of a story, with the lines that are indented under it."""

    file: str
    number: int
    indent: int
    text: str
    below: list[Line] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


def lines(name: str, text: str) -> list[Line]:
    """The lines at the margin. A line that starts with # is for the reader, and so are empty ones."""
    top = Line(name, 0, -1, "")
    above = [top]
    for number, raw in enumerate(text.splitlines(), 1):
        said = raw.strip()
        if not said or said.startswith("#"):
            continue
        line = Line(name, number, len(raw) - len(raw.lstrip(" ")), " ".join(said.split()))
        while above[-1].indent >= line.indent:
            above.pop()
        siblings = above[-1].below
        if siblings and siblings[0].indent != line.indent:
            raise Unclear(line, "is indented like none of the lines above it")
        siblings.append(line)
        above.append(line)
    return top.below


# Values ----------------------------------------------------------------------------------------------------------------


class Money(NamedTuple):
    """An amount in minor units, and its currency."""

    amount: int
    currency: str

    def __str__(self) -> str:
        number, code = format_amount(self.amount, self.currency).replace(",", "").split(" ")
        return number if self.currency == HOME_CURRENCY else f"{number} {code}"


def money(text: str) -> Money:
    """ "31.00" is euros; others say what they are: "500 JPY". With exactly the digits that the currency has."""
    number, _, code = text.partition(" ")
    currency = code.lower() or HOME_CURRENCY
    if not is_supported(currency):
        raise ValueError(f"{code} is no currency")
    digits = len(number.partition(".")[2])
    if digits != exponent(currency):
        raise ValueError(f"{text} has {digits} digits behind the point, {currency.upper()} has {exponent(currency)}")
    return Money(int(Decimal(number).scaleb(digits)), currency)


def instant(text: str) -> int:
    """ "2027-01-31", "2027-01-31 09:30" or with seconds, UTC, as epoch seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def written(at: int | None) -> str:
    """Epoch seconds as stories write them."""
    if at is None:
        return "never"
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return text.removesuffix(":00").removesuffix(" 00:00")


def items(text: str) -> list[tuple[str, int]]:
    """ "pro and 3 seat" as prices with quantities."""
    found = []
    for part in text.split(" and "):
        number, _, price = part.rpartition(" ")
        found.append((price, int(number or 1)))
    return found


def words(text: str) -> list[str]:
    return text.split()


INVOICE = r"[A-Z0-9]+-\d{4}|(?:draft|latest) of [a-z]+"
PLACES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "amount": (r"-?\d+(?:\.\d+)?(?: [A-Z]{3})?", money),
    "code": (r"[A-Z0-9]+", str),
    "invoice": (INVOICE, str),
    "items": (r"(?:\d+ )?[a-z]+(?: and (?:\d+ )?[a-z]+)*", items),
    "card": (r"[A-Za-z0-9_]+", str),
    "label": (r"[A-Za-z0-9](?:[A-Za-z0-9 ]| -(?=[0-9]))*", str),
    "n": (r"\d+", int),
    "note": (r"[A-Z0-9]+-\d{4}-CN-\d\d", str),
    "numbers": (r"\d+(?: \d+)*", lambda text: [int(n) for n in text.split()]),
    "param": (r"[a-z_]+(?:\[\w+\])+", str),
    "sub": (r"[a-z]+(?:'s [a-z]+)?", str),
    "text": (r".+", str),
    "when": (r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?", instant),
    "who": (r"[a-z]+", str),
    "word": (r"[A-Za-z][A-Za-z0-9_]*", str),
    "zone": (r"[A-Za-z_]+(?:/[A-Za-z_]+)*", str),
    "words": (r"[a-z][a-z0-9_. ]*", words),
}
PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")


# Grammar ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Phrase:
    """A line or a clause that was understood: what it does, with which values, clauses and lines under it."""

    line: Line
    call: Callable[..., Any]
    values: dict[str, Any]
    clauses: list[Phrase]
    below: list[Phrase]


@dataclass(slots=True)
class Rule:
    pattern: re.Pattern[str]
    kinds: dict[str, str]
    call: Callable[..., Any]
    clauses: Grammar | None
    below: Grammar | None


class Grammar:
    """The phrases of one place: what may be said at the margin, under `at`, after a comma, under an invoice."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rules: list[Rule] = []

    def __call__(
        self, pattern: str, clauses: Grammar | None = None, below: Grammar | None = None
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Makes a function the meaning of a pattern such as "<who> pays <amount>"; `<name:kind>` names a place."""
        kinds: dict[str, str] = {}

        def place(found: re.Match[str]) -> str:
            kind = found[2]
            name = found[1] or kind
            kinds[name] = kind
            return f"(?P<{name}>{PLACES[kind][0]})"

        compiled = re.compile(PLACE.sub(place, pattern.replace("(", r"\(").replace(")", r"\)")))

        def file(call: Callable[..., Any]) -> Callable[..., Any]:
            self.rules.append(Rule(compiled, kinds, call, clauses, below))
            return call

        return file

    def read(self, line: Line, text: str | None = None) -> Phrase:
        """The first pattern that matches. Raises Unclear."""
        head, *rest = (line.text if text is None else text).split(", ")
        for rule in self.rules:
            if found := rule.pattern.fullmatch(head):
                return self._phrase(rule, found, line, rest, [] if text is not None else line.below)
        raise Unclear(line, f"{head!r} is no {self.name}")

    def _phrase(self, rule: Rule, found: re.Match[str], line: Line, rest: list[str], below: list[Line]) -> Phrase:
        try:
            values = {name: PLACES[kind][1](found[name]) for name, kind in rule.kinds.items()}
        except ValueError as wrong:
            raise Unclear(line, str(wrong)) from wrong
        if rest and rule.clauses is None:
            raise Unclear(line, f"nothing more can be said here: {rest[0]!r}")
        if below and rule.below is None:
            raise Unclear(below[0], "nothing can stand under this line")
        return Phrase(
            line,
            rule.call,
            values,
            [rule.clauses.read(line, clause) for clause in rest] if rule.clauses else [],
            [rule.below.read(each) for each in below] if rule.below else [],
        )


# Stories ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Step:
    """What happens at one instant, and what is so afterwards."""

    line: Line
    at: int
    phrases: list[Phrase]


@dataclass(slots=True)
class Story:
    """`book` says how the account bills, `head` who and what there is."""

    name: str
    book: list[Phrase] = field(default_factory=list)
    head: list[Phrase] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


AT = re.compile(f"at ({PLACES['when'][0]})")
LAST_WORDS = "verify clean"


def read(name: str, text: str, book: Grammar, head: Grammar, step: Grammar) -> Story:
    """The whole story, understood. Raises Unclear with file and line."""
    story = Story(name)
    every = lines(name, text)
    for line in every:
        if found := AT.fullmatch(line.text):
            at = instant(found[1])
            if story.steps and at < story.steps[-1].at:
                raise Unclear(line, "time does not go back")
            story.steps.append(Step(line, at, [step.read(each) for each in line.below]))
        elif story.steps:
            raise Unclear(line, "only `at` stands at the margin once the story has begun")
        elif line.text.startswith("account "):
            story.book.append(book.read(line))
        else:
            story.head.append(head.read(line))
    if not story.steps or not every[-1].below or every[-1].below[-1].text != LAST_WORDS:
        raise Unclear(every[-1] if every else Line(name, 0, 0, ""), f"a story ends with `{LAST_WORDS}`")
    return story
