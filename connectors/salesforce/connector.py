"""Salesforce behind the calls that every connector answers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from connectors.base import Cursor, Field, ObjectName, Page, Reading, Record, SourceMisconfigured
from connectors.salesforce import Source, checking, statements
from connectors.salesforce.bulk import Bulk
from connectors.salesforce.calls import Caller, fits_address
from connectors.salesforce.cursor import Part, decode
from connectors.salesforce.faults import AnswerTooLarge, TookTooLong, UnknownField
from connectors.salesforce.login import SOAP_ENDS, Login
from connectors.salesforce.metadata import field_of, near
from connectors.salesforce.parts import MOST_ROWS, Parts, Spent, Way
from connectors.salesforce.plan import Plan
from connectors.salesforce.preparing import Describer, listed, org_of, prepare
from connectors.salesforce.reader import Reader
from connectors.salesforce.records import Records
from connectors.salesforce.values import moment, stamp

KEYS_AT_ONCE, SAMPLE_ROWS = 200, 2_000


class SalesforceConnector:
    """Reads one object of one org; nothing is contacted before the first call."""

    def __init__(
        self,
        source: Source,
        login: Login,
        fields: Sequence[str] | None = None,
        *,
        pause: Callable[[float], None] = time.sleep,
        caller: Caller | None = None,
    ) -> None:
        self._source, self._fields, self._login = source, fields, login
        self._caller = caller or Caller(login, pause, share=source.quota_share)
        self._caller.own_words = source.where or ""
        self._plan: Plan | None = None
        self._describe = Describer(self._caller)
        self._org: str | None = None
        self._way, self._limit = Way(source.api, source.bulk_threshold), MOST_ROWS
        self._spent = Spent()
        self._ended = False

    @property
    def calls(self) -> Counter[str]:
        """Requests sent so far, by kind."""
        return Counter(self._caller.transport.made)

    def check(self) -> Reading:
        """Prove that the stream can be read: login, version, object, fields, condition."""
        self._plan = None
        checking.check_version(self._caller)
        plan = self._planned()
        with alike(plan):
            notes = checking.probe(self._caller, self._source, plan)
        if fits_address(statements.probe(plan)):
            # What is read after a check is a sample: no job is started for it, and no long result is sorted.
            self._way, self._limit = Way("rest", self._way.threshold), SAMPLE_ROWS
        indexed = None if plan.cursor is None else plan.cursor in ("SystemModstamp", "CreatedDate")
        return Reading(("Id",), plan.cursor, indexed, tuple(notes))

    def objects(self) -> Sequence[ObjectName]:
        """The objects that can be queried with these credentials."""
        return [ObjectName(str(one["name"]), str(one.get("label") or "")) for one in listed(self._caller)]

    def fields(self, object: str) -> Sequence[Field]:
        """The fields of an object that the user may see, with those that hold people's words told apart."""
        info = Describer(self._caller)(object or self._source.object or "")
        return tuple(field_of(one) for one in info.fields.values())

    def described(self) -> Sequence[Field]:
        """The fields of the stream's object that the user may see."""
        self._planned()
        return tuple(field_of(one) for one in self._describe(self._source.object or "").fields.values())

    def read(self, since: Cursor | None, until: datetime | None = None) -> Iterator[Page]:
        """Yield what changed after `since`; every page's cursor is safe to go on from."""
        plan = self._planned()
        if until is not None and plan.cursor is None:
            raise SourceMisconfigured(f"{plan.label}: reading until a time needs a cursor field, and there is none")
        self._ended = False
        notes = (SOAP_ENDS,) if self._login.kind == "SOAP password" else ()
        for page in self._pages(since, until):
            yield replace(page, notes=(*notes, *page.notes)) if notes else page
            notes = ()
        self._ended = True

    def fetch(self, keys: Sequence[str]) -> Iterator[Record]:
        """Yield these records as they are now; those gone, or outside `where` by now, are left out."""
        plan = self._planned()
        records = Records(self._caller, plan)
        by_id: dict[str, set[str]] = {}
        for key in keys:
            if (one := id_of(key, paired=plan.each)) is not None:
                by_id.setdefault(one, set()).add(key)
        ids = list(by_id)
        for start in range(0, len(ids), KEYS_AT_ONCE):
            some = ids[start : start + KEYS_AT_ONCE]
            wanted = set().union(*(by_id[one] for one in some))
            yield from (record for record in self._by_ids(plan, records, some, wanted) if record.key in wanted)

    def count(self, since: Cursor | None) -> int | None:
        """About how many records are due; None where a job is under way, or counting takes too long."""
        plan = self._planned()
        progress = decode(since) if since is not None else None
        if progress is not None and progress.definition == plan.definition and progress.part is not None:
            return None
        low = None if plan.start is None else stamp(plan.start)
        if progress is not None and progress.end is not None and plan.cursor is not None:
            low = stamp(min(moment(progress.end), self._caller.now()) - plan.lookback)
        try:
            part = Part(end=stamp(self._caller.now()), low=low)
            return self._caller.query(statements.count(plan, part), plan.label).total
        except TookTooLong:
            return None

    def close(self) -> None:
        """Clear jobs away whose results were read to the end, and let go of connections."""
        if self._ended:
            for job in self._spent.jobs:
                Bulk(self._caller, "job").delete(job)
        self._caller.close()

    # Help

    def _planned(self) -> Plan:
        if self._plan is None:
            self._org = org_of(self._caller)
            self._describe = Describer(self._caller)
            self._plan = prepare(self._describe, self._source, self._fields)
        return self._plan

    def _pages(self, since: Cursor | None, until: datetime | None) -> Iterator[Page]:
        """One reading; once more with a new plan where the org's fields changed while it went on."""
        known, cursor = self._planned(), since
        try:
            for page in self._reader(known, until).read(cursor):
                cursor = page.cursor
                yield page
        except UnknownField:
            self._plan = None
            with alike(self._planned()):
                yield from self._reader(self._planned(), until).read(cursor)

    def _reader(self, plan: Plan, until: datetime | None) -> Reader:
        records = Records(self._caller, plan)
        parts = Parts(self._caller, plan, records, self._way, self._spent, limit=self._limit)
        return Reader(self._source, self._caller, plan, self._org, parts, until)

    def _by_ids(self, plan: Plan, records: Records, ids: Sequence[str], wanted: set[str]) -> list[Record]:
        statement = statements.by_ids(plan, ids)
        if not fits_address(statement):
            return self._by_fewer_ids(plan, records, ids, wanted)
        try:
            sheets = self._caller.sheets(self._caller.query(statement, plan.label), plan.label)
            rows = [row for sheet in sheets for row in sheet.rows]
        except AnswerTooLarge:
            if len(ids) == 1:
                raise
            return self._by_fewer_ids(plan, records, ids, wanted)
        return records.fetched(rows, wanted)

    def _by_fewer_ids(self, plan: Plan, records: Records, ids: Sequence[str], wanted: set[str]) -> list[Record]:
        """Half of them at a time; by Bulk where the fields alone are too long for an address."""
        if len(ids) > 1 and fits_address(statements.by_ids(plan, ids[:1])):
            half = len(ids) // 2
            found = self._by_ids(plan, records, ids[:half], wanted)
            return found + self._by_ids(plan, records, ids[half:], wanted)
        bulk = Bulk(self._caller, plan.label)
        job, rows = bulk.create(statements.by_ids(plan, ids, flat=True)), list[Any]()
        announced = bulk.wait(job)
        with bulk.results(job, None, plan.shape, counted=announced is not None) as results:
            for piece in results.pieces:
                rows += [(fields, None) for fields in piece]
        bulk.delete(job)
        return records.of_rows(rows, wanted).records


@contextmanager
def alike(plan: Plan) -> Iterator[None]:
    """Add what is spelt alike to the message that a field is unknown, which `where` may name."""
    try:
        yield
    except UnknownField as problem:
        raise UnknownField(f"{problem}{near(problem.name, plan.known) if problem.name else ''}", problem.name) from None


def id_of(key: str, *, paired: bool) -> str | None:
    """The record's id in a key; None for a key of another kind: after a change of the map an old one may be."""
    if not paired:
        return key if statements.is_id(key) else None
    try:
        parts = orjson.loads(key)
    except orjson.JSONDecodeError:
        return None
    usable = isinstance(parts, list) and len(parts) == 2 and statements.is_id(str(parts[0]))
    return str(parts[0]) if usable else None
