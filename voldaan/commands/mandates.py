"""Mandates: the payer's permission to debit, made when a debit is confirmed or set up."""

from __future__ import annotations

from voldaan.resources.base import UNSET
from voldaan.resources.mandates import (
    CustomerAcceptance,
    Mandate,
    MandateDataParams,
    MandatePaymentMethodDetails,
    MandateSepaDebit,
    MandateSingleUse,
    OnlineAcceptance,
)
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.setup_intents import SetupIntent
from voldaan.rules.decision import Decision, Refusal, Refused
from voldaan.rules.payments import DEBITS
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

NO_MANDATE = (
    "This payment needs a mandate, but no existing mandate was found. Send `mandate_data` with the payer's acceptance, or "
    "`mandate` with the id of an existing one."
)
REFERENCE_MAX = 35       # characters that a SEPA mandate reference may have


async def mandate_for(
    tx: Transaction,
    method: PaymentMethod,
    data: MandateDataParams | None,
    id: str | None,
    intent: PaymentIntent | SetupIntent,
) -> str | None:
    """The mandate that this debit rests on, made now if `data` says that the payer has agreed. None for other types."""
    if method.type not in DEBITS:
        return None
    if id is not None:
        found = await tx.need(Mandate, id, param="mandate")
        if found.status != "active" or found.payment_method != method.id:
            raise Refused(
                Refusal("payment_intent_mandate_invalid", f"The mandate {id} cannot be used with this payment method.", "mandate")
            )
        return id
    if data is None:
        if method.mandate is None:
            raise Refused(Refusal("payment_intent_mandate_invalid", NO_MANDATE, "mandate_data"))
        return method.mandate
    made = _mandate(tx, method, data, intent)
    await write(tx, [Decision(inserts=[made])])
    return made.id


def _mandate(
    tx: Transaction, method: PaymentMethod, data: MandateDataParams, intent: PaymentIntent | SetupIntent
) -> Mandate:
    said = data.customer_acceptance
    single = isinstance(intent, PaymentIntent) and not intent.setup_future_usage and method.customer is None
    id = new_id("mandate")
    return Mandate(
        id=id,
        created=tx.now,
        customer_acceptance=CustomerAcceptance(
            accepted_at=said.accepted_at if said.accepted_at is not None else tx.now,
            type=said.type,
            offline={} if said.type == "offline" else UNSET,
            online=OnlineAcceptance(
                ip_address=said.online.ip_address if said.online else None,
                user_agent=said.online.user_agent if said.online else None,
            )
            if said.type == "online"
            else UNSET,
        ),
        livemode=tx.account.livemode,
        multi_use=UNSET if single else {},
        payment_method=method.id,
        payment_method_details=MandatePaymentMethodDetails(
            type=method.type,
            sepa_debit=MandateSepaDebit(reference=_reference(id, intent), url="") if method.type == "sepa_debit" else UNSET,
            us_bank_account={} if method.type == "us_bank_account" else UNSET,
        ),
        single_use=MandateSingleUse(amount=intent.amount, currency=intent.currency)
        if single and isinstance(intent, PaymentIntent)
        else UNSET,
        type="single_use" if single else "multi_use",
    )


def _reference(id: str, intent: PaymentIntent | SetupIntent) -> str:
    """What the payer reads: the prefix that was asked for, then the mandate's own sign, in capitals and digits."""
    options = intent.payment_method_options
    debit = options.sepa_debit if options and options.sepa_debit else None
    prefix = (debit.mandate_options or {}).get("reference_prefix", "") if debit else ""
    own = "".join(c for c in id.removeprefix("mandate_").upper() if c.isalnum())
    return f"{prefix or ''}{own}"[:REFERENCE_MAX]
