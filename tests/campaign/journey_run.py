"""Journeys of several seeds on one server, each in a book of its own, and what was wrong with them."""

from __future__ import annotations

import psycopg
import stripe

from tests.api.books import breaches
from tests.campaign.journey_acts import ACTS
from tests.campaign.journey_checks import at_the_end, parked
from tests.campaign.journeys import Broken, Journey
from tests.conftest import new_account, sdk


def live(dsn: str, address: str, seed: int, length: int) -> Journey:
    """One journey and all that is held against it; `faults` says what is wrong."""
    made = new_account(dsn, business_name=f"Journey {seed}")
    journey = Journey(sdk(address, made.secret_key), seed)
    try:
        journey.run(list(ACTS), list(ACTS.values()), length)
        at_the_end(journey)
    except (Broken, stripe.StripeError) as broken:
        journey.faults.append(str(broken))
    with psycopg.connect(dsn) as connection:
        journey.faults += parked(connection, made.account.id)
    journey.faults += [f"verify {found}" for found in breaches(dsn, made.account.id)]
    return journey


def told(journey: Journey) -> str:
    """What was wrong, and the last that was done before."""
    return "\n".join([f"journey {journey.seed}", *journey.faults[:20], "after", *journey.said[-40:]])


