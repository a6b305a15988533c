"""Which processor takes which payment method: a table, and the processors this process has opened."""

from __future__ import annotations

from voldaan.processors.declines import decline
from voldaan.processors.manual import BankAccount, ManualProcessor
from voldaan.processors.protocol import Declined, Processor
from voldaan.processors.sandbox import Faults, SandboxNetwork

# Payment method type → the processor in test mode, and in live mode. A type that is not here needs a real processor.
ROUTES: dict[str, tuple[str, str | None]] = {
    "card":             ("sandbox", None),
    "sepa_debit":       ("sandbox", None),
    "us_bank_account":  ("sandbox", None),
    "ideal":            ("sandbox", None),
    "bancontact":       ("sandbox", None),
    "eps":              ("sandbox", None),
    "p24":              ("sandbox", None),
    "blik":             ("sandbox", None),
    "twint":            ("sandbox", None),
    "customer_balance": ("manual", "manual"),           # a bank transfer, matched by its reference
    "bank_transfer":    ("manual", "manual"),
    "custom":           ("manual", "manual"),           # paid out of band: cash, a cheque, another system
    "out_of_band":      ("manual", "manual"),
}
PAYOUTS = ("sandbox", "manual")                         # in test mode, and in live mode


class Registry:
    """The open processors of one process, by name."""

    def __init__(self, *processors: Processor) -> None:
        self._open = {processor.name: processor for processor in processors}

    @classmethod
    async def open(cls, dsn: str, bank: BankAccount | None = None, faults: Faults | None = None) -> Registry:
        """The processors that come with Voldaan, opened; faults as VOLDAAN_SANDBOX_FAULTS says, unless given."""
        sandbox = SandboxNetwork(dsn, faults or Faults.from_environment())
        manual = ManualProcessor(dsn, bank)
        await sandbox.open()
        await manual.open()
        return cls(sandbox, manual)

    async def close(self) -> None:
        """Closes what Registry.open opened; a processor that was added is closed by whoever opened it."""
        for processor in self._open.values():
            if isinstance(processor, (SandboxNetwork, ManualProcessor)):
                await processor.close()
        self._open.clear()

    def add(self, processor: Processor) -> None:
        """Makes a processor known, in place of any other of its name."""
        self._open[processor.name] = processor

    def get(self, name: str) -> Processor:
        """The processor of this name. Raises LookupError when it is not open."""
        if processor := self._open.get(name):
            return processor
        raise LookupError(f"No processor named {name!r} is open; open are: {', '.join(sorted(self._open)) or 'none'}.")

    def route(self, payment_method_type: str, livemode: bool) -> Processor | Declined:
        """The processor for a new payment method; where there is none, the decline that says so."""
        test, live = ROUTES.get(payment_method_type, (None, None))
        return self._choose(live if livemode else test, payment_method_type, livemode)

    def route_payout(self, livemode: bool) -> Processor | Declined:
        """The processor that sends an account its own money."""
        test, live = PAYOUTS
        return self._choose(live if livemode else test, "payouts", livemode)

    def _choose(self, name: str | None, what: str, livemode: bool) -> Processor | Declined:
        if name and (processor := self._open.get(name)):
            return processor
        if livemode:
            for processor in self._open.values():
                if processor.name != "sandbox" and what in processor.capabilities().payment_method_types:
                    return processor
        mode = "live" if livemode else "test"
        return Declined(decline(
            "processor_not_configured",
            f"No processor is configured that takes {what!r} in {mode} mode. "
            "Configure one, or use another payment method.",
        ))
