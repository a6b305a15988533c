"""Which processor takes which payment method: a table, and the processors this process has opened."""

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

_open: dict[str, Processor] = {}


def register(processor: Processor) -> None:
    """Makes a processor known under its name, in place of any other of that name."""
    _open[processor.name] = processor


def get(name: str) -> Processor:
    """The processor of this name. Raises LookupError when this process has not opened it."""
    try:
        return _open[name]
    except KeyError:
        raise LookupError(f"No processor named {name!r} is open; open are: {', '.join(sorted(_open)) or 'none'}.") from None


def route(payment_method_type: str, livemode: bool) -> Processor | Declined:
    """The processor for a new payment; where there is none, the decline that says so. Old payments use `get`."""
    test, live = ROUTES.get(payment_method_type, (None, None))
    return _choose(live if livemode else test, payment_method_type, livemode)


def route_payout(livemode: bool) -> Processor | Declined:
    """The processor that sends an account its own money."""
    test, live = PAYOUTS
    return _choose(live if livemode else test, "payouts", livemode)


def _choose(name: str | None, what: str, livemode: bool) -> Processor | Declined:
    if name in _open:
        return _open[name]
    if livemode:
        able = [p for p in _open.values() if p.name != "sandbox" and what in p.capabilities().payment_method_types]
        if able:
            return able[0]
    mode = "live" if livemode else "test"
    return Declined(decline(
        "processor_not_configured",
        f"No processor is configured that takes {what!r} in {mode} mode. Configure one, or use another payment method.",
    ))


async def open_processors(dsn: str, bank: BankAccount | None = None, faults: Faults | None = None) -> None:
    """Opens the processors that come with Voldaan and registers them; faults as VOLDAAN_SANDBOX_FAULTS says."""
    sandbox = SandboxNetwork(dsn, faults or Faults.from_environment())
    manual = ManualProcessor(dsn, bank)
    await sandbox.open()
    await manual.open()
    register(sandbox)
    register(manual)


async def close_processors() -> None:
    """Closes what open_processors opened, and forgets all."""
    for processor in _open.values():
        if isinstance(processor, (SandboxNetwork, ManualProcessor)):
            await processor.close()
    _open.clear()
