"""Money that people move: the same protocol, with another shape."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.processors.asking import AT, DAY, buy, capture, payout, refund, save, sync, void, word
from voldaan.processors import protocol
from voldaan.processors.manual import BankAccount, ManualProcessor, creditor_reference, printed
from voldaan.processors.manual.references import number_of
from voldaan.processors.protocol import Declined, Flow, NotSent, PaymentMethodRef, Record

TRANSFER = PaymentMethodRef("customer_balance", "")
CASH = PaymentMethodRef("custom", "")


@pytest.fixture(scope="module")
def manual(dsn: str, run) -> Iterator[ManualProcessor]:
    manual = ManualProcessor(dsn, BankAccount("Voldaan B.V.", "NL39RABO0300065264", "RABONL2U"))
    run(manual.open())
    yield manual
    run(manual.close())


def code(outcome: object) -> str | None:
    return outcome.decline.code if isinstance(outcome, Declined) else None


# ---- ISO 11649 -------------------------------------------------------------------------------------------------------

def test_structured_references() -> None:
    assert creditor_reference(539007547034) == "RF18539007547034"           # the standard's own example
    assert printed("RF18539007547034") == "RF18 5390 0754 7034"
    for number in (1, 97, 100000, 10**20):
        assert number_of(creditor_reference(number)) == number


@pytest.mark.parametrize(("typed", "number"), [
    ("rf18 5390 0754 7034", 539007547034), ("RF18539007547034", 539007547034), (" RF185390 07547034 ", 539007547034),
    ("RF19539007547034", None), ("RF18539007547043", None), ("RF18", None), ("", None), ("invoice 12", None),
    ("RF185390075470341234567890", None), ("RF18-5390-0754-7034", None), ("RF18５39007547034", None),
])
def test_references_as_people_type_them(typed: str, number: int | None) -> None:
    assert number_of(typed) == number


# ---- transfers -------------------------------------------------------------------------------------------------------

def test_a_transfer_waits_for_its_money(manual: ManualProcessor, account: str, run) -> None:
    asked = run(manual.authorize(request := buy(account, TRANSFER, 1000)))
    assert (word(asked), asked.kind) == ("requires_action", "display_bank_transfer_instructions")
    told = asked.data
    assert (told["iban"], told["bic"], told["amount_remaining"]) == ("NL39RABO0300065264", "RABONL2U", 1000)
    assert run(manual.authorize(request)) == asked

    half = run(manual.receive(told["printed_reference"], 400, AT + DAY, account_id=account, line="line-1"))
    assert half == asked.processor_id
    assert run(manual.sync(sync(request, AT + DAY))).data["amount_remaining"] == 600
    run(manual.receive(told["reference"].lower(), 600, AT + 2 * DAY, account_id=account, line="line-2"))
    assert word(run(manual.sync(sync(request, AT + DAY)))) == "requires_action"
    paid = run(manual.sync(sync(request, AT + 3 * DAY)))
    assert (word(paid), paid.amount, paid.fee, paid.settles_at) == ("succeeded", 1000, 0, AT + 2 * DAY)
    [event] = run(manual.news(asked.processor_id, AT + 3 * DAY))
    assert (event.type, event.at, event.reference) == ("payment.succeeded", AT + 2 * DAY, request.attempt_id)
    assert run(manual.news(asked.processor_id, AT + DAY)) == []
    assert run(manual.unapplied(account)) == []


def test_a_bank_line_imported_twice_counts_once(manual: ManualProcessor, account: str, run) -> None:
    asked = run(manual.authorize(request := buy(account, TRANSFER, 1000)))
    async def imported() -> None:
        await asyncio.gather(*(manual.receive(
            asked.data["reference"], 500, AT, account_id=account, line="line") for _ in range(10)))
    run(imported())
    assert run(manual.sync(sync(request, AT))).data["amount_remaining"] == 500


def test_no_money_is_dropped(manual: ManualProcessor, account: str, run) -> None:
    asked = run(manual.authorize(request := buy(account, TRANSFER, 1000)))
    reference = asked.data["reference"]
    assert run(manual.receive("invoice 12", 300, AT, account_id=account, line="a")) is None
    assert run(manual.receive(reference, 300, AT, account_id=account, line="b", currency="usd")) is None
    assert run(manual.receive(reference, 300, AT, account_id=account + "x", line="c")) is None
    assert [(u.line_id, u.reason) for u in run(manual.unapplied(account))] == [("a", "unmatched"), ("b", "unmatched")]
    assert [u.line_id for u in run(manual.unapplied(account + "x"))] == ["c"]

    assert run(manual.assign(account, "a", reference)) is True
    assert run(manual.assign(account, "a", reference)) is False
    assert run(manual.assign(account, "b", reference)) is False
    assert run(manual.assign(account, "c", reference)) is False
    run(manual.receive(reference, 900, AT, account_id=account, line="d"))
    assert word(run(manual.sync(sync(request, AT)))) == "succeeded"
    surplus = run(manual.unapplied(account))[-1]
    assert (surplus.line_id, surplus.amount, surplus.reason) == ("d", 200, "overpaid")


def test_money_after_cancellation_is_kept_apart(manual: ManualProcessor, account: str, run) -> None:
    asked = run(manual.authorize(request := buy(account, TRANSFER, 1000)))
    assert word(run(manual.void(void(account, asked.processor_id)))) == "succeeded"
    run(manual.receive(asked.data["reference"], 1000, AT + DAY, account_id=account, line="late"))
    assert code(run(manual.sync(sync(request, AT + 2 * DAY)))) == "payment_canceled"
    [late] = run(manual.unapplied(account))
    assert (late.amount, late.reason, late.processor_id) == (1000, "paid_after_cancellation", asked.processor_id)
    assert run(manual.news(asked.processor_id, AT + 2 * DAY)) == []


def test_what_was_paid_is_not_voided(manual: ManualProcessor, account: str, run) -> None:
    asked = run(manual.authorize(buy(account, TRANSFER, 1000)))
    run(manual.receive(asked.data["reference"], 1000, AT, account_id=account))
    assert code(run(manual.void(void(account, asked.processor_id)))) == "payment_not_voidable"


# ---- out of band -----------------------------------------------------------------------------------------------------

def test_cash_is_confirmed_by_a_person(manual: ManualProcessor, account: str, run) -> None:
    asked = run(manual.authorize(request := buy(account, CASH, 1000)))
    assert (word(asked), asked.expected_at) == ("processing", AT + 30 * DAY)
    assert run(manual.confirm(asked.processor_id, AT + DAY)) is True
    assert run(manual.fail(asked.processor_id, "changed my mind", AT + 2 * DAY)) is False
    paid = run(manual.sync(sync(request, AT + DAY)))
    assert (word(paid), paid.settles_at) == ("succeeded", AT + DAY)
    assert run(manual.news(asked.processor_id, AT + DAY))[0].type == "payment.succeeded"
    with pytest.raises(LookupError):
        run(manual.confirm("manual_nothing", AT))


def test_a_refund_is_processing_until_it_is_confirmed(manual: ManualProcessor, account: str, run) -> None:
    asked = run(manual.authorize(buy(account, CASH, 1000)))
    assert code(run(manual.refund(refund(account, asked.processor_id, 100)))) == "charge_not_refundable"
    run(manual.confirm(asked.processor_id, AT))
    back = run(manual.refund(first := refund(account, asked.processor_id, 700)))
    assert word(back) == "processing"
    assert run(manual.refund(first)) == back
    assert code(run(manual.refund(refund(account, asked.processor_id, 301)))) == "amount_too_large"
    run(manual.confirm(back.processor_id, AT + DAY))
    assert word(run(manual.sync(sync(first, AT + DAY, Flow.REFUND)))) == "succeeded"
    assert run(manual.news(back.processor_id, AT + DAY))[0].type == "refund.succeeded"

    failed = run(manual.refund(second := refund(account, asked.processor_id, 300)))
    assert code(run(manual.refund(refund(account, asked.processor_id, 1)))) == "charge_already_refunded"
    run(manual.fail(failed.processor_id, "The account is closed.", AT + DAY))
    gone = run(manual.sync(sync(second, AT + DAY, Flow.REFUND)))
    assert (code(gone), gone.decline.message) == ("could_not_process", "The account is closed.")
    assert word(run(manual.refund(refund(account, asked.processor_id, 300)))) == "processing"


def test_refunds_that_race_never_exceed_the_payment(manual: ManualProcessor, account: str, run) -> None:
    asked = run(manual.authorize(buy(account, CASH, 1000)))
    run(manual.confirm(asked.processor_id, AT))

    async def race() -> list[str]:
        refunds = [manual.refund(refund(account, asked.processor_id, 400)) for _ in range(10)]
        return [word(outcome) for outcome in await asyncio.gather(*refunds)]

    assert sorted(run(race())) == ["declined"] * 8 + ["processing"] * 2


# ---- the rest of the protocol ----------------------------------------------------------------------------------------

def test_what_it_cannot_do_it_says(manual: ManualProcessor, account: str, run) -> None:
    assert Flow.CAPTURE not in manual.capabilities().flows
    assert code(run(manual.capture(capture(account, "manual_x", 1)))) == "flow_not_supported"
    assert code(run(manual.authorize(buy(account, CASH, capture="manual")))) == "flow_not_supported"
    assert code(run(manual.authorize(buy(account, "pm_card_visa")))) == "payment_method_unusable"
    assert code(run(manual.authorize(buy(account, CASH, 0)))) == "invalid_amount"
    assert code(run(manual.refund(refund(account, "manual_x", 1)))) == "resource_missing"
    assert isinstance(run(manual.sync(sync(buy(account, CASH), AT))), NotSent)
    assert word(run(manual.setup(save(account, TRANSFER)))) == "succeeded"
    with pytest.raises(protocol.BadSignature):
        manual.parse_webhook({}, b"{}", ["whsec"], AT)
    for ability in (protocol.PayoutProcessor, protocol.Reporting):
        assert isinstance(manual, ability)
    assert not isinstance(manual, protocol.DisputeProcessor)


def test_records_equal_what_happened(manual: ManualProcessor, account: str, run) -> None:
    cash = run(manual.authorize(buy(account, CASH, 1000, reference="a1")))
    run(manual.confirm(cash.processor_id, AT))
    transfer = run(manual.authorize(buy(account, TRANSFER, 2000, reference="a2")))
    back = run(manual.refund(refund(account, cash.processor_id, 300, "r1")))
    sent = run(manual.payout(out := payout(account, "NL39RABO0300065264", 700)))
    run(manual.confirm(sent.processor_id, AT + DAY))
    assert run(manual.records(account)) == [
        Record("a1", cash.processor_id, Flow.AUTHORIZE, 1000, "eur", "succeeded"),
        Record("a2", transfer.processor_id, Flow.AUTHORIZE, 2000, "eur", "requires_action"),
        Record("r1", back.processor_id, Flow.REFUND, 300, "eur", "processing"),
        Record(out.attempt_id, sent.processor_id, Flow.PAYOUT, 700, "eur", "succeeded"),
    ]
    assert run(manual.records(account, AT))[-1].status == "processing"
