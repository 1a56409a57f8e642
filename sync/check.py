"""Checking a stream before it runs: source, destination, collections, and a sample that the server looks at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from connectors.base import Connector, Page, Reading, Record
from sync.checked import Check, check_file
from sync.destination import Destination, envelope_for
from sync.exits import KNOWN_ERRORS, MISCONFIGURED, exit_of
from sync.intake import misfit, nothing, take_in
from sync.maps.compile import CompiledMap, compile_map
from sync.maps.model import PropertyMap
from sync.memory.collections import Collection
from sync.memory.pace import Pacer
from sync.preview import PreviewWriter
from sync.request import open_source

SAMPLE = 100
"""Records that are mapped and shown to the server, at most."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The destination as all streams of one check see it; `problem` when it cannot be used."""

    destination: Destination | None = None
    collections: list[Collection] | None = None
    pacer: Pacer | None = None
    problem: Exception | None = None


def check_stream(property_map: PropertyMap, opened: Opened) -> list[Check]:
    """Look at everything that a run of the stream would need; nothing is stored anywhere."""
    checks = [check_file(property_map)]
    compiled = compile_map(property_map, b"check")
    records = _source_checks(property_map, compiled, checks)
    sound = _destination_checks(property_map, compiled, opened, checks)
    if records is not None:
        _sample_checks(property_map, compiled, records, opened if sound else None, checks)
    return checks


def _attempt(checks: list[Check], name: str, action: Callable[[], str]) -> bool:
    try:
        checks.append(Check(name, action()))
    except KNOWN_ERRORS as error:
        checks.append(Check(name, str(error), exit_of(error)))
        return False
    return True


def _source_checks(property_map: PropertyMap, compiled: CompiledMap, checks: list[Check]) -> list[Record] | None:
    opened: list[Connector] = []
    records: list[Record] = []

    def look() -> str:
        connector = open_source(property_map, None, compiled.source_fields)
        opened.append(connector)
        reading = connector.check()
        checks.extend(Check("note", note) for note in reading.notes)
        return describe(reading)

    def read() -> str:
        told: Counter[str] = Counter()
        records.extend(islice(_records(opened[0].read(None), told, checks), SAMPLE))
        left = "".join(f"; {number:,} left out: {reason}" for reason, number in told.items())
        total = len(records) + sum(told.values())
        return f"{total} record{'' if total == 1 else 's'} read{left}" + ("" if total else "; the source is empty")

    try:
        sound = _attempt(checks, "source", look) and _attempt(checks, "sample", read)
    finally:
        for connector in opened:
            connector.close()
    return records if sound else None


def _records(pages: Iterable[Page], told: Counter[str], checks: list[Check]) -> Iterator[Record]:
    """The records of pages, which may be read in part; what the pages say besides is entered on the way."""
    for page in pages:
        told.update(page.filtered)
        for note in page.notes:
            if Check("note", note) not in checks:
                checks.append(Check("note", note))
        yield from page.records


def describe(reading: Reading) -> str:
    """How a stream will be read, in one line."""
    key = ", ".join(reading.primary_key)
    if reading.cursor_field is None:
        return f"primary key {key}; no cursor field: every run reads everything and sends what changed"
    indexed = {True: " (indexed)", False: " (not indexed)", None: ""}[reading.cursor_indexed]
    return f"primary key {key}, cursor field {reading.cursor_field}{indexed}"


def _destination_checks(property_map: PropertyMap, compiled: CompiledMap, opened: Opened, checks: list[Check]) -> bool:
    if opened.problem is not None:
        checks.append(Check("destination", str(opened.problem), exit_of(opened.problem)))
        return False
    destination, known = opened.destination, opened.collections
    if destination is None or known is None:
        return False
    plan = destination.plan
    month = f", {plan.per_month:,} a month" if plan.per_month else ""
    checks.append(Check("destination", f"{destination.name}: {plan.per_minute:,} calls a minute{month}"))

    def resolve() -> str:
        envelope_for(property_map, compiled, destination, known, dry_run=True)
        names = {item.collection_name or item.collection_id for item in compiled.properties}
        return f"collections found: {', '.join(sorted(str(name) for name in names))}"

    return _attempt(checks, "collections", resolve)


def _sample_checks(
    property_map: PropertyMap, compiled: CompiledMap, records: list[Record], opened: Opened | None, checks: list[Check]
) -> None:
    intake = take_in([compiled.row(record) for record in records], 0, nothing)
    reasons = Counter(f"{reject.code}: {reject.message}" for reject in intake.rejects)
    told = [f"{number} of {len(records)} will be rejected: {reason}" for reason, number in reasons.most_common(10)]
    unfit = misfit(intake)
    checks += [Check("rows", unfit, MISCONFIGURED)] if unfit else [Check("note", line) for line in told]
    strange = sum("@" not in row.identity for row in intake.rows) if compiled.identity.kind == "email" else 0
    if strange:
        checks.append(
            Check("note", f"{strange} of {len(records)} have an e-mail address without @: is that the field?")
        )
    if not intake.rows or opened is None or opened.destination is None or opened.pacer is None:
        return
    rows = intake.rows[: property_map.destination.rows_per_call]
    destination, pacer, known = opened.destination, opened.pacer, opened.collections or []

    def show_server() -> str:
        envelope = envelope_for(property_map, compiled, destination, known, dry_run=True)
        writer = PreviewWriter(destination.client, envelope, pacer, destination.pause)
        outcome = writer.check(rows)
        if outcome.problem is not None:
            raise outcome.problem
        minded = [f"{len(outcome.refusals)}: {outcome.refusals[0].message}"] if outcome.refusals else writer.remarks
        return f"the server checked {len(rows)} rows with dryRun: true and minds {(minded or ['nothing'])[0]}"

    _attempt(checks, "rows", show_server)
