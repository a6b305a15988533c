"""The life of a payment at the sandbox network: holds, captures, refunds, disputes, payouts, webhooks."""

from collections.abc import Iterator

import pytest

from tests.processors.asking import AT, DAY, buy, capture, payout, refund, save, sync, void, word
from voldaan.processors.protocol import BadSignature, Declined, Flow, Processing, ProcessorEvent, Record, Succeeded
from voldaan.processors.sandbox import SandboxNetwork, webhooks
from voldaan.processors.sandbox.books import bank_days_later

MONDAY = AT - AT % DAY


@pytest.fixture(scope="module")
def network(dsn: str, run) -> Iterator[SandboxNetwork]:
    network = SandboxNetwork(dsn)
    run(network.open())
    yield network
    run(network.close())


def code(outcome: object) -> str | None:
    return outcome.decline.code if isinstance(outcome, Declined) else None


# ---- holds -----------------------------------------------------------------------------------------------------------

def test_a_hold_is_captured_once_and_in_part(network: SandboxNetwork, account: str, run) -> None:
    held = run(network.authorize(buy(account, amount=1000, capture="manual")))
    assert (held.captured, held.fee, held.capture_before) == (False, 0, AT + 7 * DAY)
    assert code(run(network.refund(refund(account, held.processor_id, 10)))) == "charge_not_refundable"
    assert code(run(network.capture(capture(account, held.processor_id, 1001)))) == "amount_too_large"
    taken = run(network.capture(capture(account, held.processor_id, 700, at=AT + DAY)))
    assert (taken.amount, taken.fee, taken.settles_at) == (700, 36, MONDAY + 3 * DAY)
    assert code(run(network.capture(capture(account, held.processor_id, 300)))) == "charge_already_captured"
    assert code(run(network.void(void(account, held.processor_id)))) == "payment_not_voidable"
    assert code(run(network.refund(refund(account, taken.processor_id, 701)))) == "amount_too_large"
    assert word(run(network.refund(refund(account, taken.processor_id, 700)))) == "succeeded"
    assert code(run(network.refund(refund(account, held.processor_id, 1)))) == "charge_already_refunded"


def test_a_hold_is_voided_or_expires(network: SandboxNetwork, account: str, run) -> None:
    held = run(network.authorize(buy(account, capture="manual")))
    for _ in range(2):
        assert word(run(network.void(void(account, held.processor_id)))) == "succeeded"
    assert code(run(network.capture(capture(account, held.processor_id, 10)))) == "charge_expired_for_capture"

    lapsed = run(network.authorize(request := buy(account, capture="manual")))
    late = capture(account, lapsed.processor_id, 10, at=AT + 7 * DAY)
    assert code(run(network.capture(late))) == "charge_expired_for_capture"
    assert code(run(network.sync(sync(request, AT + 7 * DAY)))) == "payment_canceled"
    assert {r.status for r in run(network.records(account, AT + 8 * DAY)) if r.flow == Flow.AUTHORIZE} == {"canceled"}


def test_a_payment_that_waits_for_its_customer_can_be_withdrawn(network: SandboxNetwork, account: str, run) -> None:
    waits = run(network.authorize(request := buy(account, "4000002760003184", return_url="https://shop.example/back")))
    assert (waits.kind, waits.data["return_url"]) == ("redirect_to_url", "https://shop.example/back")
    assert run(network.challenge(waits.processor_id)).amount == 1000
    run(network.void(void(account, waits.processor_id)))
    assert run(network.challenge(waits.processor_id)) is None
    run(network.authenticate(waits.processor_id, True))
    assert code(run(network.sync(sync(request, AT)))) == "payment_canceled"
    with pytest.raises(LookupError):
        run(network.authenticate("sbpay_nothing", True))


def test_the_first_answer_to_a_challenge_stands(network: SandboxNetwork, account: str, run) -> None:
    waits = run(network.authorize(request := buy(account, "4000002760003184", capture="manual")))
    assert waits.kind == "use_stripe_sdk"
    run(network.authenticate(waits.processor_id, True))
    run(network.authenticate(waits.processor_id, False))
    assert run(network.sync(sync(request, AT))).captured is False


# ---- refunds ---------------------------------------------------------------------------------------------------------

def test_refunds_that_end_later(network: SandboxNetwork, account: str, run) -> None:
    slow = run(network.authorize(buy(account, "pm_card_pendingRefund")))
    back = run(network.refund(asked := refund(account, slow.processor_id, 400)))
    assert isinstance(back, Processing)
    assert run(network.news(back.processor_id, AT)) == []
    [event] = run(network.news(back.processor_id, back.expected_at))
    assert (event.type, event.amount, event.reference) == ("refund.succeeded", 400, asked.attempt_id)
    assert word(run(network.sync(sync(asked, back.expected_at, Flow.REFUND)))) == "succeeded"


def test_a_refund_that_fails_gives_the_money_back_to_be_refunded(network: SandboxNetwork, account: str, run) -> None:
    paid = run(network.authorize(buy(account, "pm_card_refundFail")))
    back = run(network.refund(asked := refund(account, paid.processor_id, 1000)))
    assert isinstance(back, Succeeded)
    [event] = run(network.news(back.processor_id, back.follow_up_at))
    assert (event.type, event.decline.code) == ("refund.failed", "expired_or_canceled_card")
    assert code(run(network.sync(sync(asked, back.follow_up_at, Flow.REFUND)))) == "expired_or_canceled_card"
    assert code(run(network.refund(refund(account, paid.processor_id, 1)))) == "charge_already_refunded"
    assert word(run(network.refund(refund(account, paid.processor_id, 1000, at=back.follow_up_at)))) == "succeeded"


# ---- disputes --------------------------------------------------------------------------------------------------------

def told(events: list[ProcessorEvent]) -> list[tuple[str, str | None]]:
    return [(e.type, e.status) for e in events]


def disputed(network: SandboxNetwork, account: str, run, what: str) -> tuple[Succeeded, ProcessorEvent]:
    paid = run(network.authorize(buy(account, what)))
    assert run(network.news(paid.processor_id, AT)) == []
    [event] = run(network.news(paid.processor_id, paid.follow_up_at))
    return paid, event


def test_a_dispute_takes_the_money_and_a_fee_and_a_win_brings_both_back(network: SandboxNetwork, account: str, run) -> None:
    paid, opened = disputed(network, account, run, "pm_card_createDispute")
    assert (opened.type, opened.status, opened.reason) == ("dispute.created", "needs_response", "fraudulent")
    assert (opened.amount, opened.fee, opened.funds_withdrawn, opened.at) == (1000, 1500, True, AT + 60)
    assert opened.network_reason_code == "10.4"
    assert opened.follow_up_at == opened.due_by
    assert code(run(network.refund(refund(account, paid.processor_id, 10, at=AT + 60)))) == "charge_disputed"
    won = run(network.submit_evidence(opened.object_id, "winning_evidence", AT + DAY))
    assert (won.type, won.status, won.funds_reinstated, won.fee) == ("dispute.closed", "won", True, -1500)
    assert told(run(network.news(paid.processor_id, AT + DAY))) == [
        ("dispute.created", "needs_response"), ("dispute.updated", "under_review"), ("dispute.closed", "won")]
    assert word(run(network.refund(refund(account, paid.processor_id, 10, at=AT + DAY)))) == "succeeded"


def test_a_dispute_is_lost_by_bad_evidence_by_silence_and_by_giving_up(network: SandboxNetwork, account: str, run) -> None:
    _, opened = disputed(network, account, run, "pm_card_createDisputeProductNotReceived")
    assert opened.reason == "product_not_received"
    assert run(network.submit_evidence(opened.object_id, "losing_evidence", AT + DAY)).status == "lost"

    paid, opened = disputed(network, account, run, "pm_card_createDispute")
    assert told(run(network.news(paid.processor_id, opened.due_by)))[-1] == ("dispute.closed", "lost")
    assert run(network.submit_evidence(opened.object_id, "winning_evidence", opened.due_by + 1)).status == "lost"

    _, opened = disputed(network, account, run, "pm_card_createDispute")
    assert run(network.close_dispute(opened.object_id, AT + DAY)).status == "lost"


def test_ordinary_evidence_is_looked_at_for_a_while(network: SandboxNetwork, account: str, run) -> None:
    paid, opened = disputed(network, account, run, "pm_card_createDispute")
    review = run(network.submit_evidence(opened.object_id, "We did ship it.", AT + DAY))
    assert (review.status, review.follow_up_at) == ("under_review", AT + 61 * DAY)
    assert told(run(network.news(paid.processor_id, AT + 61 * DAY)))[-1] == ("dispute.closed", "lost")


def test_an_inquiry_holds_no_money_until_it_is_escalated(network: SandboxNetwork, account: str, run) -> None:
    paid, opened = disputed(network, account, run, "pm_card_createDisputeInquiry")
    assert (opened.status, opened.funds_withdrawn, opened.fee) == ("warning_needs_response", False, 0)
    assert told(run(network.news(paid.processor_id, AT + 121 * DAY)))[-1] == ("dispute.closed", "warning_closed")
    grown = run(network.submit_evidence(opened.object_id, "escalate_inquiry_evidence", AT + DAY))
    assert (grown.type, grown.status, grown.funds_withdrawn, grown.fee) == (
        "dispute.updated", "needs_response", True, 1500)
    assert run(network.submit_evidence(opened.object_id, "winning_evidence", AT + 2 * DAY)).status == "won"

    _, opened = disputed(network, account, run, "pm_card_createDisputeInquiry")
    assert run(network.submit_evidence(opened.object_id, "losing_evidence", AT + DAY)).status == "warning_closed"


def test_other_things_a_bank_may_say(network: SandboxNetwork, account: str, run) -> None:
    _, warning = disputed(network, account, run, "pm_card_createIssuerFraudRecord")
    assert (warning.type, warning.funds_withdrawn, warning.follow_up_at) == ("fraud_warning.created", False, None)
    paid, first = disputed(network, account, run, "pm_card_createMultipleDisputes")
    assert first.follow_up_at == AT + 120
    assert [e.reason for e in run(network.news(paid.processor_id, AT + 120))] == ["fraudulent", "product_not_received"]

    debit = run(network.authorize(buy(account, "DE35370400440532013002")))
    events = run(network.news(debit.processor_id, debit.expected_at + 60))
    assert told(events) == [("payment.succeeded", "succeeded"), ("dispute.created", "lost"), ("dispute.closed", "lost")]
    assert sum(e.funds_withdrawn for e in events) == 1
    with pytest.raises(LookupError):
        run(network.submit_evidence(f"{paid.processor_id}:dispute9", "winning_evidence", AT + DAY))


def test_an_authenticated_customer_cannot_call_it_fraud(network: SandboxNetwork, account: str, run) -> None:
    for what, raised in (("pm_card_createDispute", []), ("pm_card_createDisputeProductNotReceived", ["dispute.created"])):
        waits = run(network.authorize(request := buy(account, what, request_three_d_secure="any")))
        run(network.authenticate(waits.processor_id, True, AT + 10))
        paid = run(network.sync(sync(request, AT + 10)))
        assert paid.follow_up_at == (AT + 70 if raised else None)
        assert [e.type for e in run(network.news(paid.processor_id, AT + DAY))] == raised


def test_nothing_happens_to_most_payments(network: SandboxNetwork, account: str, run) -> None:
    paid = run(network.authorize(buy(account, "pm_card_visa")))
    assert paid.follow_up_at is None
    saved = run(network.setup(save(account, "pm_card_visa")))
    for processor_id in (paid.processor_id, saved.processor_id, "sbpay_nothing"):
        assert run(network.news(processor_id, AT + 400 * DAY)) == []


# ---- debits and payouts ----------------------------------------------------------------------------------------------

def test_a_debit_is_final_some_bank_days_later(network: SandboxNetwork, account: str, run) -> None:
    friday = MONDAY + 4 * DAY + 3600
    debit = run(network.authorize(request := buy(account, "NL39RABO0300065264", at=friday)))
    assert debit.expected_at == MONDAY + 9 * DAY                            # Wednesday: the weekend does not count
    assert word(run(network.sync(sync(request, debit.expected_at - 1)))) == "processing"
    paid = run(network.sync(sync(request, debit.expected_at)))
    assert (paid.settles_at, paid.fee) == (MONDAY + 11 * DAY, 40)
    assert paid.mandate == debit.mandate
    assert paid.risk.level == "not_assessed"

    canceled = run(network.authorize(request := buy(account, "NL39RABO0300065264")))
    assert word(run(network.void(void(account, canceled.processor_id)))) == "succeeded"
    assert code(run(network.sync(sync(request, AT + 9 * DAY)))) == "payment_canceled"
    assert code(run(network.void(void(account, debit.processor_id, at=debit.expected_at)))) == "payment_not_voidable"


def test_a_payout_arrives_on_the_next_bank_day_or_comes_back(network: SandboxNetwork, account: str, run) -> None:
    sent = run(network.payout(good := payout(account, "NL39 RABO 0300 0652 64")))
    assert (word(sent), sent.expected_at) == ("processing", MONDAY + DAY)
    arrived = run(network.sync(sync(good, sent.expected_at, Flow.PAYOUT)))
    assert (word(arrived), arrived.amount) == ("succeeded", 5000)
    assert run(network.news(sent.processor_id, sent.expected_at))[0].type == "payout.paid"

    sent = run(network.payout(bad := payout(account, "DE62370400440532013001")))
    assert code(run(network.sync(sync(bad, sent.expected_at, Flow.PAYOUT)))) == "no_account"
    assert run(network.news(sent.processor_id, sent.expected_at))[0].type == "payout.failed"
    assert code(run(network.payout(payout(account, "x", amount=0)))) == "invalid_amount"


@pytest.mark.parametrize(("from_day", "days", "to_day"), [(0, 1, 1), (3, 1, 4), (4, 1, 7), (5, 1, 7), (6, 1, 7), (2, 3, 7)])
def test_bank_days(from_day: int, days: int, to_day: int) -> None:
    assert bank_days_later(MONDAY + from_day * DAY + 12345, days) == MONDAY + to_day * DAY


# ---- the far side of reconciliation ----------------------------------------------------------------------------------

def test_records_equal_what_happened(network: SandboxNetwork, account: str, run) -> None:
    paid = run(network.authorize(buy(account, amount=1000, reference="a1")))
    refused = run(network.authorize(buy(account, "pm_card_chargeDeclined", amount=2000, reference="a2")))
    waits = run(network.authorize(buy(account, "4000002760003184", amount=3000, reference="a3")))
    held = run(network.authorize(buy(account, amount=4000, reference="a4", capture="manual")))
    taken = run(network.capture(capture(account, held.processor_id, 3500, "c1")))
    still = run(network.authorize(buy(account, amount=4500, reference="a5", capture="manual")))
    back = run(network.refund(refund(account, paid.processor_id, 250, "r1")))
    debit = run(network.authorize(buy(account, "NL39RABO0300065264", amount=5000, reference="a6")))
    assert run(network.records(account)) == [
        Record("a1", paid.processor_id, Flow.AUTHORIZE, 1000, "eur", "succeeded"),
        Record("a2", refused.processor_id, Flow.AUTHORIZE, 2000, "eur", "declined"),
        Record("a3", waits.processor_id, Flow.AUTHORIZE, 3000, "eur", "requires_action"),
        Record("a4", held.processor_id, Flow.AUTHORIZE, 3500, "eur", "succeeded"),
        Record("c1", taken.processor_id, Flow.CAPTURE, 3500, "eur", "succeeded"),
        Record("a5", still.processor_id, Flow.AUTHORIZE, 4500, "eur", "authorized"),
        Record("r1", back.processor_id, Flow.REFUND, 250, "eur", "succeeded"),
        Record("a6", debit.processor_id, Flow.AUTHORIZE, 5000, "eur", "processing"),
    ]
    later = {r.reference: r.status for r in run(network.records(account, AT + 8 * DAY))}
    assert (later["a5"], later["a6"]) == ("canceled", "succeeded")
    assert run(network.records(account + "x")) == []


# ---- webhooks --------------------------------------------------------------------------------------------------------

def test_webhooks_are_read_only_when_they_are_signed(network: SandboxNetwork, account: str, run) -> None:
    paid, _ = disputed(network, account, run, "pm_card_createDispute")
    events = run(network.news(paid.processor_id, AT + DAY))
    headers, body = webhooks.write(events, "whsec_new", AT)
    assert network.parse_webhook(headers, body, ["whsec_old", "whsec_new"], AT + 300) == events
    for headers_, body_, secrets, at in [
        (headers, body, ["whsec_old"], AT),
        (headers, body + b" ", ["whsec_new"], AT),
        (headers, body, ["whsec_new"], AT + 301),
        (headers, body, ["whsec_new"], AT - 301),
        ({}, body, ["whsec_new"], AT),
        (webhooks.write([], "whsec_new", AT)[0], b"[]x", ["whsec_new"], AT),
    ]:
        with pytest.raises(BadSignature):
            network.parse_webhook(headers_, body_, secrets, at)
