"""What an invoice charges for shipping: a line of its own kind, that is taxed and summed with the others and shown apart.

No discount and no billing credit touches it, and it is earned at once. Amounts are minor units. Sources:
docs/behaviour-billing.md, "Shipping".
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.shipping_rates import Shipped, ShippingRate
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import shipping_rates, tax_codes
from voldaan.rules.refusals import refused


def charged(rate: ShippingRate, currency: str, param: str) -> Shipped:
    """What an invoice in this currency is charged at the rate, before tax. Raises Refused, blaming `param`."""
    if not rate.active:
        raise refused(f"The shipping rate {rate.id} is not active.", param)
    found = shipping_rates.cost(rate, currency)
    if found is None:
        raise refused(f"The shipping rate {rate.id} has no amount in {currency}.", param)
    amount, behavior = found
    return Shipped(rate=rate.id, name=rate.display_name, amount=amount, tax_behavior=behavior, tax_code=rate.tax_code)


def line_of(invoice: Invoice) -> LineItem | None:
    """Shipping as the line that tax, sums and credit notes take it for; None if the invoice charges none."""
    shipped = invoice.shipped
    if shipped is None:
        return None
    return LineItem(
        id=f"{invoice.id}_shipping",
        amount=shipped.amount,
        currency=invoice.currency,
        description=shipped.name,
        discountable=False,
        invoice=invoice.id,
        livemode=invoice.livemode,
        net=shipped.net,
        period_end=invoice.created,
        period_start=invoice.created,
        subtotal=shipped.amount,
        tax=shipped.tax,
        tax_behavior=shipped.tax_behavior,
        tax_code=shipped.tax_code or tax_codes.SHIPPING,
        tax_rates=shipped.tax_rates,
        taxes=shipped.taxes,
    )


def is_shipping(line: LineItem) -> bool:
    """Whether a line stands for the shipping of its invoice."""
    return line.id == f"{line.invoice}_shipping"


def keep(invoice: Invoice, line: LineItem | None, rates: Mapping[str, TaxRate]) -> None:
    """Puts what was computed of the line back into its invoice, which nobody else holds."""
    if line is None or invoice.shipped is None:
        if not invoice.shipping_cost:
            return
        invoice.amount_shipping, invoice.shipping_tax_rates = 0, []
    else:
        taxes = list(line.taxes or [])
        invoice.shipped = replace(invoice.shipped, net=line.net, tax=line.tax, taxes=taxes, tax_rates=line.tax_rates)
        invoice.amount_shipping = line.amount
        invoice.shipping_tax_rates = [rates.get(tax.rate, tax.rate) for tax in taxes]
    invoice.__post_init__()


def rates_of(invoice: Invoice) -> list[str]:
    """The ids of the tax rates that the shipping of an invoice bears."""
    if invoice.shipped is None:
        return []
    return [*(invoice.shipped.tax_rates or []), *(tax.rate for tax in invoice.shipped.taxes if tax.rate)]
