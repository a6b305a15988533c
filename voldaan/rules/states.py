"""Every state machine is one literal: (state, trigger) -> state. The same tables feed checks, documents and buttons.

A state that has no way out is final. What a table does not list is refused. Sources: docs/behaviour-rules.md, "States".
"""

from collections.abc import Mapping

Machine = Mapping[tuple[str, str], str]


INVOICE: Machine = {
    ("draft", "finalize"): "open",
    ("open", "pay"): "paid",
    ("open", "void"): "void",
    ("open", "give_up"): "uncollectible",
    ("uncollectible", "pay"): "paid",
    ("uncollectible", "void"): "void",
}
INVOICE_FINALIZED = frozenset({"open", "paid", "uncollectible", "void"})  # has a number; never changes any more
INVOICE_OWED = frozenset({"open", "uncollectible"})  # may still be paid or voided


SUBSCRIPTION: Machine = {
    # before the first payment; 23 hours by default
    ("incomplete", "pay_first"): "active",
    ("incomplete", "start_trial"): "trialing",
    ("incomplete", "payment_failed"): "incomplete",
    ("incomplete", "expire"): "incomplete_expired",
    ("incomplete", "cancel"): "incomplete_expired",
    # trials
    ("trialing", "trial_end_paid"): "active",
    ("trialing", "trial_end_unpaid"): "past_due",
    ("trialing", "trial_end_pause"): "paused",
    ("trialing", "trial_end_cancel"): "canceled",
    ("active", "start_trial"): "trialing",
    ("past_due", "start_trial"): "trialing",
    # renewals, and the dunning after them
    ("active", "payment_failed"): "past_due",
    ("trialing", "payment_failed"): "past_due",
    ("past_due", "payment_failed"): "past_due",
    ("past_due", "payment_recovered"): "active",
    ("past_due", "give_up_cancel"): "canceled",
    ("past_due", "give_up_unpaid"): "unpaid",
    ("past_due", "give_up_past_due"): "past_due",
    ("unpaid", "payment_failed"): "unpaid",
    ("unpaid", "payment_recovered"): "active",
    # pausing, and resuming with or without a paid resumption invoice
    ("active", "pause"): "paused",
    ("trialing", "pause"): "paused",
    ("past_due", "pause"): "paused",
    ("paused", "resume"): "active",
    ("paused", "resume_trialing"): "trialing",
    ("paused", "resume_unpaid"): "past_due",
    # the end
    ("trialing", "cancel"): "canceled",
    ("active", "cancel"): "canceled",
    ("past_due", "cancel"): "canceled",
    ("unpaid", "cancel"): "canceled",
    ("paused", "cancel"): "canceled",
}
SUBSCRIPTION_ENDED = frozenset({"canceled", "incomplete_expired"})
SUBSCRIPTION_RENEWS = frozenset({"trialing", "active", "past_due", "unpaid"})  # moves on to the next period
SUBSCRIPTION_COLLECTS = frozenset({"trialing", "active", "past_due"})  # its invoices are finalized and tried
SUBSCRIPTION_HAS_ACCESS = frozenset({"trialing", "active", "past_due"})  # the customer is served


PAYMENT_INTENT: Machine = {
    ("requires_payment_method", "attach_method"): "requires_confirmation",
    ("requires_confirmation", "attach_method"): "requires_confirmation",
    ("requires_confirmation", "detach_method"): "requires_payment_method",
    ("requires_action", "attach_method"): "requires_confirmation",
    # confirm, with a method that came before or comes along
    ("requires_payment_method", "process"): "processing",
    ("requires_payment_method", "require_action"): "requires_action",
    ("requires_payment_method", "authorize"): "requires_capture",
    ("requires_payment_method", "succeed"): "succeeded",
    ("requires_payment_method", "decline"): "requires_payment_method",
    ("requires_confirmation", "process"): "processing",
    ("requires_confirmation", "require_action"): "requires_action",
    ("requires_confirmation", "authorize"): "requires_capture",
    ("requires_confirmation", "succeed"): "succeeded",
    ("requires_confirmation", "decline"): "requires_payment_method",
    # the customer acted, or did not; more may be asked
    ("requires_action", "process"): "processing",
    ("requires_action", "require_action"): "requires_action",
    ("requires_action", "authorize"): "requires_capture",
    ("requires_action", "succeed"): "succeeded",
    ("requires_action", "decline"): "requires_payment_method",
    # the answer
    ("processing", "require_action"): "requires_action",
    ("processing", "authorize"): "requires_capture",
    ("processing", "succeed"): "succeeded",
    ("processing", "decline"): "requires_payment_method",
    ("processing", "not_sent"): "requires_confirmation",
    # a hold
    ("requires_capture", "capture"): "succeeded",
    ("requires_capture", "expire"): "canceled",
    # the end
    ("requires_payment_method", "cancel"): "canceled",
    ("requires_confirmation", "cancel"): "canceled",
    ("requires_action", "cancel"): "canceled",
    ("requires_capture", "cancel"): "canceled",
    ("processing", "cancel"): "canceled",
}
PAYMENT_INTENT_CONFIRMABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
PAYMENT_INTENT_FINAL = frozenset({"succeeded", "canceled"})


SETUP_INTENT: Machine = {
    ("requires_payment_method", "attach_method"): "requires_confirmation",
    ("requires_confirmation", "attach_method"): "requires_confirmation",
    ("requires_confirmation", "detach_method"): "requires_payment_method",
    ("requires_action", "attach_method"): "requires_confirmation",
    ("requires_payment_method", "process"): "processing",
    ("requires_payment_method", "require_action"): "requires_action",
    ("requires_payment_method", "succeed"): "succeeded",
    ("requires_payment_method", "decline"): "requires_payment_method",
    ("requires_confirmation", "process"): "processing",
    ("requires_confirmation", "require_action"): "requires_action",
    ("requires_confirmation", "succeed"): "succeeded",
    ("requires_confirmation", "decline"): "requires_payment_method",
    ("requires_action", "process"): "processing",
    ("requires_action", "require_action"): "requires_action",
    ("requires_action", "succeed"): "succeeded",
    ("requires_action", "decline"): "requires_payment_method",
    ("processing", "require_action"): "requires_action",
    ("processing", "succeed"): "succeeded",
    ("processing", "decline"): "requires_payment_method",
    ("processing", "not_sent"): "requires_confirmation",
    ("requires_payment_method", "cancel"): "canceled",
    ("requires_confirmation", "cancel"): "canceled",
    ("requires_action", "cancel"): "canceled",
}


CHARGE: Machine = {
    ("pending", "succeed"): "succeeded",
    ("pending", "fail"): "failed",
}


REFUND: Machine = {
    ("pending", "require_action"): "requires_action",
    ("pending", "succeed"): "succeeded",
    ("pending", "fail"): "failed",
    ("pending", "cancel"): "canceled",
    ("requires_action", "succeed"): "succeeded",
    ("requires_action", "fail"): "failed",
    ("requires_action", "cancel"): "canceled",
    ("succeeded", "fail"): "failed",  # the bank sent it back: the money is ours again
}
REFUND_OUT = frozenset({"pending", "requires_action", "succeeded"})  # counts against what may still be refunded


PAYOUT: Machine = {
    ("pending", "submit"): "in_transit",
    ("pending", "cancel"): "canceled",
    ("pending", "fail"): "failed",
    ("in_transit", "arrive"): "paid",
    ("in_transit", "fail"): "failed",
    ("paid", "fail"): "failed",  # shown as paid until the bank says otherwise
}


DISPUTE: Machine = {
    # an inquiry: no money has moved yet
    ("warning_needs_response", "submit"): "warning_under_review",
    ("warning_needs_response", "close"): "warning_closed",
    ("warning_needs_response", "escalate"): "needs_response",
    ("warning_under_review", "close"): "warning_closed",
    ("warning_under_review", "escalate"): "needs_response",
    # a chargeback
    ("needs_response", "submit"): "under_review",
    ("needs_response", "accept"): "lost",
    ("needs_response", "expire"): "lost",
    ("needs_response", "win"): "won",
    ("needs_response", "prevent"): "prevented",
    ("under_review", "win"): "won",
    ("under_review", "lose"): "lost",
    # a lost one may be appealed where the network allows it
    ("lost", "allow_appeal"): "appeal_needs_response",
    ("appeal_needs_response", "submit"): "appeal_under_review",
    ("appeal_needs_response", "expire"): "lost",
    ("appeal_under_review", "win"): "won",
    ("appeal_under_review", "lose"): "lost",
}
DISPUTE_ANSWERABLE = frozenset({"warning_needs_response", "needs_response", "appeal_needs_response"})
DISPUTE_HOLDS_FUNDS = frozenset(
    {"needs_response", "under_review", "appeal_needs_response", "appeal_under_review", "lost"}
)  # fmt: skip


# One try at a processor. The triggers are its outcomes. "unknown" is left only by asking about the same reference, by a
# settlement file, or by a person; never by another try, and never by time alone into a failure.
ATTEMPT: Machine = {
    ("dispatched", "requires_action"): "requires_action",
    ("dispatched", "processing"): "processing",
    ("dispatched", "authorized"): "authorized",
    ("dispatched", "succeeded"): "succeeded",
    ("dispatched", "declined"): "declined",
    ("dispatched", "not_sent"): "not_sent",
    ("dispatched", "unknown"): "unknown",
    ("not_sent", "dispatch"): "dispatched",
    # the customer acted, or the payment was withdrawn
    ("requires_action", "processing"): "processing",
    ("requires_action", "authorized"): "authorized",
    ("requires_action", "succeeded"): "succeeded",
    ("requires_action", "declined"): "declined",
    ("requires_action", "unknown"): "unknown",
    ("requires_action", "voided"): "voided",
    # accepted, final after days
    ("processing", "authorized"): "authorized",
    ("processing", "succeeded"): "succeeded",
    ("processing", "declined"): "declined",
    ("processing", "unknown"): "unknown",
    ("processing", "voided"): "voided",
    # a hold that was captured has attempts of its own for the captures
    ("authorized", "voided"): "voided",
    # what asking again brings to light
    ("unknown", "requires_action"): "requires_action",
    ("unknown", "processing"): "processing",
    ("unknown", "authorized"): "authorized",
    ("unknown", "succeeded"): "succeeded",
    ("unknown", "declined"): "declined",
    ("unknown", "not_sent"): "not_sent",
    ("unknown", "voided"): "voided",
    ("unknown", "stop_asking"): "needs_reconciliation",
    # what a settlement file or a person decides
    ("needs_reconciliation", "authorized"): "authorized",
    ("needs_reconciliation", "succeeded"): "succeeded",
    ("needs_reconciliation", "declined"): "declined",
    ("needs_reconciliation", "not_sent"): "not_sent",
    ("needs_reconciliation", "voided"): "voided",
}
ATTEMPT_LIVE = frozenset({"dispatched", "processing", "unknown", "needs_reconciliation"})  # money may still move


TEST_CLOCK: Machine = {
    ("ready", "advance"): "advancing",
    ("advancing", "arrive"): "ready",
    ("advancing", "fail"): "internal_failure",
}


CREDIT_NOTE: Machine = {
    ("issued", "void"): "void",
}


QUOTE: Machine = {
    ("draft", "finalize"): "open",
    ("draft", "cancel"): "canceled",
    ("open", "accept"): "accepted",
    ("open", "cancel"): "canceled",
}


SUBSCRIPTION_SCHEDULE: Machine = {
    ("not_started", "start"): "active",
    ("not_started", "cancel"): "canceled",
    ("not_started", "release"): "released",
    ("active", "cancel"): "canceled",
    ("active", "release"): "released",
    ("active", "complete"): "completed",
}


MANDATE: Machine = {
    ("pending", "accept"): "active",
    ("pending", "refuse"): "inactive",
    ("active", "revoke"): "inactive",
}


ALERT: Machine = {
    ("active", "deactivate"): "inactive",
    ("inactive", "activate"): "active",
    ("active", "archive"): "archived",
    ("inactive", "archive"): "archived",
}


def advance(machine: Machine, state: str, trigger: str) -> str | None:
    """The state that follows, or None: this cannot happen to it."""
    return machine.get((state, trigger))


def triggers(machine: Machine, state: str) -> list[str]:
    """What may happen to something in this state, in the table's order: the buttons of a page."""
    return [trigger for was, trigger in machine if was == state]


def states(machine: Machine) -> frozenset[str]:
    """All states that a machine knows."""
    return frozenset(state for state, _ in machine) | frozenset(machine.values())


def is_final(machine: Machine, state: str) -> bool:
    """Whether nothing can happen to it any more."""
    return not triggers(machine, state)
