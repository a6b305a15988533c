"""A payment is charged once, whatever is lost, repeated or sent at the same time; and the test can fail."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.processors.asking import AT, buy, capture, method, refund, sync, word
from voldaan.processors.protocol import Declined, Flow, NotSent, Outcome, Request, Succeeded, Unknown
from voldaan.processors.sandbox import Faults, SandboxNetwork


@pytest.fixture
def opened(dsn: str, run) -> Iterator[Callable[..., SandboxNetwork]]:
    networks: list[SandboxNetwork] = []

    def opened(**faults: object) -> SandboxNetwork:
        networks.append(network := SandboxNetwork(dsn, Faults(**faults)))
        run(network.open())
        return network

    yield opened
    for network in networks:
        run(network.close())


async def gathered(calls: list[Awaitable[Outcome]]) -> list[Outcome]:
    return list(await asyncio.gather(*calls))


def charges(network: SandboxNetwork, account: str, run, flow: Flow = Flow.AUTHORIZE) -> list[int]:
    return [r.amount for r in run(network.records(account)) if r.flow == flow and r.status == "succeeded"]


def test_the_same_key_twice_is_one_charge(opened, account: str, run) -> None:
    network = opened()
    request = buy(account)
    first, again = run(network.authorize(request)), run(network.authorize(request))
    assert first == again
    assert charges(network, account, run) == [1000]


def test_the_same_key_two_hundred_times_at_once_is_one_charge(opened, account: str, run) -> None:
    """In one process, and in two networks on the same books as two processes would have them."""
    here, there = opened(), opened()
    request = buy(account)
    outcomes = run(gathered([n.authorize(request) for n in (here, there) for _ in range(100)]))
    assert len(outcomes) == 200
    assert {o.processor_id for o in outcomes} == {outcomes[0].processor_id}
    assert charges(here, account, run) == [1000]


def test_two_networks_that_repeat_each_other_in_opposite_order(opened, account: str, run) -> None:
    here, there = opened(), opened()
    requests = [buy(account, method("pm_card_visa"), 1000 + n) for n in range(300)]
    run(gathered([*map(here.authorize, requests), *map(there.authorize, reversed(requests))]))
    assert sorted(charges(here, account, run)) == [r.amount for r in requests]


def test_another_attempt_for_the_same_thing_charges_again(opened, account: str, run) -> None:
    network = opened()
    for _ in range(2):
        run(network.authorize(buy(account)))
    assert charges(network, account, run) == [1000, 1000]


def test_a_key_for_another_reference_is_refused(opened, account: str, run) -> None:
    network = opened()
    first = buy(account)
    run(network.authorize(first))
    other = Request(**{f: getattr(first, f) for f in first.__slots__} | {"attempt_id": "att_other"})
    outcome = run(network.authorize(other))
    assert isinstance(outcome, Declined)
    assert outcome.decline.code == "idempotency_key_in_use"
    assert charges(network, account, run) == [1000]


def test_two_accounts_may_use_the_same_reference_and_key(opened, account: str, run) -> None:
    network = opened()
    for book in (account, account + "x"):
        run(network.authorize(buy(book, reference="att_same")))
        assert charges(network, book, run) == [1000]


def test_a_lost_reply_is_unknown_and_sync_finds_the_charge(opened, account: str, run) -> None:
    network = opened(lost_reply=1)
    request = buy(account)
    assert isinstance(run(network.authorize(request)), Unknown)
    network.faults.lost_reply = 0
    found = run(network.sync(sync(request, AT)))
    assert isinstance(found, Succeeded)
    assert found == run(network.authorize(request))
    assert charges(network, account, run) == [1000]


def test_a_lost_request_is_unknown_and_sync_says_it_never_came(opened, account: str, run) -> None:
    network = opened(lost_request=1)
    request = buy(account)
    assert isinstance(run(network.authorize(request)), Unknown)
    assert isinstance(run(network.sync(sync(request, AT))), Unknown)
    network.faults.lost_request = 0
    assert isinstance(run(network.sync(sync(request, AT))), NotSent)
    assert run(network.records(account)) == []
    assert isinstance(run(network.authorize(request)), Succeeded)
    assert charges(network, account, run) == [1000]


def test_another_account_cannot_ask_about_a_payment(opened, account: str, run) -> None:
    network = opened()
    request = buy(account)
    paid = run(network.authorize(request))
    stranger = sync(buy("acct_stranger"), AT)
    for asked in ({"attempt_id": request.attempt_id}, {"processor_id": paid.processor_id}):
        question = type(stranger)(**{f: getattr(stranger, f) for f in stranger.__slots__} | asked)
        assert isinstance(run(network.sync(question)), NotSent)
    assert run(network.refund(refund("acct_stranger", paid.processor_id, 10))).decline.code == "resource_missing"


def test_delivery_twice_charges_once(opened, account: str, run) -> None:
    network = opened(duplicate=1)
    run(network.authorize(buy(account)))
    assert charges(network, account, run) == [1000]


def persist(network: SandboxNetwork, request: Request) -> Awaitable[Outcome]:
    """As the engine does it: while the outcome is unknown, ask; when it never arrived, send the same again."""
    async def persisted() -> Outcome:
        outcome = await network.authorize(request)
        while isinstance(outcome, Unknown | NotSent):
            outcome = await network.sync(sync(request, request.at))
            if isinstance(outcome, NotSent):
                outcome = await network.authorize(request)
        return outcome

    return persisted()


def test_many_payments_through_a_bad_line_are_charged_once_each(opened, account: str, run) -> None:
    network = opened(lost_reply=0.2, lost_request=0.1, duplicate=0.1, seed=7)
    requests = [buy(account, method("pm_card_visa"), 1000 + n) for n in range(300)]
    outcomes = run(gathered([persist(network, r) for r in requests]))
    assert all(isinstance(o, Succeeded) for o in outcomes)
    assert sorted(charges(network, account, run)) == [r.amount for r in requests]


def test_a_network_that_forgets_charges_twice(opened, account: str, run) -> None:
    """The negative control: with keys and references forgotten the same persistence must charge some payments twice."""
    network = opened(lost_reply=0.2, lost_request=0.1, seed=7, ignore_idempotency_keys=True)
    requests = [buy(account, method("pm_card_visa"), 1000 + n) for n in range(100)]
    run(gathered([persist(network, r) for r in requests]))
    charged = charges(network, account, run)
    assert set(charged) == {r.amount for r in requests}
    assert len(charged) > 110
    payment = run(network.authorize(buy(account, amount=700)))
    network.faults.lost_reply = network.faults.lost_request = 0
    twice = refund(account, payment.processor_id, 100) if isinstance(payment, Succeeded) else None
    if twice:
        for _ in range(2):
            run(network.refund(twice))
        assert charges(network, account, run, Flow.REFUND) == [100, 100]


def test_refunds_and_captures_are_done_once_too(opened, account: str, run) -> None:
    network = opened()
    held = run(network.authorize(buy(account, capture="manual")))
    take = capture(account, held.processor_id, 600)
    takes = run(gathered([network.capture(take) for _ in range(20)]))
    assert {word(o) for o in takes} == {"succeeded"}
    back = refund(account, held.processor_id, 200)
    backs = run(gathered([network.refund(back) for _ in range(20)]))
    assert len({o.processor_id for o in backs}) == 1
    assert charges(network, account, run, Flow.CAPTURE) == [600]
    assert charges(network, account, run, Flow.REFUND) == [200]


def test_refunds_that_race_never_exceed_the_payment(opened, account: str, run) -> None:
    here, there = opened(), opened()
    paid = run(here.authorize(buy(account, amount=1000)))
    refunds = [refund(account, paid.processor_id, 150) for _ in range(20)]
    outcomes = run(gathered([n.refund(r) for n, r in zip([here, there] * 10, refunds, strict=True)]))
    assert sum(isinstance(o, Succeeded) for o in outcomes) == 6
    assert {o.decline.code for o in outcomes if isinstance(o, Declined)} == {"amount_too_large"}
    assert sum(charges(here, account, run, Flow.REFUND)) == 900


def test_one_unreadable_request_does_not_harm_its_neighbours(opened, account: str, run) -> None:
    network = opened()
    requests = [buy(account, method("pm_card_visa"), 1000 + n) for n in range(20)]
    bad = buy(account, reference="att_\x00")
    outcomes = run(gathered([network.authorize(r) for r in [*requests[:10], bad, *requests[10:]]]))
    assert [word(o) for o in outcomes].count("succeeded") == 20
    assert isinstance(outcomes[10], Declined)
    assert len(charges(network, account, run)) == 20


def test_a_thousand_at_once_take_few_commits(opened, account: str, run) -> None:
    network = opened()
    groups: list[int] = []
    desk = network._desk.file

    async def counted(requests: list[Request]) -> list[Outcome]:
        groups.append(len(requests))
        return await desk(requests)

    network._fresh._write = counted
    ref = method("pm_card_visa")
    run(gathered([network.authorize(buy(account, ref)) for _ in range(1000)]))
    assert sum(groups) == 1000
    assert len(groups) <= 8
    assert len(charges(network, account, run)) == 1000


def test_the_same_seed_meets_the_same_faults() -> None:
    def met(faults: Faults) -> list[bool]:
        return [faults.loses_request() or faults.loses_reply() for _ in range(200)]

    text = "lost_reply=0.08, lost_request=0.04, seed=7"
    assert met(Faults.parse(text)) == met(Faults.parse(text))
    assert met(Faults.parse(text)) != met(Faults.parse("lost_reply=0.08,lost_request=0.04,seed=8"))
    assert 8 <= sum(met(Faults.parse(text))) <= 50
    assert not any(met(Faults.parse("")))


def test_faults_are_read_from_the_environment() -> None:
    faults = Faults.from_environment({"VOLDAAN_SANDBOX_FAULTS": "duplicate=0.5,delay=0.01-0.2,ignore_idempotency_keys=1"})
    assert (faults.duplicate, faults.delay, faults.ignore_idempotency_keys) == (0.5, (0.01, 0.2), True)
    assert Faults.from_environment({}) == Faults()
    with pytest.raises(ValueError, match="no such fault: lost_replies"):
        Faults.parse("lost_replies=0.5")
