"""What stands inside an object but in rows of its own: a subscription's items, an item's price. One query per kind, whatever
the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voldaan.resources.base import Field, ListObject, Resource, spec
from voldaan.resources.registry import BY_OBJECT
from voldaan.store import rows
from voldaan.store.transaction import Transaction


async def attach(tx: Transaction, resources: Sequence[Resource], include: tuple[str, ...] = ()) -> None:
    """Fills the embedded objects and lists of these resources; includable lists only if `include` names them."""
    by_class: dict[type[Resource], list[Resource]] = {}
    for resource in resources:
        by_class.setdefault(type(resource), []).append(resource)
    await embed(tx, resources)
    for cls, parents in by_class.items():
        for field in spec(cls).children:
            if not field.includable or field.name in include:
                await _attach_one(tx, parents, field)


async def _attach_one(tx: Transaction, parents: Sequence[Resource], field: Field) -> None:
    children = field.children
    assert children is not None
    parents = [parent for parent in parents if not _has_own(parent, field)]
    if not parents:
        return
    cls = BY_OBJECT[children.object]
    by = next(f for f in spec(cls).columns if f.name == children.by)
    read = rows.reader(cls)
    found = await tx.all(
        f"select parent, {rows.select_list(cls)} from ("
        f"select t.{by.column} as parent, row_number() over (partition by t.{by.column} order by {children.order}) as place, t.* "
        f"from {spec(cls).table.name} t where t.account_id = %(account)s and t.{by.column} = any(%(parents)s) "
        f"and {children.condition}) t where place <= %(embedded)s order by parent, place",
        parents=[p.id for p in parents],
        embedded=children.embedded + 1,
    )
    lists: dict[str, list[Resource]] = {}
    for row in found:
        lists.setdefault(row[0], []).append(read(row[1:]))
    await attach(tx, [child for members in lists.values() for child in members])
    for parent in parents:
        members = lists.get(parent.id, [])
        page = ListObject(
            data=members[: children.embedded],
            has_more=len(members) > children.embedded,
            url=children.url.format(id=parent.id),
        )
        setattr(parent, field.name, page)


def _has_own(parent: Resource, field: Field) -> bool:
    """Whether the list is there already, whole, as whoever made the object knows it; then it is only cut to size."""
    page = getattr(parent, field.name)
    if not isinstance(page, ListObject) or not page.data:
        return False
    limit = field.children.embedded if field.children else 0
    if len(page.data) > limit:
        setattr(parent, field.name, ListObject(data=page.data[:limit], has_more=True, url=page.url))
    return True


async def embed(tx: Transaction, resources: Sequence[Resource]) -> None:
    """Puts whole objects where these resources hold ids of embedded ones. An id without a row stays an id."""
    wanted: dict[str, set[str]] = {}
    for resource in resources:
        for field in spec(type(resource)).embedded:
            assert field.embedded is not None
            value = getattr(resource, field.name)
            ids = value if isinstance(value, list) else [value]
            wanted.setdefault(field.embedded.object, set()).update(i for i in ids if isinstance(i, str))
    found = {object_name: await tx.get(BY_OBJECT[object_name], ids) for object_name, ids in wanted.items() if ids}
    for resource in resources:
        for field in spec(type(resource)).embedded:
            assert field.embedded is not None
            objects: dict[str, Any] = dict(found.get(field.embedded.object, {}))
            value = getattr(resource, field.name)
            if isinstance(value, list):
                setattr(resource, field.name, [objects.get(i, i) if isinstance(i, str) else i for i in value])
            elif isinstance(value, str):
                setattr(resource, field.name, objects.get(value, value))
        if hasattr(resource, "__post_init__"):
            resource.__post_init__()
