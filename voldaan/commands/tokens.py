"""Payment methods out of what was typed in or named: a test number or a magic token becomes a token of its processor.

A number is read here and forgotten here; in live mode it is refused before anybody looks at it.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.commands.routing import processor_for
from voldaan.processors.declines import decline
from voldaan.processors.sandbox import tokens
from voldaan.processors.sandbox.tokens import InvalidInstrument, Tokenized
from voldaan.resources.payment_methods import (
    Bank,
    BankParams,
    BillingDetails,
    BillingDetailsParams,
    Blik,
    Card,
    CardChecks,
    CardNetworks,
    CardParams,
    Empty,
    IdealBank,
    PaymentMethod,
    PaymentMethodCreate,
    PaymentMethodData,
    SepaDebit,
    SepaDebitParams,
    ThreeDSecureUsage,
    UsBankAccount,
    UsBankAccountParams,
    UsBankNetworks,
)
from voldaan.resources.shared import Address
from voldaan.rules.decision import Refusal, Refused
from voldaan.rules.refusals import missing, refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction

RAW_CARD_DATA = (
    "Sending credit card numbers directly to the API is unsafe and not possible in live mode: this server never takes a "
    "card number there. Collect the card with a payment page or with the fields of your payment provider, and send its token."
)
MAGIC = ("pm_card_", "tok_", "pm_sepaDebit_", "pm_usBankAccount_")
CARD_ERRORS = frozenset({
    "card_declined", "expired_card", "incorrect_number", "invalid_cvc", "invalid_expiry_month", "invalid_expiry_year",
})  # fmt: skip


def is_magic(id: str) -> bool:
    """Whether this is the name of a test payment method instead of an id."""
    return id.startswith(MAGIC) or id in REDIRECTS


REDIRECTS = {f"pm_{name}": name for name in ("ideal", "bancontact", "eps", "p24", "blik", "twint")}


def from_magic(tx: Transaction, name: str, param: str, prefix: str = "pm") -> PaymentMethod:
    """A test payment method of its own from a name such as pm_card_visa. Live mode knows no such names."""
    if tx.account.livemode:
        raise Refused(Refusal("resource_missing", f"No such PaymentMethod: '{name}'", param))
    if name in REDIRECTS:
        return _made(tx, "card", tokens.tokenize_redirect(REDIRECTS[name]), prefix, type=REDIRECTS[name])
    try:
        if name.startswith(("pm_card_", "tok_")):
            return _made(tx, "card", tokens.tokenize(name, at=tx.now), prefix)
        return _made(tx, "bank", tokens.tokenize_bank(name), prefix)
    except InvalidInstrument as invalid:
        raise Refused(Refusal("resource_missing", f"No such PaymentMethod: '{name}'", param)) from invalid


def from_params(tx: Transaction, params: PaymentMethodCreate | PaymentMethodData, param: str = "") -> PaymentMethod:
    """A payment method as described in a request; `param` names the hash it stands in."""
    if params.type is None:
        raise missing("type")
    card = params.card if isinstance(params, PaymentMethodCreate) else None
    billing = billing_details(BillingDetails(), params.billing_details)
    match params.type:
        case "card":
            if card is None:
                raise missing("card")
            method = _card(tx, card, billing)
        case "sepa_debit":
            method = _sepa_debit(tx, params.sepa_debit, billing)
        case "us_bank_account":
            method = _us_bank_account(tx, params.us_bank_account)
        case "customer_balance":
            method = _made(tx, "none", None, "pm", type="customer_balance")
        case redirect:
            method = _redirect(tx, redirect, getattr(params, redirect))
    method.billing_details = billing
    method.metadata = {key: text for key, text in (params.metadata or {}).items() if text}
    if params.allow_redisplay:
        method.allow_redisplay = params.allow_redisplay
    return method


def billing_details(was: BillingDetails, given: BillingDetailsParams | None) -> BillingDetails:
    """The billing details after a change: what is empty is null."""
    if given is None:
        return was
    values: dict[str, Any] = {name: value or None for name, value in given.given().items() if name != "address"}
    if "address" in given.model_fields_set:
        values["address"] = given.address.address() if given.address else Address()
    return BillingDetails(**{
        "address": was.address, "email": was.email, "name": was.name, "phone": was.phone, "tax_id": was.tax_id, **values,
    })  # fmt: skip


def refused_at_attach(method: PaymentMethod) -> Refusal | None:
    """What a test card answers when it is verified: some are declined whatever they are used for."""
    known = tokens.instrument(method.token)
    if known is None or known.type != "card":
        return None
    code = known.effect.decline
    if code is None and "cvc" in known.effect.failing_checks:
        code = "incorrect_cvc"
    if code is None:
        return None
    why = decline(code)
    return Refusal(
        why.error_code, why.message, why.param, type="card_error", decline_code=why.code,
        extra={"network_decline_code": why.network_decline_code, "advice_code": why.advice_code},
    )  # fmt: skip


def verified(method: PaymentMethod) -> PaymentMethod:
    """A card whose issuer has been asked, as at attaching: what it says of the code and the address."""
    known = tokens.instrument(method.token)
    if known is None or not method.card:
        return method
    return replace(method, card=replace(method.card, checks=CardChecks(**tokens.checks(method.token, known))))


# ── by type ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _card(tx: Transaction, params: CardParams, billing: BillingDetails) -> PaymentMethod:
    if params.token:
        return from_magic(tx, params.token, "card[token]")
    if params.number is None:
        raise missing("card[number]")
    if tx.account.livemode:
        raise refused(RAW_CARD_DATA, "card[number]")
    if params.exp_month is None:
        raise missing("card[exp_month]")
    if params.exp_year is None:
        raise missing("card[exp_year]")
    address = billing.address
    try:
        read = tokens.tokenize(
            params.number, params.exp_month, params.exp_year, params.cvc, at=tx.now,
            address_line1=address.line1 if address else None, postal_code=address.postal_code if address else None,
        )  # fmt: skip
    except InvalidInstrument as invalid:
        raise _invalid(invalid) from None
    return _made(tx, "card", read, "pm", preferred=params.networks.preferred or None if params.networks else None)


def _sepa_debit(tx: Transaction, params: SepaDebitParams | None, billing: BillingDetails) -> PaymentMethod:
    if params is None:
        raise missing("sepa_debit")
    for name in ("name", "email"):
        if getattr(billing, name) is None:
            raise missing(f"billing_details[{name}]")
    if tx.account.livemode:
        processor_for("sepa_debit", livemode=True)
    try:
        return _made(tx, "bank", tokens.tokenize_bank(params.iban), "pm")
    except InvalidInstrument as invalid:
        raise _invalid(invalid) from None


def _us_bank_account(tx: Transaction, params: UsBankAccountParams | None) -> PaymentMethod:
    if params is None or params.account_number is None or params.routing_number is None:
        raise missing("us_bank_account[account_number]")
    if tx.account.livemode:
        processor_for("us_bank_account", livemode=True)
    try:
        read = tokens.tokenize_bank(params.account_number, routing_number=params.routing_number)
    except InvalidInstrument as invalid:
        raise _invalid(invalid) from None
    method = _made(tx, "bank", read, "pm")
    assert method.us_bank_account
    method.us_bank_account = UsBankAccount(
        account_holder_type=params.account_holder_type or "individual",
        account_type=params.account_type or "checking",
        bank_name=method.us_bank_account.bank_name,
        fingerprint=method.us_bank_account.fingerprint,
        last4=method.us_bank_account.last4,
        networks=UsBankNetworks(),
        routing_number=method.us_bank_account.routing_number,
    )
    return method


def _redirect(tx: Transaction, type: str, params: Any) -> PaymentMethod:
    processor_for(type, tx.account.livemode)
    method = _made(tx, "none", tokens.tokenize_redirect(type), "pm", type=type)
    bank = params.bank if isinstance(params, BankParams) else None
    if bank and type == "ideal":
        method.ideal = IdealBank(bank=bank)
    elif bank:
        setattr(method, type, Bank(bank=bank))
    return method


SHOWN: dict[str, Any] = {
    "bancontact": Empty(), "blik": Blik(), "customer_balance": Empty(), "eps": Bank(), "ideal": IdealBank(), "p24": Bank(),
    "twint": Empty(),
}  # fmt: skip


def _made(
    tx: Transaction, kind: str, read: Tokenized | None, prefix: str, *, type: str | None = None, preferred: str | None = None
) -> PaymentMethod:
    """The payment method of a token, as far as it may be shown."""
    type = type or (read.ref.type if read else "customer_balance")
    method = PaymentMethod(
        id=new_id(prefix),
        created=tx.now,
        livemode=tx.account.livemode,
        processor=processor_for(type, tx.account.livemode),
        token=read.ref.token if read else type,
        type=type,
    )
    if type in SHOWN:
        setattr(method, type, SHOWN[type])
    elif read and type == "card":
        method.card = _shown_card(read, preferred)
    elif read and type == "sepa_debit":
        method.sepa_debit = SepaDebit(
            bank_code=read.bank_code, branch_code=read.branch_code, country=read.country, fingerprint=read.fingerprint,
            last4=read.last4,
        )  # fmt: skip
    elif read:
        method.us_bank_account = UsBankAccount(
            account_holder_type="individual", account_type="checking", bank_name="TEST BANK", fingerprint=read.fingerprint,
            last4=read.last4, networks=UsBankNetworks(), routing_number=read.routing_number,
        )  # fmt: skip
    return method


def _shown_card(read: Tokenized, preferred: str | None) -> Card:
    brand = read.brand or "unknown"
    return Card(
        brand=brand,
        checks=CardChecks(**read.checks),
        country=read.country,
        display_brand=brand,
        exp_month=read.exp_month or 1,
        exp_year=read.exp_year or 1970,
        fingerprint=read.fingerprint,
        funding=read.funding or "unknown",
        last4=read.last4 or "",
        networks=CardNetworks(available=[brand], preferred=preferred),
        three_d_secure_usage=ThreeDSecureUsage(supported=read.three_d_secure_supported),
    )


def _invalid(invalid: InvalidInstrument) -> Refused:
    return Refused(
        Refusal(
            invalid.code, invalid.message, invalid.param, decline_code=invalid.decline_code,
            type="card_error" if invalid.code in CARD_ERRORS else "invalid_request_error",
        )
    )  # fmt: skip


