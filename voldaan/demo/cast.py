"""Who buys: every customer's story is drawn from the seed before anything happens, so that the same seed gives the same books."""

from __future__ import annotations

import random
from dataclasses import dataclass

DAY = 86_400

FIRST = [
    "Anna", "Bram", "Chiara", "Daan", "Elif", "Femke", "Gijs", "Hana", "Ines", "Joris", "Kaya", "Lotte", "Mees", "Noor", "Otto",
    "Priya", "Quinten", "Roos", "Sem", "Tess", "Umut", "Vera", "Wout", "Xenia", "Yara", "Zoë",
]  # fmt: skip
LAST = [
    "de Vries", "Jansen", "Bakker", "Visser", "Smit", "Meijer", "de Boer", "Mulder", "de Groot", "Bos", "Vos", "Peters",
    "Hendriks", "van Dijk", "Kok", "Dekker", "Brouwer", "de Wit", "Dijkstra", "Willems", "Okafor", "Rossi", "Novak", "Larsen",
]  # fmt: skip
CITIES = ["Amsterdam", "Utrecht", "Rotterdam", "Groningen", "Eindhoven", "Haarlem", "Maastricht", "Zwolle"]

# payment method, share of customers in a thousand
CARDS = [
    ("pm_card_visa", 600),
    ("pm_card_mastercard", 270),
    ("pm_card_amex", 60),
    ("pm_card_chargeCustomerFail", 30),    # can be saved, and declines when it is charged
    ("pm_card_createDispute", 15),         # the cardholder disputes the first payment
    ("pm_card_refundFail", 25),
]
# plan, share in a thousand
PLANS = [("basic", 420), ("team", 300), ("pro", 160), ("basic_yearly", 80), ("team_yearly", 40)]


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer's story. Days count from the first day of the demo; None: it does not happen."""

    number: int
    name: str
    email: str
    city: str
    card: str
    plan: str
    seats: int
    joins: int                      # day
    pays_by_transfer: bool          # invoiced, pays by bank transfer some days later
    transfer_days: int
    never_pays: bool
    trial_days: int
    coupon: str | None
    first_tries_declined_card: bool
    card_expires: int | None        # day from which the card declines
    upgrades: int | None            # day
    new_seats: int
    cancels: int | None             # day
    cancels_at_once: bool
    asks_refund: int | None         # day
    updates_card_after: int | None  # days after a failed payment; None: never


def cast(seed: int, customers: int, days: int) -> list[Customer]:
    """The whole cast, in the order in which they join."""
    chance = random.Random(f"voldaan {seed}")
    # The later of two drawn days: more join later than earlier, the business grows.
    joined = sorted(max(chance.randrange(days), chance.randrange(days)) for _ in range(customers))
    return [_customer(chance, number, day, days) for number, day in enumerate(joined, start=1)]


def _customer(chance: random.Random, number: int, joins: int, days: int) -> Customer:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    plan = _weighted(chance, PLANS)
    transfer = plan.startswith("team") and chance.randrange(100) < 25
    leaves = chance.randrange(100) < 26
    return Customer(
        number=number,
        name=f"{first} {last}",
        email=f"{first}.{last.replace(' ', '')}.{number}@example.com".lower(),
        city=chance.choice(CITIES),
        card=_weighted(chance, CARDS),
        plan=plan,
        seats=chance.randint(2, 12) if plan.startswith("team") else 1,
        joins=joins,
        pays_by_transfer=transfer,
        transfer_days=chance.choice([5, 9, 12, 18, 35, 50]),
        never_pays=transfer and chance.randrange(100) < 8,
        trial_days=14 if chance.randrange(100) < 15 else 0,
        coupon=chance.choice(["LAUNCH20", "FRIENDS"]) if chance.randrange(100) < 15 else None,
        first_tries_declined_card=chance.randrange(100) < 5,
        card_expires=joins + chance.randint(20, 150) if not transfer and chance.randrange(100) < 16 else None,
        upgrades=joins + chance.randint(20, 200) if chance.randrange(100) < 25 else None,
        new_seats=chance.randint(3, 20),
        cancels=joins + chance.randint(25, max(26, days // 2)) if leaves else None,
        cancels_at_once=chance.randrange(100) < 30,
        asks_refund=joins + chance.randint(2, 60) if chance.randrange(100) < 6 else None,
        updates_card_after=chance.randint(1, 9) if chance.randrange(100) < 65 else None,
    )


def _weighted(chance: random.Random, choices: list[tuple[str, int]]) -> str:
    return chance.choices([name for name, _ in choices], [weight for _, weight in choices])[0]
