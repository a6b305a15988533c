"""Products: what may be said of one, and what a product becomes of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.numbers import Number, plain
from voldaan.resources.prices import ProductData, ProductDataTaxDetails
from voldaan.resources.products import (
    MarketingFeature,
    PackageDimensions,
    PackageDimensionsParams,
    Product,
    ProductCreate,
    ProductTaxDetails,
    ProductUpdate,
)
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused

ID = re.compile(r"[A-Za-z0-9_\-.]{1,255}")
URL = re.compile(r"https?://[^\s/]+(/\S*)?")
TAX_CODE = re.compile(r"txcd_\d{8}")
DESCRIPTOR = re.compile(r"""(?=.*[A-Za-z])[^<>\\'"*]{1,22}""")  # as on a card statement

Given = ProductCreate | ProductUpdate | ProductData


def changed(product: Product, params: Given) -> Product:
    """The product with what the parameters say, apart from its prices."""
    _check(params)
    values: dict[str, Any] = {"metadata": merged(product.metadata, params.metadata)}
    for name in params.model_fields_set:
        value = getattr(params, name)
        if name in ("name", "active", "shippable") and value is not None:
            values[name] = value
        elif name in ("description", "tax_code", "url"):
            values[name] = value or None
        elif name in ("statement_descriptor", "unit_label"):
            values[name] = value or UNSET
        elif name == "images":
            values[name] = list(value or [])
        elif name == "marketing_features":
            values[name] = [MarketingFeature(name=feature.name) for feature in value or []]
        elif name == "package_dimensions":
            values[name] = _dimensions(value) if value else None
        elif name == "tax_details":
            values[name] = _tax_details(value) if value else None
    return replace(product, **values)


def check_id(id: str) -> None:
    """Refuses an id of the caller's own that could not stand in a path."""
    if not ID.fullmatch(id):
        raise refused("An id may only contain alphanumeric characters, and any of: -, _, .", "id")


def _check(params: Given) -> None:
    if params.tax_code and not TAX_CODE.fullmatch(params.tax_code):
        raise refused(f"No such tax code: '{params.tax_code}'", "tax_code", "resource_missing")
    details = params.tax_details or None
    if details and details.tax_code and not TAX_CODE.fullmatch(details.tax_code):
        raise refused(f"No such tax code: '{details.tax_code}'", "tax_details[tax_code]", "resource_missing")
    if params.statement_descriptor and not DESCRIPTOR.fullmatch(params.statement_descriptor):
        raise refused(
            "The statement descriptor must have at most 22 characters, at least one letter, and none of <>\\'\"*.",
            "statement_descriptor",
        )
    if isinstance(params, ProductData):
        return
    if params.url and not URL.fullmatch(params.url):
        raise refused("Not a valid URL", "url", "url_invalid")
    _check_images(params.images or [])


def _check_images(images: Sequence[str]) -> None:
    for number, image in enumerate(images):
        if not URL.fullmatch(image):
            raise refused("Not a valid URL", f"images[{number}]", "url_invalid")


def _dimensions(params: PackageDimensionsParams) -> PackageDimensions:
    def measure(name: str) -> Number:
        value = getattr(params, name)
        if value <= 0:
            raise refused("This value must be greater than 0.", f"package_dimensions[{name}]")
        return Number(plain(value))

    return PackageDimensions(
        height=measure("height"), length=measure("length"), weight=measure("weight"), width=measure("width")
    )


def _tax_details(params: ProductDataTaxDetails) -> ProductTaxDetails:
    return ProductTaxDetails(performance_location=params.performance_location, tax_code=params.tax_code or None)
