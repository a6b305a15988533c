"""What a tax provider over a network has answered: kept for its day and a day more, or for ever where an invoice rests on it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from voldaan.commands import tax_answers
from voldaan.resources.accounts import Account
from voldaan.resources.shared import Address
from voldaan.rules.automatic_tax import TaxFacts
from voldaan.rules.tax_provider import Recorded, TaxFound, TaxLine, TaxQuery, fingerprint
from voldaan.store import accounts
from voldaan.store.pool import Pool
from voldaan.store.transaction import transaction

pytestmark = pytest.mark.anyio
DAY = 86_400
TODAY = 20_600 * DAY
HERE = Address(country="US", state="NY", postal_code="10001")
TAXES = [(TaxFound("US", Decimal("4.5"), "standard_rated", "NY", "state", "sales_tax"),)]


def asked(amount: int) -> TaxQuery:
    return TaxQuery(HERE, HERE, (), "none", "usd", TODAY, (TaxLine("txcd_10000000", amount, False),))


class Kept:
    """The answers of one account."""

    def __init__(self, pool: Pool, account: Account) -> None:
        self.pool, self.account = pool, account

    async def keep(self, wall: int, *amounts: int) -> None:
        async with transaction(self.pool, self.account, wall, wall) as tx:
            await tax_answers.keep(tx, "near", {fingerprint(asked(n)): (asked(n), TAXES) for n in amounts})

    async def need(self, wall: int, *amounts: int) -> None:
        """Finalizes invoices that rest on these, among others that were asked about."""
        facts = TaxFacts(None, Recorded({}), True, "near")
        facts.answered = {fingerprint(asked(n)): (asked(n), TAXES) for n in range(1, 10)}
        facts.needed = {fingerprint(asked(n)) for n in amounts}
        async with transaction(self.pool, self.account, wall, wall) as tx:
            await tax_answers.need(tx, facts)

    async def prune(self, wall: int) -> set[int]:
        """What is left then."""
        async with transaction(self.pool, self.account, wall, wall) as tx:
            await tax_answers.prune(tx, ["all"])
            questions = {fingerprint(asked(n)): asked(n) for n in range(1, 10)}
            found = await tax_answers.known(tx, "near", questions)
        assert all(answer == TAXES for answer in found.values())
        return {questions[key].lines[0].amount for key in found}

    async def due(self) -> list[tuple[str, int]]:
        async with transaction(self.pool, self.account, 0, 0) as tx:
            return await tx.all(
                "select subject, due_at from due where account_id = %(account)s and kind = 'tax_answers.prune' order by due_at"
            )


@pytest.fixture
def kept(pool: Pool, account: Account) -> Kept:
    return Kept(pool, account)


async def test_answers_go_when_their_day_and_a_day_more_are_over(kept: Kept) -> None:
    await kept.keep(TODAY, 1)
    await kept.keep(TODAY + DAY - 1, 2)
    await kept.keep(TODAY + DAY, 3)
    assert await kept.due() == [("all", TODAY + 2 * DAY), ("all", TODAY + 3 * DAY)], "one for all of a day"
    assert await kept.prune(TODAY + 2 * DAY - 1) == {1, 2, 3}
    assert await kept.prune(TODAY + 2 * DAY) == {3}
    assert await kept.prune(TODAY + 3 * DAY) == set()


async def test_what_a_finalized_invoice_rests_on_stays(kept: Kept) -> None:
    await kept.keep(TODAY, 1, 2, 3)
    await kept.need(TODAY, 2)
    await kept.need(TODAY, 2)
    assert await kept.prune(TODAY + 400 * DAY) == {2}


async def test_an_answer_that_went_while_an_invoice_was_made_of_it_is_kept_again(kept: Kept) -> None:
    await kept.keep(TODAY, 1)
    assert await kept.prune(TODAY + 2 * DAY) == set()
    await kept.need(TODAY + 2 * DAY, 1)
    assert await kept.prune(TODAY + 400 * DAY) == {1}


async def test_only_the_first_to_need_an_answer_waits_for_others(kept: Kept) -> None:
    """Many invoices rest on the same one: who says so again, while another transaction has its row, need not wait."""
    await kept.keep(TODAY, 1)
    await kept.need(TODAY, 1)
    async with transaction(kept.pool, kept.account, TODAY, TODAY) as tx:
        await tx.run("select from tax_answers where account_id = %(account)s for update")
        await kept.need(TODAY, 1)


async def test_nobody_else_loses_theirs(kept: Kept, pool: Pool) -> None:
    other = Kept(pool, (await accounts.create(pool, TODAY, business_name="Other")).account)
    await other.keep(TODAY, 1)
    await kept.keep(TODAY, 1)
    assert await kept.prune(TODAY + 9 * DAY) == set()
    async with transaction(pool, other.account, TODAY, TODAY) as tx:
        assert await tax_answers.known(tx, "near", {fingerprint(asked(1)): asked(1)})
