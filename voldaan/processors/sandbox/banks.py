"""Test bank accounts: those debited from (SEPA, ACH), those paid out to, and banks one is sent to (iDEAL and others).

SEPA numbers and tokens from docs.stripe.com/testing, payout numbers from docs.stripe.com/connect/testing. A debit is
final after some bank days, as on the real rail; the "delayed" accounts answer after exactly three minutes.
"""

from voldaan.processors.sandbox.effects import Effect, Instrument

EUR = frozenset({"eur"})
USD = frozenset({"usd"})

SEPA_EFFECTS = {
    "success": Effect(takes="days"),
    "successDelayed": Effect(takes="minutes"),
    "failed": Effect(takes="days", fails_later="payment_intent_payment_attempt_failed"),
    "failedDelayed": Effect(takes="minutes", fails_later="payment_intent_payment_attempt_failed"),
    "disputed": Effect(takes="days", disputes=("debit_returned",)),
    "exceedsWeeklyVolumeLimit": Effect(charge_decline="charge_exceeds_source_limit"),
    "exceedsWeeklyTransactionLimit": Effect(charge_decline="charge_exceeds_weekly_limit"),
    "insufficientFunds": Effect(takes="days", fails_later="bank:insufficient_funds"),
}
IBANS = {
    "success": """AT611904300234573201 BE62510007547061 DE89370400440532013000 FR1420041010050500013M02606
        IE29AIBK93115212345678 NL39RABO0300065264 ES0700120345030000067890 EE382200221020145685 FI2112345600000785
        LT121000011101001000 LU280019400644750000 NO9386011117947 PT50000201231234567890154
        IT40S0542811101000000123456 GB82WEST12345698765432 CH9300762011623852957""",
    "successDelayed": """AT321904300235473204 BE78510007547064 DE08370400440532013003 FR3020041010050500013M02609
        IE24AIBK93115212345671""",
    "failed": """AT861904300235473202 BE68539007547034 DE62370400440532013001 FR8420041010050500013M02607
        IE02AIBK93115212345679 NL91ABNA0417164300""",
    "failedDelayed": """AT051904300235473205 BE51510007547065 DE78370400440532013004 FR7920041010050500013M02600
        IE94AIBK93115212345672""",
    "disputed": """AT591904300235473203 BE08510007547063 DE35370400440532013002 FR5720041010050500013M02608
        IE51AIBK93115212345670""",
    "exceedsWeeklyVolumeLimit": """AT981904300000343434 BE90510000343434 DE65370400440000343434
        FR9720041010050000000343434 IE10AIBK93115200343434""",
    "exceedsWeeklyTransactionLimit": """AT601904300000121212 BE52510000121212 DE27370400440000121212
        FR5920041010050000000121212 IE69AIBK93115200121212""",
    "insufficientFunds": """AT981904300002222227 BE90510002222227 DE65370400440002222227
        FR9720041010050000002222227 IE10AIBK93115202222227""",
}
REFUSED_IBANS = {
    "sepa_debit_bank_not_supported": """AT271904300000055555 BE19510000055555 DE91370400440000055555
        FR2620041010050000000055555 IE36AIBK93115200055555""",
    "sepa_debit_debits_not_supported": """AT511904300000066666 BE43510000066666 DE18370400440000066666
        FR5020041010050000000066666 IE60AIBK93115200066666""",
}

ACH_ROUTING = "110000000"
ACH = {
    "success": ("000123456789", Effect(takes="days")),
    "accountClosed": ("000111111113", Effect(takes="days", fails_later="account_closed")),
    "riskLevelHighest": ("000000004954", Effect(charge_decline="fraudulent", risk="highest")),
    "noAccount": ("000111111116", Effect(takes="days", fails_later="no_account")),
    "insufficientFunds": ("000222222227", Effect(takes="days", fails_later="bank:insufficient_funds")),
    "debitNotAuthorized": ("000333333335", Effect(takes="days", fails_later="debit_not_authorized")),
    "invalidCurrency": ("000444444440", Effect(takes="days", fails_later="invalid_currency")),
    "dispute": ("000555555559", Effect(takes="days", disputes=("debit_returned",))),
    "processing": ("000000000009", Effect(takes="for_ever")),
    "weeklyLimitExceeded": ("000777777771", Effect(charge_decline="charge_exceeds_weekly_limit")),
}

# One is sent to one's bank, and comes back having paid or not. Currency of each.
REDIRECTS = {
    "ideal": EUR, "bancontact": EUR, "eps": EUR, "p24": frozenset({"eur", "pln"}), "blik": frozenset({"pln"}),
    "twint": frozenset({"chf"}),
}

# A payout to any other number arrives.
PAYOUT_FAILURES = {
    "DE62370400440532013001": "no_account", "000111111116": "no_account", "11111116": "no_account",
    "DE89370400440532013002": "account_closed", "000111111113": "account_closed", "11111113": "account_closed",
    "DE89370400440532013003": "bank:insufficient_funds", "000222222227": "bank:insufficient_funds",
    "DE89370400440532013004": "debit_not_authorized", "000333333335": "debit_not_authorized",
    "DE89370400440532013005": "invalid_currency", "000444444440": "invalid_currency",
}


def sepa(scenario: str, iban: str) -> Instrument:
    name = f"sepaDebit_{scenario}_{iban[:2].lower()}"
    return Instrument(name, "sepa_debit", iban, None, None, iban[:2], SEPA_EFFECTS[scenario], EUR)


BY_IBAN = {iban: sepa(scenario, iban) for scenario, ibans in IBANS.items() for iban in ibans.split()}
REFUSED_BY_IBAN = {iban: code for code, ibans in REFUSED_IBANS.items() for iban in ibans.split()}
BY_ACCOUNT = {
    number: Instrument(f"usBankAccount_{name}", "us_bank_account", number, None, None, "US", effect, USD)
    for name, (number, effect) in ACH.items()
}
BY_NAME: dict[str, Instrument] = {
    **{known.name: known for known in BY_IBAN.values()},
    **{known.name: known for known in BY_ACCOUNT.values()},
    **{
        name: Instrument(name, name, "", effect=Effect(authentication="redirect"), currencies=currencies)
        for name, currencies in REDIRECTS.items()
    },
}
