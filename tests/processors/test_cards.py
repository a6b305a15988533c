"""Every test card and test bank account does what its documentation says (cards.txt)."""

from collections.abc import Iterator

import pytest

from tests.processors.asking import AT, DAY, buy, method, renew, save, sync, word
from tests.rules.table import Row, rows
from voldaan.processors import protocol
from voldaan.processors.protocol import (
    Declined,
    Outcome,
    PaymentMethodRef,
    Processor,
    RequiresAction,
    StoredCredential,
)
from voldaan.processors.sandbox import InvalidInstrument, SandboxNetwork, cards, tokenize, tokenize_bank

TABLE = rows("../processors/cards.txt")


def of(rule: str) -> list[Row]:
    return [row for row in TABLE if row.rule == rule]


@pytest.fixture(scope="module")
def network(dsn: str, run) -> Iterator[SandboxNetwork]:
    network = SandboxNetwork(dsn)
    run(network.open())
    yield network
    run(network.close())


async def used(network: SandboxNetwork, account: str, what: str, use: str) -> Outcome:
    ref = method(what)
    match use:
        case "buy":
            return await network.authorize(buy(account, ref))
        case "renew":
            return await network.authorize(renew(account, ref))
        case "attach":
            return await network.setup(save(account, ref, usage="on_session"))
        case "save":
            return await network.setup(save(account, ref))
        case "saved":
            waits = await network.setup(save(account, ref))
            assert isinstance(waits, RequiresAction)
            await network.authenticate(waits.processor_id, True)
            return await network.authorize(renew(account, ref))
        case "pass" | "fail":
            waits = await network.authorize(request := buy(account, ref))
            assert isinstance(waits, RequiresAction)
            assert waits.url == f"/sandbox/3ds/{waits.processor_id}"
            await network.authenticate(waits.processor_id, use == "pass")
            return await network.sync(sync(request, AT))
        case "days" | "minutes":
            await network.authorize(request := buy(account, ref))
            return await network.sync(sync(request, AT + (4 * DAY if use == "days" else 180)))
    raise ValueError(use)


@pytest.mark.parametrize("row", of("card"), ids=lambda row: f"{row['token or number']}-{row['use']}")
def test_the_card_does_as_documented(row: Row, network: SandboxNetwork, account: str, run) -> None:
    outcome = run(used(network, account, row["token or number"], row["use"]))
    declined = outcome.decline if isinstance(outcome, Declined) else None
    found = (word(outcome), declined and declined.code, declined and declined.advice_code)
    assert found == (row["outcome"], row.get("code"), row.get("advice"))


@pytest.mark.parametrize("row", of("refused"), ids=lambda row: row["token or number"])
def test_what_is_no_test_number_is_refused(row: Row) -> None:
    with pytest.raises(InvalidInstrument) as refusal:
        method(row["token or number"])
    assert (refusal.value.code, refusal.value.decline_code) == (row["code"], row.get("decline code"))


@pytest.mark.parametrize("row", of("dates"), ids=str)
def test_dates_and_codes_are_checked(row: Row) -> None:
    def typed() -> None:
        tokenize("4242424242424242", int(row["exp_month"]), int(row["exp_year"]), row.get("cvc"), at=AT)

    if row.get("code") is None:
        typed()
        return
    with pytest.raises(InvalidInstrument) as refusal:
        typed()
    assert refusal.value.code == row["code"]


def test_the_card_numbers_are_card_numbers() -> None:
    """Whoever mistypes one breaks its check digit."""
    for number in cards.BY_NUMBER:
        digits = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(number))]
        assert sum(d - 9 if d > 9 else d for d in digits) % 10 == 0, number


def test_what_is_kept_of_a_card() -> None:
    typed = tokenize("5200 8282 8282 8210", 8, 2031, "123", at=AT, postal_code="1012 AB")
    magic = tokenize("pm_card_mastercard_debit", at=AT)
    assert (typed.brand, typed.funding, typed.country, typed.last4) == ("mastercard", "debit", "US", "8210")
    assert (typed.exp_month, typed.exp_year) == (8, 2031)
    assert typed.fingerprint == magic.fingerprint
    assert typed.ref.token != magic.ref.token
    assert "8282" not in typed.ref.token
    assert typed.checks == {
        "cvc_check": "unchecked", "address_line1_check": None, "address_postal_code_check": "unchecked"}
    assert (magic.exp_month, magic.exp_year) == (2, 2027)


def test_what_is_kept_of_an_iban() -> None:
    kept = tokenize_bank("NL39 RABO 0300 0652 64")
    assert (kept.ref.type, kept.country, kept.last4, kept.bank_code) == ("sepa_debit", "NL", "5264", "RABO0300")
    assert "0300065264" not in kept.ref.token


def test_checks_risk_and_authentication_are_told(network: SandboxNetwork, account: str, run) -> None:
    plain = run(network.authorize(buy(account, "pm_card_visa")))
    assert plain.checks == {"cvc_check": "pass"}
    assert plain.risk.level == "normal"
    assert plain.three_d_secure is None
    assert len(plain.network_transaction_id) == 15
    assert len(plain.authorization_code) == 6
    assert run(network.authorize(buy(account, "pm_card_avsZipFail"))).checks["address_postal_code_check"] == "fail"
    assert run(network.authorize(buy(account, "pm_card_avsUnchecked"))).checks["address_line1_check"] == "unavailable"
    assert run(network.authorize(buy(account, "pm_card_riskLevelElevated"))).risk.level == "elevated"
    asked = run(network.authorize(buy(account, "pm_card_visa", request_three_d_secure="any")))
    assert asked.three_d_secure.result == "attempt_acknowledged"
    free = run(network.authorize(buy(account, "4000000032200000")))
    assert free.three_d_secure.authentication_flow == "frictionless"
    assert word(run(network.authorize(buy(account, "pm_card_threeDSecureOptional", request_three_d_secure="any")))) \
        == "requires_action"
    passed = run(used(network, account, "4000002500003155", "pass"))
    assert (passed.three_d_secure.result, passed.three_d_secure.authentication_flow) == ("authenticated", "challenge")
    failed = run(used(network, account, "4000002500003155", "fail"))
    assert failed.three_d_secure.result == "failed"


def test_money_and_fee(network: SandboxNetwork, account: str, run) -> None:
    paid = run(network.authorize(buy(account, amount=10_000)))
    assert (paid.amount, paid.fee, paid.fee_currency) == (10_000, 175, "eur")
    assert paid.settles_at == AT - AT % DAY + 2 * DAY
    assert run(network.authorize(buy(account, amount=33))).fee == 25        # 0.495 rounds down, then 25 are added
    assert run(network.authorize(buy(account, amount=100))).fee == 27       # 1.5 rounds up
    assert run(network.authorize(buy(account, "pm_card_bypassPending"))).settles_at == AT


def test_requests_that_make_no_sense_are_declined_and_move_nothing(network: SandboxNetwork, account: str, run) -> None:
    wrong = [
        (buy(account, amount=0), "invalid_amount"),
        (buy(account, amount=-5), "invalid_amount"),
        (buy(account, "NL39RABO0300065264", currency="usd"), "currency_not_supported"),
        (buy(account, livemode=True), "processor_not_configured"),
        (buy(account, PaymentMethodRef("card", "pm_123")), "payment_method_unusable"),
        (buy(account, PaymentMethodRef("sepa_debit", method("pm_card_visa").token)), "payment_method_unusable"),
        (buy(account, reference="att_\x00"), "payment_method_unusable"),
    ]
    for request, code in wrong:
        outcome = run(network.authorize(request))
        assert (word(outcome), outcome.decline.code, outcome.decline.category) == ("declined", code, "configuration")
    assert all(record.status == "declined" for record in run(network.records(account)))


def test_a_mandate_that_was_revoked_takes_no_debit(network: SandboxNetwork, account: str, run) -> None:
    ref = method("NL39RABO0300065264")
    assert run(network.setup(save(account, ref))).mandate == run(network.authorize(buy(account, ref))).mandate
    run(network.revoke_mandate(account, ref.token, AT))
    assert run(network.authorize(buy(account, ref))).decline.code == "debit_not_authorized"
    assert word(run(network.authorize(buy(account, "NL39RABO0300065264")))) == "processing"


def test_a_stored_credential_proves_that_the_card_was_set_up(network: SandboxNetwork, account: str, run) -> None:
    ref = method("4000002500003155")
    first = run(used(network, account, "4000002500003155", "pass"))
    credential = StoredCredential(network_transaction_id=first.network_transaction_id)
    assert word(run(network.authorize(renew(account, ref, stored_credential=credential)))) == "succeeded"


def test_the_network_keeps_the_protocol(network: SandboxNetwork) -> None:
    processor: Processor = network
    assert processor.capabilities().idempotency == "key"
    for ability in (protocol.PayoutProcessor, protocol.DisputeProcessor, protocol.MandateProcessor, protocol.Reporting):
        assert isinstance(network, ability)
