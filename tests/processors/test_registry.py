"""Which processor takes what, and what is said where there is none."""

from collections.abc import Iterator

import pytest

from tests.processors.asking import AT, buy, word
from voldaan.processors.declines import DECLINES, decline
from voldaan.processors.protocol import Capabilities, Declined
from voldaan.processors.registry import Registry
from voldaan.processors.sandbox import Faults


@pytest.fixture
def registry(dsn: str, run) -> Iterator[Registry]:
    registry = run(Registry.open(dsn, faults=Faults()))
    yield registry
    run(registry.close())


@pytest.mark.parametrize(("type", "livemode", "name"), [
    ("card", False, "sandbox"), ("sepa_debit", False, "sandbox"), ("ideal", False, "sandbox"),
    ("customer_balance", False, "manual"), ("custom", False, "manual"),
    ("customer_balance", True, "manual"), ("custom", True, "manual"),
])
def test_each_method_has_its_processor(registry: Registry, type: str, livemode: bool, name: str) -> None:
    assert registry.route(type, livemode) is registry.get(name)


@pytest.mark.parametrize(("type", "livemode"), [("card", True), ("sepa_debit", True), ("klarna", False), ("klarna", True)])
def test_no_processor_is_a_decline_that_says_so(registry: Registry, type: str, livemode: bool) -> None:
    missing = registry.route(type, livemode)
    assert isinstance(missing, Declined)
    assert (missing.decline.category, missing.decline.code) == ("configuration", "processor_not_configured")
    assert type in missing.decline.message
    assert ("live" if livemode else "test") in missing.decline.message


def test_a_processor_of_ones_own_takes_live_payments(registry: Registry) -> None:
    class Acquirer:
        name = "acquirer"

        def capabilities(self) -> Capabilities:
            return Capabilities(frozenset(), frozenset({"card"}), None, frozenset(), False, False, "key",
                                "by_reference", "sync", frozenset())

    registry.add(acquirer := Acquirer())
    assert registry.route("card", True) is acquirer
    assert registry.route("card", False) is registry.get("sandbox")


def test_the_processors_are_open_for_business(registry: Registry, account: str, run) -> None:
    assert word(run(registry.get("sandbox").authorize(buy(account)))) == "succeeded"
    assert registry.route_payout(False) is registry.get("sandbox")
    assert registry.route_payout(True) is registry.get("manual")
    assert run(registry.get("sandbox").news("nothing", AT)) == []


def test_a_processor_that_is_not_open() -> None:
    with pytest.raises(LookupError, match="No processor named 'sandbox' is open; open are: none"):
        Registry().get("sandbox")


def test_declines_are_complete_and_speak_stripes_words() -> None:
    for code, words in DECLINES.items():
        known = decline(code)
        assert known.code == code.removeprefix("bank:")
        assert known.message.endswith(".")
        assert words.advice in (None, "try_again_later", "do_not_try_again", "confirm_card_data")
        if known.category == "configuration":
            assert known.retry != "later", "a request that was wrong stays wrong"
            assert known.network_decline_code is None
        if words.advice == "do_not_try_again":
            assert known.retry in ("never", "after_update")
    strange = decline("something_new")
    assert (strange.code, strange.raw_code) == ("generic_decline", "something_new")
