"""Every SOQL statement that is sent, written in one place; values are ids, stamps and the map's own condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.salesforce.cursor import Part
from connectors.salesforce.plan import PERSONS, WHO, People, Plan, Relation
from connectors.salesforce.values import Shape

_ID_LENGTHS = {15, 18}


def page(plan: Plan, part: Part, limit: int) -> str:
    """What REST reads next of a part: records in the order of their ids, behind the last one."""
    conditions = [*_conditions(plan, part), *([f"Id > '{part.after}'"] if part.after else [])]
    return f"SELECT {_selected(plan)} FROM {plan.object}{_where(conditions)} ORDER BY Id LIMIT {limit}"


def bulk(plan: Plan, part: Part) -> str:
    """What a Bulk job reads of a part: in no order, for sorting would keep the server from cutting the work up.

    The Id comes last: wherever the text of the results may be cut off, the last record does not look whole.
    """
    return f"SELECT {_id_last(plan.shape)} FROM {plan.object}{_where(_conditions(plan, part))}"


def by_ids(plan: Plan, ids: Sequence[str], *, flat: bool = False) -> str:
    """The records with these ids; `flat`: as Bulk can read them."""
    conditions = [_among("Id", ids), *_own(plan)]
    selected = _id_last(plan.shape) if flat else _selected(plan)
    return f"SELECT {selected} FROM {plan.object}{_where(conditions)}"


def count(plan: Plan, part: Part) -> str:
    """How many records a part holds."""
    conditions = [*_conditions(plan, part), *(["IsDeleted = false"] if plan.deleted else [])]
    return f"SELECT COUNT() FROM {plan.object}{_where(conditions)}"


def probe(plan: Plan) -> str:
    """A statement with every field and condition of a reading, for one record."""
    bounds = [f"{plan.cursor} >= 1970-01-02T00:00:00Z"] if plan.cursor else []
    return f"SELECT {_selected(plan)} FROM {plan.object}{_where([*bounds, *_own(plan)])} ORDER BY Id LIMIT 1"


def persons(object: str, shape: Shape, ids: Sequence[str]) -> str:
    """The people with these ids."""
    columns = ["Id", *(column.name for column in shape.columns if column.name != "Id")]
    return f"SELECT {', '.join(columns)} FROM {object} WHERE {_among('Id', ids)}"


def links(relation: Relation, ids: Sequence[str]) -> str:
    """Whom these activities are linked to."""
    columns = [relation.activity, "RelationId", *([relation.address] if relation.address else [])]
    conditions = [_among(relation.activity, ids), *([relation.condition] if relation.condition else [])]
    return f"SELECT {', '.join(columns)} FROM {relation.object}{_where(conditions)} ORDER BY Id"


ORG = "SELECT Id FROM Organization LIMIT 1"


def is_id(text: str) -> bool:
    """Whether a text can be the id of a record."""
    return len(text) in _ID_LENGTHS and text.isascii() and text.isalnum()


def are_ids(texts: Sequence[str]) -> bool:
    """Whether each of them can be."""
    together = "".join(texts)
    return not texts or (set(map(len, texts)) <= _ID_LENGTHS and together.isascii() and together.isalnum())


def _selected(plan: Plan) -> str:
    columns = _listed(plan.shape)
    return f"{columns}, {_typeof(plan.people)}" if plan.people is not None and plan.people.by_typeof else columns


def _typeof(people: People) -> str:
    cases = ""
    for name in PERSONS.values():
        columns = [column.name for column in people.shapes[name].columns]
        # A query that finds deleted records shows the fields of deleted people, too.
        cases += f" WHEN {name} THEN {', '.join(dict.fromkeys([*columns, 'IsDeleted']))}"
    return f"TYPEOF {people.relationship or WHO}{cases} END"


def _listed(shape: Shape) -> str:
    return ", ".join(column.name for column in shape.columns)


def _id_last(shape: Shape) -> str:
    names = [column.name for column in shape.columns]
    return ", ".join([*(name for name in names if name != "Id"), "Id"])


def _conditions(plan: Plan, part: Part) -> Iterator[str]:
    if part.low is not None:
        yield f"{plan.cursor} >= {part.low}"
    if part.high is not None:
        yield f"{plan.cursor} < {part.high}"
    if part.born is not None:
        yield f"CreatedDate < {part.born}"
    yield from _own(plan)


def _own(plan: Plan) -> Iterator[str]:
    if plan.where is not None:
        yield f"({' '.join(plan.where.split())})" if "'" not in plan.where else f"({plan.where.strip()})"


def _among(name: str, ids: Sequence[str]) -> str:
    return f"{name} IN ({', '.join(repr(one) for one in ids)})"


def _where(conditions: Sequence[str] | Iterator[str]) -> str:
    found = list(conditions)
    return f" WHERE {' AND '.join(found)}" if found else ""
