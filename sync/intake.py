"""From a page of records to the rows that must be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from sync.chunks import Outgoing
from sync.maps.row import HASH_SIZE, PLAIN_SIZE, TEXT_SIZE, Reject, Row, body_with, identity_moved

FEW = 50
"""Records, or answered rows, below which the share of failed ones says nothing."""
SHARE = 0.2
"""The share of failed ones from which on the map is to blame."""


Known = Callable[[Sequence[str]], Mapping[str, bytes]]
"""The fingerprints of those of these keys that are known."""


def nothing(_: Sequence[str]) -> Mapping[str, bytes]:
    """Knows no key."""
    return {}


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of the records of a page: `rows` are to be sent, `rejects` filed, the rest is unchanged."""

    rows: Sequence[Outgoing]
    rejects: Sequence[Reject]
    unchanged: int
    cut: bool = False
    """Whether a limit left records of the page aside."""


def take_in(
    made: Sequence[Row | Reject],
    page: int,
    known: Known,
    aloft: Known = nothing,
    *,
    resend: bool = False,
) -> Intake:
    """Sort what the map made of a page; leave out rows, and texts of rows, that were delivered before as they are.

    `aloft` knows the fingerprints of rows on their way. What becomes of them is not known, so they spare a row, but no
    text of a row that differs. With `resend` nothing is left out.
    """
    rows = [one for one in made if one.__class__ is Row]
    rejects = [one for one in made if one.__class__ is Reject] if len(rows) < len(made) else []
    keys, total = [row[0] for row in rows], len(rows)
    if len(set(keys)) < total:  # of a record that comes twice, the later reading holds
        rows = _last_of_each(rows)
        keys = [row[0] for row in rows]
    delivered, again = known(keys), aloft(keys)
    latest = {**delivered, **again} if again else delivered
    changed = rows if resend or not latest else [row for row in rows if latest.get(row[0]) != row[4]]
    if again:
        delivered = {**delivered, **{key: mark[:PLAIN_SIZE] for key, mark in again.items()}}
    if delivered:
        outgoing = [_outgoing(row, delivered.get(row[0]), page, resend) for row in changed]
    else:  # nothing of these rows was delivered, as in a first run
        outgoing = [
            _new(Outgoing, (key, identity, body, fingerprint, page, None, bool(texts)))
            for key, identity, body, texts, fingerprint in changed
        ]
    return Intake(outgoing, rejects, total - len(changed))


def _last_of_each(rows: Sequence[Row]) -> list[Row]:
    last: dict[str, Row] = {}
    for row in rows:
        last.pop(row.key, None)
        last[row.key] = row
    return list(last.values())


def _outgoing(row: Row, before: bytes | None, page: int, resend: bool) -> Outgoing:
    body, has_text = body_of(row, None if resend else before)
    return _new(Outgoing, (row[0], row[1], body, row[4], page, before, has_text))


_new = tuple.__new__  # a third of the time that the class's own constructor takes


def those_last(rows: Sequence[Outgoing], last: Set[str]) -> Sequence[Outgoing]:
    """The rows, those with the keys in `last` behind the others.

    They are rows that were refused before: the same ones would use a limit up every time.
    """
    return sorted(rows, key=lambda row: row.key in last)


def misfit(intake: Intake, *, proven: bool = False) -> str | None:
    """Why the map does not fit the source, when most records of a page, or all, cannot be mapped; None otherwise.

    A map that delivered before is `proven`: a page of records without identity says nothing against it.
    """
    total = len(intake.rows) + len(intake.rejects) + intake.unchanged
    failed = [reject for reject in intake.rejects if reject.code == "TRANSFORM_FAILED"]
    too_many = len(failed) > SHARE * total or (not proven and len(intake.rejects) == total)
    if total < FEW or not too_many:
        return None
    example = (failed or intake.rejects)[0]
    return (
        f"{len(failed or intake.rejects):,} of {total:,} records cannot be mapped ({example.message}), so the map does "
        "not fit the source; correct it and run again, these records were not rejected"
    )


def body_of(row: Row, delivered: bytes | None) -> tuple[bytes, bool]:
    """The row as JSON, and whether texts are in it: those that were delivered before are not, they would cost again."""
    # Under another identity memory may know nothing yet: all of the row goes there.
    if delivered is None or not row.texts or identity_moved(delivered, row.fingerprint):
        return row.body, bool(row.texts)
    before = set(_text_hashes(delivered))
    marks = _text_hashes(row.fingerprint)
    texts = [text for text, mark in zip(row.texts, marks, strict=True) if mark not in before]
    return (row.body if len(texts) == len(row.texts) else body_with(row.plain, texts)), bool(texts)


def in_doubt(before: bytes, after: bytes) -> bytes:
    """What counts as delivered of a row while another version is on its way: its identity, and the texts of both."""
    kept = set(_text_hashes(after))
    return bytes(HASH_SIZE) + before[HASH_SIZE:PLAIN_SIZE] + b"".join(t for t in _text_hashes(before) if t in kept)


def _text_hashes(fingerprint: bytes) -> list[bytes]:
    return [fingerprint[at : at + TEXT_SIZE] for at in range(PLAIN_SIZE, len(fingerprint), TEXT_SIZE)]
