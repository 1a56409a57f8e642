"""Verifying: read delivered records back from memory and compare them with the source as it is now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.base import Record
from sync.compare import Difference, differences, nearest, plain_of
from sync.lookup import Look
from sync.maps.compile import CompiledMap
from sync.maps.row import Identity, MappedProperty, Row
from sync.memory.records import Stored
from sync.memory.settlement import normalise

EXAMPLES = 10
"""Rows that are named for what is wrong with them, at most."""


class Example(NamedTuple):
    """A row of which memory holds something else than was delivered."""

    key: str
    what: str
    differences: Sequence[Difference] = ()
    """They hold values of the record."""

    def __str__(self) -> str:
        return f"{self.key}: {self.what}"


@dataclass(slots=True)
class Verification:
    """What reading back found. `different` and `missing` mean that memory does not hold what was delivered."""

    stream: str
    sampled: int = 0
    equal: int = 0
    present: int = 0
    """In memory, with nothing plain to compare: their map draws memories from texts only."""
    different: int = 0
    overwritten: int = 0
    """Different from memory because a sampled row with the same identity was sent later, which memory does hold."""
    missing: int = 0
    waiting: int = 0
    """Not in memory yet, and their event has not ended: there is nothing to be said of them."""
    changed: int = 0
    """Changed in the source since their delivery: the next run brings them, there is nothing to compare."""
    gone: int = 0
    """Not in the source any more, or outside `where`: there is nothing to compare."""
    failed: int = 0
    """Rows that turned out, while their events were waited for, not to have been stored: they are due again."""
    with_texts: int = 0
    """Compared rows with texts that memories are drawn from."""
    with_memories: int | None = 0
    """Of those, the ones whose record has any memory; None where the answers do not tell."""
    examples: list[Example] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a person should know to read these numbers."""

    @property
    def is_well(self) -> bool:
        """Whether memory holds all that was compared."""
        return not (self.different or self.missing or self.failed)

    @property
    def share(self) -> float | None:
        """Per cent of the compared rows that memory holds as they were delivered; None when no value was compared."""
        well = self.equal + self.overwritten
        compared = well + self.different + self.missing
        return round(100 * well / compared, 2) if compared and not self.present else None


def verify(
    stream: str,
    delivered: Mapping[str, bytes],
    records: Iterable[Record],
    compiled: CompiledMap,
    look: Look,
    unsettled: Collection[str] = (),
) -> Verification:
    """Compare delivered rows (key and fingerprint) with memory, property by property; one look for each identity.

    `records`: the same rows as the source has them now. `unsettled`: keys whose events have not ended.
    """
    found = Verification(stream, sampled=len(delivered))
    rows: dict[str, list[Row]] = defaultdict(list)
    read = set()
    for record in records:
        row = compiled.row(record)
        read.add(record.key)
        if isinstance(row, Row) and row.fingerprint == delivered.get(record.key):
            rows[_same(compiled.identity, row.identity)].append(row)
    plain = plain_of(compiled)
    for alike in rows.values():
        _judge(found, alike, plain, look(alike[0].identity), unsettled)
    found.gone = found.sampled - len(read)
    found.changed = len(read) - sum(map(len, rows.values()))
    found.notes += _notes(found, delivered, max(map(len, rows.values()), default=0))
    return found


def _same(identity: Identity, value: str) -> str:
    """What rows of one record in memory have in common: letter case means nothing in an address alone."""
    return normalise(value) if identity.kind == "email" else value


def _judge(
    found: Verification,
    alike: Sequence[Row],
    plain: Sequence[MappedProperty],
    stored: Sequence[Stored],
    unsettled: Collection[str],
) -> None:
    """Judge rows of one identity: memory holds one record of them, with the plain values of the row sent last."""
    sure = [row for row in alike if row.key not in unsettled]
    if not stored:
        found.waiting += len(alike) - len(sure)
        found.missing += len(sure)
        for row in sure:
            _example(found, row.key, "not in memory")
        return
    _count_texts(found, sure, stored)
    if not plain:
        found.present += len(alike)
        return
    wrong = {row.key: _wrong(row, plain, stored) for row in alike}
    equal = sum(not names for names in wrong.values())
    found.equal += equal
    if equal:
        found.overwritten += len(alike) - equal
        return
    found.waiting += len(alike) - len(sure)
    found.different += len(sure)
    for row in sure:
        _example(found, row.key, _told(wrong[row.key]), wrong[row.key])


def _wrong(row: Row, plain: Sequence[MappedProperty], stored: Sequence[Stored]) -> list[Difference]:
    one = nearest(row, plain, stored)
    return [] if one is None else differences(row, plain, one.properties)


def _told(wrong: Sequence[Difference]) -> str:
    names: dict[str, list[str]] = {}
    for one in wrong:
        names.setdefault(one.word, []).append(one.name)
    return "; ".join(f"{word}{' in' if word == 'different' else ''} {', '.join(of)}" for word, of in names.items())


def _count_texts(found: Verification, rows: Sequence[Row], stored: Sequence[Stored]) -> None:
    texts = sum(bool(row.texts) for row in rows)
    found.with_texts += texts
    if texts and all(one.memories is None for one in stored):
        found.with_memories = None
    elif found.with_memories is not None and any(one.memories for one in stored):
        found.with_memories += texts


def _notes(found: Verification, delivered: Mapping[str, bytes], most: int) -> list[str]:
    notes = []
    if found.present:
        notes.append(
            f"nothing to compare by value: {found.present:,} {'is' if found.present == 1 else 'are'} present (memory "
            "holds their records; the map has no plain property, and texts are not compared)"
        )
    if found.with_texts and found.with_memories is None:
        notes.append("texts are not compared: the server's answers do not speak of memories")
    elif found.with_texts:
        notes.append(
            f"{found.with_memories:,} of {found.with_texts:,} rows with texts have memories; what was drawn from texts "
            "is not compared"
        )
    if found.overwritten:
        notes.append(f"{found.overwritten:,} overwritten: another row with the same identity was sent later")
    # A record that makes several rows (an activity and its people) has a composite key.
    if found.overwritten or (found.different and (most > 1 or any(key.startswith("[") for key in delivered))):
        notes.append(
            "rows with the same identity are one record in memory, and the newest of them wins: leave plain "
            "properties out of such a map, or give its rows a customKey of their own (docs/property-maps.md)"
        )
    return notes


def _example(found: Verification, key: str, what: str, wrong: Sequence[Difference] = ()) -> None:
    if len(found.examples) < EXAMPLES:
        found.examples.append(Example(key, what, wrong))
