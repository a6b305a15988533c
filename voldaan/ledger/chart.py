"""The chart of accounts. A name, its normal side, and what it holds; amounts per currency, in minor units."""

from __future__ import annotations

from typing import Literal

Kind = Literal["asset", "liability", "revenue", "contra_revenue", "expense", "gain"]

RECEIVABLE = "receivable"                        # finalized invoices not yet paid
DEBIT_IN_TRANSIT = "debit_in_transit"            # bank debits accepted, not yet settled
PROCESSOR_PENDING = "processor_pending"          # Stripe's balance, pending
PROCESSOR_AVAILABLE = "processor_available"      # Stripe's balance, available
PAYOUTS_IN_TRANSIT = "payouts_in_transit"        # left the processor, not yet on the bank account
BANK = "bank"                                    # money on the bank account
EXTERNAL_CASH = "external_cash"                  # paid out of band
DEFERRED_REVENUE = "deferred_revenue"            # billed, not yet earned
TAX_PAYABLE = "tax_payable"
CUSTOMER_BALANCE = "customer_balance"            # credit that customers hold; a debit balance is what they owe
PREPAID_CREDITS = "prepaid_credits"              # billing credits bought and not yet used
REFUNDS_PAYABLE = "refunds_payable"              # refunds promised, not yet taken from the balance
REVENUE = "revenue"
CREDIT_REVENUE = "credit_revenue"                # usage paid with billing credits that were bought
CREDIT_BREAKAGE = "credit_breakage"              # billing credits that were bought and never used
CREDIT_SALES = "credit_sales"                    # sales of billing credits, put off until these are used
REFUNDS = "refunds"
DISPUTES = "disputes"
VOIDS = "voids"
BAD_DEBT = "bad_debt"
CREDIT_NOTES = "credit_notes"
FEES = "fees"
CUSTOMER_BALANCE_ADJUSTMENTS = "customer_balance_adjustments"
RECOVERABLES = "recoverables"                    # written off or disputed, and paid after all

CHART: dict[str, Kind] = {
    RECEIVABLE: "asset",
    DEBIT_IN_TRANSIT: "asset",
    PROCESSOR_PENDING: "asset",
    PROCESSOR_AVAILABLE: "asset",
    PAYOUTS_IN_TRANSIT: "asset",
    BANK: "asset",
    EXTERNAL_CASH: "asset",
    DEFERRED_REVENUE: "liability",
    TAX_PAYABLE: "liability",
    CUSTOMER_BALANCE: "liability",
    PREPAID_CREDITS: "liability",
    REFUNDS_PAYABLE: "liability",
    REVENUE: "revenue",
    CREDIT_REVENUE: "revenue",
    CREDIT_BREAKAGE: "revenue",
    CREDIT_SALES: "contra_revenue",
    REFUNDS: "contra_revenue",
    DISPUTES: "contra_revenue",
    VOIDS: "contra_revenue",
    BAD_DEBT: "contra_revenue",
    CREDIT_NOTES: "contra_revenue",
    FEES: "expense",
    CUSTOMER_BALANCE_ADJUSTMENTS: "expense",
    RECOVERABLES: "gain",
}

DEBIT_NORMAL: frozenset[Kind] = frozenset({"asset", "contra_revenue", "expense"})
