"""REST queries: the first page, and the following ones by locator."""

import json
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from .answers import Answer, document, refusal
from .records import Records
from .rendering import Rendering
from .soql_parser import parse
from .soql_plan import Planner
from .soql_result import Plan

LARGEST_PAGE = 2000
SMALLEST_PAGE = 200
LOCATOR_LIFE = timedelta(days=2)
_LOCATOR = re.compile(r"(0r8xx[0-9A-Za-z]{13})-(\d+)")
_ACTIVITIES = {"Task", "Event"}


@dataclass(frozen=True)
class Locator:
    """A result that is read page by page: its records are fixed, their values are those of the moment they are sent."""

    plan: Plan
    rows: "array[int]"
    page: int
    made: datetime


@dataclass
class Limits:
    """What makes a query too large; None: nothing does."""

    page_size: int = LARGEST_PAGE
    timeout_rows: int | None = None
    """A query that finds more records than this runs too long."""
    distinct_people: int | None = None
    """Without the permission to view all data: how many activities may be read at once."""


class Queries:
    """Answers `query` and `queryAll`, and remembers what is still being paged through."""

    def __init__(self, records: Records, limits: Limits) -> None:
        self.records = records
        self.limits = limits
        self.locators: dict[str, Locator] = {}
        self._made = 0

    def plan(self, statement: str, today: date, *, everything: bool) -> Plan:
        return Planner(self.records.schema, parse(statement), today, everything=everything).plan()

    def first(self, statement: str, now: datetime, base: str, *, everything: bool, options: str = "") -> Answer:
        """The first page of a statement's result."""
        plan = self.plan(statement, now.date(), everything=everything)
        if plan.aggregates:
            return document(self._aggregated(plan))
        rows = self.rows_of(plan)
        self._check_size(plan, rows)
        if plan.counts:
            return document({"totalSize": len(rows), "done": True, "records": []})
        locator = Locator(plan, rows, self._page_size(plan, options), now)
        name = self._remember(locator) if len(rows) > locator.page else ""
        return self._page(name, locator, 0, base)

    def more(self, text: str, now: datetime, base: str) -> Answer:
        """A later page: `0r8xx...-2000`."""
        match = _LOCATOR.fullmatch(text)
        found = self.locators.get(match[1]) if match else None
        if match is None or found is None or now - found.made > LOCATOR_LIFE:
            raise refusal("INVALID_QUERY_LOCATOR")
        return self._page(match[1], found, int(match[2]), base)

    def rows_of(self, plan: Plan) -> "array[int]":
        """The row numbers of all records that a plan finds, in order."""
        with self.records.lock:
            found = self.records.connection.execute(plan.keys, plan.values)
            return array("q", (row[0] for row in found))

    def _check_size(self, plan: Plan, rows: "array[int]") -> None:
        if self.limits.timeout_rows is not None and len(rows) > self.limits.timeout_rows:
            raise refusal("QUERY_TIMEOUT")
        most = self.limits.distinct_people
        if most is not None and plan.sobject.name in _ACTIVITIES and self._people(plan, rows) > most:
            raise refusal("OPERATION_TOO_LARGE", f"exceeded {most} distinct who/what's")

    def _people(self, plan: Plan, rows: "array[int]") -> int:
        statement = f'SELECT count(DISTINCT "WhoId") FROM json_each(?) JOIN "{plan.sobject.name}" t ON t.rowid = value'
        ((count,),) = self.records.select(statement, (json.dumps(rows.tolist()),))
        return int(count)

    def _page_size(self, plan: Plan, options: str) -> int:
        match = re.search(r"batchSize\s*=\s*(\d+)", options)
        wanted = int(match[1]) if match else LARGEST_PAGE
        size = min(max(wanted, SMALLEST_PAGE), LARGEST_PAGE, SMALLEST_PAGE if plan.wide else LARGEST_PAGE)
        return min(size, self.limits.page_size)

    def _remember(self, locator: Locator) -> str:
        self._made += 1
        name = f"0r8xx3Kd{self._made:07d}AAA"
        self.locators[name] = locator
        return name

    def _page(self, name: str, locator: Locator, start: int, base: str) -> Answer:
        end = min(start + locator.page, len(locator.rows))
        rendering = Rendering(self.records.schema, base)
        tree = locator.plan.tree
        shown = [rendering.record(tree, row) for row in self.values(locator.plan, locator.rows[start:end])]
        page: dict[str, Any] = {"totalSize": len(locator.rows), "done": end == len(locator.rows)}
        if not page["done"]:
            page["nextRecordsUrl"] = f"{base}/query/{name}-{end}"
        return document({**page, "records": shown})

    def values(self, plan: Plan, rows: "array[int]") -> list[tuple[Any, ...]]:
        """The values of these records as they are now; records that are gone for good are left out."""
        return self.records.select(plan.rows, (json.dumps(rows.tolist()),))

    def _aggregated(self, plan: Plan) -> Mapping[str, Any]:
        columns = ", ".join(expression for _, expression in plan.aggregates)
        statement = plan.keys.replace("SELECT r.rowid", f"SELECT {columns}", 1).replace("ORDER BY r.rowid DESC ", "")
        (row,) = self.records.select(statement, plan.values)
        names = (alias for alias, _ in plan.aggregates)
        record = {"attributes": {"type": "AggregateResult"}, **dict(zip(names, row, strict=True))}
        return {"totalSize": 1, "done": True, "records": [record]}
