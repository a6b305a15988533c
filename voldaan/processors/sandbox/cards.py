"""Stripe's test cards and magic tokens (docs.stripe.com/testing, as of August 2026): the only card numbers there are.

A card may have several names: `pm_card_visa`, `tok_visa` and `pm_card_us` are all 4242424242424242. The first name is
the one under which the network files it. Cards that Stripe names only by number have a name of ours.
"""

from voldaan.processors.sandbox.effects import Authentication, Dispute, Effect, Instrument


def card(
    names: str, number: str, brand: str = "visa", funding: str = "credit", country: str = "US",
    effect: Effect | None = None,
) -> tuple[tuple[str, ...], Instrument]:
    first, *others = names.split()
    return (first, *others), Instrument(first, "card", number, brand, funding, country, effect or Effect())


def declined(code: str) -> Effect:
    return Effect(decline=code)


def secured(how: Authentication, after: str | None = None) -> Effect:
    return Effect(authentication=how, after_authentication=after)


def disputed(*kinds: Dispute) -> Effect:
    return Effect(disputes=kinds, authentication="optional")


def failing(*checks: str, risk: str = "normal") -> Effect:
    return Effect(failing_checks=frozenset(checks), risk="elevated" if risk == "elevated" else "normal")


BRANDS = [
    card("visa us", "4242424242424242"),
    card("visa_debit", "4000056655665556", funding="debit"),
    card("mastercard", "5555555555554444", "mastercard"),
    card("mastercard_2_series", "2223003122003222", "mastercard"),
    card("mastercard_debit", "5200828282828210", "mastercard", "debit"),
    card("mastercard_prepaid", "5105105105105100", "mastercard", "prepaid"),
    card("amex amex_threeDSecureNotSupported", "378282246310005", "amex", effect=secured("not_supported")),
    card("amex_second", "371449635398431", "amex"),
    card("discover", "6011111111111117", "discover"),
    card("discover_second", "6011000990139424", "discover"),
    card("discover_debit", "6011981111111113", "discover", "debit"),
    card("diners", "3056930009020004", "diners"),
    card("diners_14_digits", "36227206271667", "diners"),
    card("bccard", "6555900000604105", "discover", country="KR"),
    card("jcb", "3566002020360505", "jcb", country="JP"),
    card("unionpay", "6200000000000005", "unionpay", country="CN"),
    card("unionpay_debit", "6200000000000047", "unionpay", "debit", "CN"),
    card("unionpay_19_digits", "6205500000000000004", "unionpay", country="CN"),
    card("visa_cartesBancaires", "4000002500001001", country="FR"),
    card("mastercard_cartesBancaires", "5555552500001001", "mastercard", country="FR"),
    card("visa_debit_eftposAuCoBranded", "4000050360000001", funding="debit", country="AU"),
    card("mastercard_debit_eftposAuCoBranded", "5555050360000080", "mastercard", "debit", "AU"),
    card("debit_visaFsaProductCode debit_visaHsaProductCode", "4000051230000072", funding="debit"),
    card("mastercard_debit_mastercardFsaProductCode", "5200828282828897", "mastercard", "debit"),
]

COUNTRIES = [card(name.lower(), number, country=name) for name, number in {
    "AR": "4000000320000021", "BR": "4000000760000002", "CA": "4000001240000000", "CL": "4000001520000001",
    "CO": "4000001700000003", "CR": "4000001880000005", "EC": "4000002180000000", "MX": "4000004840008001",
    "PA": "4000005910000000", "PY": "4000006000000066", "PE": "4000006040000068", "UY": "4000008580000003",
    "AE": "4000007840000001", "AT": "4000000400000008", "BE": "4000000560000004", "BG": "4000001000000000",
    "BY": "4000001120000005", "HR": "4000001910000009", "CY": "4000001960000008", "CZ": "4000002030000002",
    "DK": "4000002080000001", "EE": "4000002330000009", "FI": "4000002460000001", "FR": "4000002500000003",
    "DE": "4000002760000016", "GI": "4000002920000005", "GR": "4000003000000030", "HU": "4000003480000005",
    "IE": "4000003720000005", "IT": "4000003800000008", "LV": "4000004280000005", "LI": "4000004380000004",
    "LT": "4000004400000000", "LU": "4000004420000006", "MT": "4000004700000007", "NL": "4000005280000002",
    "NO": "4000005780000007", "PL": "4000006160000005", "PT": "4000006200000007", "RO": "4000006420000001",
    "SA": "4000006820000007", "SI": "4000007050000006", "SK": "4000007030000001", "ES": "4000007240000007",
    "SE": "4000007520000008", "CH": "4000007560000009", "GB": "4000008260000000", "AU": "4000000360000006",
    "CN": "4000001560000002", "HK": "4000003440000004", "IN": "4000003560000008", "JP": "4000003920000003",
    "MY": "4000004580000002", "NZ": "4000005540000008", "SG": "4000007020000003", "TW": "4000001580000008",
}.items()] + [
    card("mx_carnet", "5062210000000009", "unknown", country="MX"),
    card("ae_mastercard", "5200007840000022", "mastercard", country="AE"),
    card("gb_debit", "4000058260000005", funding="debit", country="GB"),
    card("gb_mastercard", "5555558265554449", "mastercard", country="GB"),
    card("jp_jcb", "3530111333300000", "jcb", country="JP"),
    card("th_credit", "4000007640000003", country="TH"),
    card("th_debit", "4000057640000008", funding="debit", country="TH"),
]

DECLINES = [
    card("visa_chargeDeclined chargeDeclined", "4000000000000002", effect=declined("generic_decline")),
    card("visa_chargeDeclinedInsufficientFunds chargeDeclinedInsufficientFunds", "4000000000009995",
         effect=declined("insufficient_funds")),
    card("visa_chargeDeclinedLostCard chargeDeclinedLostCard", "4000000000009987", effect=declined("lost_card")),
    card("visa_chargeDeclinedStolenCard chargeDeclinedStolenCard", "4000000000009979", effect=declined("stolen_card")),
    card("chargeDeclinedExpiredCard visa_chargeDeclinedExpiredCard", "4000000000000069",
         effect=declined("expired_card")),
    card("chargeDeclinedIncorrectCvc visa_chargeDeclinedIncorrectCvc", "4000000000000127",
         effect=declined("incorrect_cvc")),
    card("chargeDeclinedProcessingError visa_chargeDeclinedProcessingError", "4000000000000119",
         effect=declined("processing_error")),
    card("visa_chargeDeclinedVelocityLimitExceeded chargeDeclinedVelocityLimitExceeded", "4000000000006975",
         effect=declined("card_velocity_exceeded")),
    card("chargeCustomerFail visa_chargeCustomerFail", "4000000000000341",
         effect=Effect(charge_decline="generic_decline")),
    card("visa_chargeCustomerFailLostCard", "4000000000000341", effect=Effect(charge_decline="lost_card")),
    card("visa_chargeCustomerFailStolenCard", "4000000000000341", effect=Effect(charge_decline="stolen_card")),
]

# Blocking by risk assumes the default rules: the highest risk is blocked, an elevated one is not.
FRAUD = [
    card("radarBlock chargeDeclinedFraudulent", "4100000000000019",
         effect=Effect(charge_decline="fraudulent", risk="highest")),
    card("riskLevelHighest", "4000000000004954", effect=Effect(charge_decline="fraudulent", risk="highest")),
    card("riskLevelElevated", "4000000000009235", effect=Effect(risk="elevated")),
    card("highFraudDisputeScore", "4000008400000407", effect=Effect(risk="elevated")),
    card("highEfwScore", "4000008400000159", effect=Effect(risk="elevated")),
    card("radarDynamicRiskThreshold", "4000008400001017", effect=Effect(risk="elevated")),
    card("freeTrialAbuseBlock", "4001858821843804", effect=Effect(risk="elevated")),
    card("adaptive3dsChallenge", "4000008405600003", effect=secured("optional")),
    card("cvcCheckFail", "4000000000000101", effect=failing("cvc")),
    card("avsZipFail", "4000000000000036", effect=failing("postal_code")),
    card("cvcCheckFailElevatedRisk", "4000058400307872", effect=failing("cvc", risk="elevated")),
    card("avsZipFailElevatedRisk", "4000058400306072", effect=failing("postal_code", risk="elevated")),
    card("avsLine1Fail", "4000000000000028", effect=failing("line1")),
    card("avsFail", "4000000000000010", effect=failing("line1", "postal_code")),
    card("avsUnchecked", "4000000000000044", effect=Effect(unavailable_checks=frozenset({"line1", "postal_code"}))),
    card("captcha", "4000000000001208"),
    card("captcha_second", "4000000000003725"),
]

DISPUTES = [
    card("createDispute", "4000000000000259", effect=disputed("fraudulent")),
    card("createDisputeProductNotReceived", "4000000000002685", effect=disputed("product_not_received")),
    card("createDisputeInquiry", "4000000000001976", effect=disputed("inquiry")),
    card("createIssuerFraudRecord", "4000000000005423", effect=disputed("fraud_warning")),
    card("createMultipleDisputes", "4000000404000079", effect=disputed("fraudulent", "product_not_received")),
    card("createCe3EligibleDispute", "4000000404000038", effect=disputed("fraudulent")),
    card("createComplianceDispute", "4000008400000779", effect=disputed("noncompliant")),
    card("createMastercardComplianceDispute", "5105008400000002", "mastercard", effect=disputed("noncompliant")),
    card("createAutoRepresentmentEligibleDispute", "4000000001000043", effect=disputed("fraudulent")),
]

REFUNDS_AND_BALANCE = [
    card("pendingRefund", "4000000000007726", effect=Effect(refund="pending")),
    card("refundFail", "4000000000005126", effect=Effect(refund="fails")),
    card("bypassPending", "4000000000000077", effect=Effect(available_at_once=True)),
    card("bypassPendingInternational", "4000003720000278", country="IE", effect=Effect(available_at_once=True)),
]

AUTHENTICATION = [
    card("authenticationRequiredOnSetup", "4000002500003155", country="FR", effect=secured("unless_set_up")),
    card("authenticationRequired", "4000002760003184", country="DE", effect=secured("always")),
    card("authenticationRequiredSetupForOffSession", "4000003800000446", country="IT", effect=secured("set_up")),
    card("authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178", country="GB",
         effect=secured("unless_set_up", after="insufficient_funds")),
    card("threeDSecure2Required", "4000000000003220", country="IE", effect=secured("unless_set_up")),
    card("threeDSecureRequired_us", "4000008400000027", effect=secured("unless_set_up")),
    card("threeDSecureRequiredChargeDeclined", "4000008400001629",
         effect=secured("unless_set_up", after="generic_decline")),
    card("threeDSecureRequiredProcessingError", "4000008400001280", effect=secured("required_lookup_fails")),
    card("threeDSecureOptional", "4000000000003055", effect=secured("optional")),
    card("threeDSecureOptionalProcessingError", "4000000000003097", effect=secured("optional_lookup_fails")),
    card("threeDSecureFrictionless", "4000000032200000", effect=secured("frictionless")),
    card("mobile_out_of_band", "4000582600000094", country="GB", effect=secured("unless_set_up")),
    card("mobile_one_time_passcode", "4000582600000045", country="GB", effect=secured("unless_set_up")),
    card("mobile_single_select", "4000582600000102", country="GB", effect=secured("unless_set_up")),
    card("mobile_multi_select", "4000582600000110", country="GB", effect=secured("unless_set_up")),
]

ALL = BRANDS + COUNTRIES + DECLINES + FRAUD + DISPUTES + REFUNDS_AND_BALANCE + AUTHENTICATION
BY_NAME: dict[str, Instrument] = {name: known for names, known in ALL for name in names}
BY_NUMBER: dict[str, Instrument] = {known.number: known for _, known in reversed(ALL)}   # the first of a number wins
