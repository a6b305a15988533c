"""Entitlements: features, the products that bring them, and the customers who have them because they subscribe."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import Children, Column, Embedded, Expandable, Hidden, ListObject, Resource, Table
from voldaan.resources.params import Metadata, PageParams, Params, Unset

LookupKey = Annotated[str, Limit(max_length=80)]
Name = Annotated[str, Limit(max_length=80)]


class Feature(Resource, kw_only=True):
    """Something that a customer may have access to. Archived for good when it is not active."""

    TABLE: ClassVar[Table] = Table("features", prefix="feat")
    object: Literal["entitlements.feature"] = "entitlements.feature"
    active: Annotated[bool, Column()] = True
    livemode: bool
    lookup_key: Annotated[str, Column()]
    metadata: dict[str, str] = {}
    name: Annotated[str, Column()]


class ProductFeature(Resource, kw_only=True):
    """Who subscribes to the product has the feature."""

    TABLE: ClassVar[Table] = Table("product_features", prefix="prodft")
    object: Literal["product_feature"] = "product_feature"
    entitlement_feature: Annotated[Feature | str, Column("feature_id"), Embedded("entitlements.feature")]
    livemode: bool
    product: Annotated[str, Column("product_id"), Hidden()]


class ActiveEntitlement(Resource, kw_only=True):
    """A customer has access to a feature, now."""

    TABLE: ClassVar[Table] = Table("active_entitlements", prefix="ent")
    object: Literal["entitlements.active_entitlement"] = "entitlements.active_entitlement"
    feature: Annotated[str, Column("feature_id"), Expandable("entitlements.feature")]
    livemode: bool
    lookup_key: Annotated[str, Column()]
    customer: Annotated[str, Column("customer_id"), Hidden()]


class ActiveEntitlementSummary(Resource, kw_only=True):
    """All that a customer has access to: what an event tells of. It has no rows and no id of its own."""

    TABLE: ClassVar[Table] = Table("active_entitlements", prefix="")
    object: Literal["entitlements.active_entitlement_summary"] = "entitlements.active_entitlement_summary"
    id: Annotated[str, Hidden()]  # the customer's
    customer: str
    entitlements: Annotated[
        ListObject[ActiveEntitlement],
        Children("entitlements.active_entitlement", by="customer", url="/v1/customer/{id}/entitlements"),
    ]
    livemode: bool


class FeatureCreate(Params):
    lookup_key: LookupKey
    name: Name
    metadata: Metadata = {}


class FeatureUpdate(Params):
    active: bool | None = None
    metadata: Metadata | Unset = {}
    name: Name | None = None


class FeatureList(PageParams):
    """Without `archived`, those that are active."""

    FILTERS: ClassVar[dict[str, str]] = {"archived": "t.active <> %(archived)s"}
    UNLESS_GIVEN: ClassVar[dict[str, str]] = {"archived": "t.active"}
    archived: bool | None = None
    lookup_key: str | None = None


class ProductFeatureCreate(Params):
    entitlement_feature: str


class ProductFeatureList(PageParams):
    pass


class ProductFeatureDelete(Params):
    pass


class ActiveEntitlementList(PageParams):
    customer: str
