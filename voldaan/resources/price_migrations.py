"""Price migrations: a cohort of subscriptions that moves from one price to another, at renewal or now."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import Column, Hidden, Instant, Part, Resource, Table
from voldaan.resources.billing import CollectionMethod
from voldaan.resources.params import Currency, Hash, ListParams, PageParams, Params, Range, Timestamp, exclusive
from voldaan.resources.subscription_items import ProrationBehavior

MigrationStatus = Literal["draft", "running", "completed", "canceled"]
MoveStatus = Literal["pending", "moved", "failed", "skipped"]


class MigrationCounts(Part, kw_only=True):
    """Subscriptions of the cohort."""

    total: int = 0
    moved: int = 0
    failed: int = 0
    skipped: int = 0


class PriceMigration(Resource, kw_only=True):
    """The cohort is fixed when the migration is made; nothing moves before it is started."""

    TABLE: ClassVar[Table] = Table("price_migrations", prefix="pmig", state="status")
    object: Literal["voldaan.price_migration"] = "voldaan.price_migration"
    status: Annotated[MigrationStatus, Column()] = "draft"
    price: str | None = None                       # what is moved from: this price, or all of this product's
    product: str | None = None
    to: Annotated[str, Column("to_price_id")]
    when: Literal["renewal", "now"] = "renewal"
    proration_behavior: ProrationBehavior = "create_prorations"
    filter: dict[str, Any] = {}
    subscriptions: MigrationCounts = MigrationCounts()
    created: Annotated[Instant, Column("created_at")]
    started_at: Annotated[Instant | None, Column()] = None
    ended_at: Annotated[Instant | None, Column()] = None
    livemode: bool


class MoveFailure(Part, kw_only=True):
    code: str
    message: str


class MigratedSubscription(Resource, kw_only=True):
    """One subscription of a cohort: whether it has moved, or why not."""

    TABLE: ClassVar[Table] = Table("price_migration_subscriptions", prefix="pmigs", state="status", newest_first=False)
    object: Literal["voldaan.price_migration_subscription"] = "voldaan.price_migration_subscription"
    migration: Annotated[str, Column("migration_id")]
    subscription: Annotated[str, Column("subscription_id")]
    customer: Annotated[str, Column("customer_id")]
    status: Annotated[MoveStatus, Column()] = "pending"
    failure: MoveFailure | None = None
    test_clock: Annotated[str | None, Column("test_clock_id"), Hidden()] = None


class PreviewedSum(Part, kw_only=True):
    """Totals with tax, minor units: what is billed at once (null: nothing), and by the next renewal."""

    at_once: int | None
    next: int | None


class PreviewedMove(Part, kw_only=True):
    subscription: str
    customer: str
    currency: str
    before: PreviewedSum
    after: PreviewedSum | None
    failure: MoveFailure | None


class MigrationPreview(Resource, kw_only=True):
    """One page of a cohort as it would be billed without and with the move. Nothing is written."""

    TABLE: ClassVar[Table] = Table("price_migrations", prefix="")
    object: Literal["voldaan.price_migration_preview"] = "voldaan.price_migration_preview"
    id: Annotated[str, Hidden()]
    migration: str
    data: list[PreviewedMove]
    has_more: bool
    next_subscription: str | None


class CohortFilter(Hash):
    """Which subscriptions; all conditions hold."""

    collection_method: CollectionMethod | None = None
    created: Timestamp | Range | None = None
    currency: Currency | None = None
    customer: str | None = None
    metadata: dict[str, str] = {}


class PriceMigrationCreate(Params):
    price: str | None = None
    product: str | None = None
    to: str
    when: Literal["renewal", "now"] = "renewal"
    proration_behavior: ProrationBehavior = "create_prorations"
    filter: CohortFilter | None = None

    _one_source = exclusive("price", "product")


class PriceMigrationStart(Params):
    pass


class PriceMigrationCancel(Params):
    pass


class PriceMigrationList(ListParams):
    status: MigrationStatus | None = None


class MigratedSubscriptionList(PageParams):
    status: MoveStatus | None = None


class MigrationPreviewParams(Params):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    starting_after: str | None = None
