"""Tells stories: sets the stage, does what they say step by step, and notes every difference with file and line."""

from __future__ import annotations

from dataclasses import dataclass

import stripe

from tests.stories import (  # noqa: F401  (they fill the grammars)
    contracting,
    crediting,
    grammar,
    granting,
    language,
    opening,
    pausing,
    paying,
    quoting,
    scheduling,
    subscribing,
    taxing,
    using,
)
from tests.stories.expecting import Pair, untold
from tests.stories.grammar import BOOK, HEAD, STEP, Params
from tests.stories.language import Line, Phrase, Story
from tests.stories.stage import Stage


@dataclass(frozen=True, slots=True)
class Difference:
    """A line of a story that is not so."""

    line: Line
    said: str
    found: str

    def __str__(self) -> str:
        return f"{self.line}: {self.line.text}\n    expected  {self.said}\n    found     {self.found}"


class Refused(Exception):
    """The story cannot go on: something was refused, or could not be done."""


def read(name: str, text: str) -> Story:
    """The story, understood. Raises Unclear."""
    return language.read(name, text, BOOK, HEAD, STEP)


def settings(story: Story) -> Params:
    """How the account of the story bills. Unless it says otherwise, money stays in the balance."""
    found: Params = {"payout_interval": "manual"}
    for phrase in story.book:
        found |= phrase.call(**phrase.values)
    return found


def tell(story: Story, stage: Stage) -> list[Difference]:
    """Lives through the story. What is told of the head is not part of it: neither its events nor its postings."""
    differences: list[Difference] = []
    stage.begin(story.steps[0].at)
    for phrase in story.head:
        phrase.call(stage, phrase, **phrase.values)
    stage.hear()
    stage.events = []
    stage.balances = stage.ledger()
    for step in story.steps:
        stage.advance(step.at)
        for phrase in step.phrases:
            try:
                pairs = say(stage, phrase)
            except Refused as stop:
                return [*differences, Difference(phrase.line, "that it can be done", str(stop))]
            differences += [Difference(phrase.line, said, found) for said, found in pairs if said != found]
        differences += [Difference(step.line, said, found) for said, found in untold(stage) if said != found]
    return differences


def say(stage: Stage, phrase: Phrase) -> list[Pair]:
    """Does what a line says, or compares it with how it is."""
    expected = [answer.call(**answer.values) for answer in phrase.below] if acts(phrase) else []
    try:
        pairs = phrase.call(stage, phrase, **phrase.values) or []
    except stripe.StripeError as refusal:
        found = _code(refusal)
        if not expected:
            raise Refused(f"refused {found}: {refusal.user_message or refusal}") from refusal
        return [(expected[0], found)]
    except LookupError as nothing:
        raise Refused(str(nothing)) from nothing
    return [*pairs, *((refusal, "done") for refusal in expected)]


def acts(phrase: Phrase) -> bool:
    """Whether the lines under it say how it was answered."""
    return all(below.call in (grammar.refused, grammar.refused_within, grammar.declined) for below in phrase.below)


def _code(refusal: stripe.StripeError) -> str:
    """ "card_declined generic_decline", "invoice_not_open"; the parameter, where there is no code."""
    error = refusal.error
    decline = getattr(error, "decline_code", None)
    code = refusal.code or getattr(error, "code", None) or getattr(error, "param", None) or "unknown"
    return f"{code} {decline}" if decline else str(code)
