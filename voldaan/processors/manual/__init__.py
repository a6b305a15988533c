"""Money that people move: bank transfers with a structured reference, and whatever is paid outside every system."""

from voldaan.processors.manual.books import BankAccount, Line, Unapplied
from voldaan.processors.manual.processor import ManualProcessor
from voldaan.processors.manual.references import creditor_reference, printed

__all__ = ["BankAccount", "Line", "ManualProcessor", "Unapplied", "creditor_reference", "printed"]
