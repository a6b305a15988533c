"""The sandbox network: where the money of accounts in test mode moves."""

from voldaan.processors.sandbox.books import Fees, Terms
from voldaan.processors.sandbox.faults import Faults
from voldaan.processors.sandbox.network import SandboxNetwork
from voldaan.processors.sandbox.tokens import (
    InvalidInstrument,
    Tokenized,
    instrument,
    tokenize,
    tokenize_bank,
    tokenize_redirect,
)

__all__ = [
    "Faults", "Fees", "InvalidInstrument", "SandboxNetwork", "Terms", "Tokenized", "instrument", "tokenize",
    "tokenize_bank", "tokenize_redirect",
]
