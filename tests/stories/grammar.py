"""The grammars of the stories, one for each place where something may be said, and how clauses become parameters."""

from __future__ import annotations

from typing import Any

from tests.stories.language import Grammar, Phrase
from tests.stories.stage import Stage

Params = dict[str, Any]

BOOK = Grammar("setting of the account")          # how the account bills: functions return settings
HEAD = Grammar("opening")                         # what there is before the story begins
STEP = Grammar("step")                            # what happens, and what is so afterwards: functions return what is not so
ANSWER = Grammar("answer to what was done")       # under an act: that it is refused
MORE = Grammar("list of event types")             # a list that goes on in the lines under it
FOR_PRICE = Grammar("clause of a price")
FOR_COUPON = Grammar("clause of a coupon")
FOR_CUSTOMER = Grammar("clause of a customer")
FOR_SUBSCRIPTION = Grammar("clause of a subscription")
FOR_CANCEL = Grammar("clause of a cancellation")
FOR_ITEM = Grammar("clause of an invoice item")
FOR_INVOICE = Grammar("clause of a new invoice")
FOR_PAYING = Grammar("clause of paying an invoice")
FOR_PAYMENT = Grammar("clause of a payment")
FOR_REFUND = Grammar("clause of a refund")
FOR_GRANT = Grammar("clause of a grant of billing credits")


def params(stage: Stage, clauses: list[Phrase], **given: Any) -> Params:
    """The parameters of a call: what is given, and what the clauses add. Lists grow."""
    found = dict(given)
    for clause in clauses:
        for name, value in clause.call(stage, **clause.values).items():
            found[name] = [*found.get(name, []), *value] if isinstance(value, list) else value
    return found


def over(stage: Stage, terms: Params) -> Any:
    """The SDK's /v1 over the line that the terms ask for, which is then no parameter any more."""
    return (stage.lossy() if terms.pop("lossy", False) else stage.client).v1


for _clauses in (FOR_SUBSCRIPTION, FOR_PAYING, FOR_PAYMENT, FOR_REFUND):

    @_clauses("over a line that loses every reply")
    def lossy(stage: Stage) -> Params:
        """The network does what it is asked, and nobody hears of it."""
        return {"lossy": True}


def listed(said: Phrase) -> list[str]:
    """The words of a line and of those under it."""
    return [word for line in (said, *said.below) for word in line.values["words"]]


@MORE("<words>")
def more(stage: Stage, said: Phrase, words: list[str]) -> None:
    """Read by `listed`."""


@ANSWER("refused <code:word>")
def refused(code: str) -> str:
    return code


@ANSWER("refused <code:word> <decline:word>")
def declined(code: str, decline: str) -> str:
    return f"{code} {decline}"


@ANSWER("refused <param:param>")
def refused_within(param: str) -> str:
    """The part of a hash or a list that is to blame."""
    return param
