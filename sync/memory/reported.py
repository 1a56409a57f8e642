"""Where an answer speaks of single rows: its error entries, in any of the shapes that servers give them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sync.memory.amounts import Amount, amount, fails, frames, is_empty, is_tally, meaning

_KINDS = {
    "email": "email",
    **dict.fromkeys(("recordId", "record_id"), "record"),
    **dict.fromkeys(("customKeyValue", "customKey", "custom_key"), "custom"),
    **dict.fromkeys(("identifier", "identity", "key"), "name"),
    **dict.fromkeys(("website", "websiteUrl", "website_url"), "website"),
}
"""Members that name a row, by kind: where two entries give the same kind of name, it tells if they mean one row."""
_ROW_WITHIN = ("row", "record", "item", "input", "identifier", "identity")
_SIGNS = ("status", "state", "outcome", "result", "message")
_REASONS = ("message", "reason", "error", "code", "detail", "description")
_LISTS = frozenset("items entries list rows records errors failures details data results".split())
_ROW_LISTS = frozenset("total results entries outcomes details detail batches chunks parts tasks data".split())
"""Lists, by meaning, that may speak of rows which fared well beside others."""
_WELL = frozenset(
    """
    completed complete success succeeded successful done stored saved created updated upserted inserted memorized
    imported ingested written unchanged merged ok processed
    """.split()
)
_DEEPEST = 4
_LONGEST_NAME = 200
_ONE, _SOME = Amount(1, exact=True), Amount(1, exact=False)


class Entry(NamedTuple):
    """One error entry: the names that it gives its row by kind, what it says, and how many rows it is about."""

    names: Mapping[str, str]
    told: Mapping[str, Any]
    about: Amount
    whole: bool = False
    """Whether it is about the call, not about one row of it."""


def normalise(identity: str) -> str:
    """An identity as it is compared: the server may answer in lower case."""
    return identity.strip().casefold()


def entries(data: Mapping[str, Any]) -> list[Entry]:
    """Every error entry of an answer, wherever it stands; what is empty or counts nobody is none."""
    found: list[Entry] = []
    for frame in frames(data):
        for name, value in frame.items():
            if fails(name) and isinstance(value, list | tuple):
                found += _within(value)
            elif fails(name):
                alone = [*_within(value)]
                found += (entry._replace(whole=True) if _is_whole(entry, value) else entry for entry in alone)
            elif isinstance(value, list) and meaning(name) in _ROW_LISTS:
                found += (_object(one) for one in value if isinstance(one, dict) and _went_wrong(one))
    return [entry for entry in found if entry.about.rows]


def _is_whole(entry: Entry, value: Any) -> bool:
    return not isinstance(value, dict) or (entry.told is value and not entry.names)


def rows_named(found: Iterable[Entry]) -> int:
    """How many rows the entries name at least: two that may be about one row count once."""
    rows = 0
    shapes: set[tuple[str, ...]] = set()
    seen: set[tuple[tuple[str, ...], str, str]] = set()
    for entry in found:
        shape = tuple(kind for kind in dict.fromkeys(_KINDS.values()) if kind in entry.names)
        if not shape or entry.whole:
            continue
        rows += not any(_is_known(entry.names, shape, other, seen) for other in shapes)
        shapes.add(shape)
        for kind, name in entry.names.items():
            seen |= {(shape, kind, name), (shape, "", name)}
    return rows


def _is_known(
    names: Mapping[str, str],
    shape: tuple[str, ...],
    other: tuple[str, ...],
    seen: set[tuple[tuple[str, ...], str, str]],
) -> bool:
    """Whether an entry that gave names of these `other` kinds was about the same row."""
    shared = next((kind for kind in shape if kind in other), None)
    if shared:
        return (other, shared, names[shared]) in seen
    return any((other, "", name) in seen for name in names.values())


def _within(value: Any, depth: int = _DEEPEST) -> Iterator[Entry]:
    """The entries of a list, of a container (`{count, items}`), of an object by identity, or the single one."""
    if is_empty(value):
        return
    if isinstance(value, list | tuple) and depth:
        for one in value:
            yield from _within(one, depth - 1)
    elif not isinstance(value, dict):
        yield _plain(value)
    elif _names(value):
        yield _object(value)
    elif depth and _is_container(value):
        for inner in value.values():
            yield from _within(inner, depth - 1) if isinstance(inner, dict | list | tuple) else ()
    elif any(name in value for name in _REASONS) or not depth:
        yield _object(value)
    else:
        yield from _by_name(value)


def _is_container(value: Mapping[str, Any]) -> bool:
    inner = [name for name, one in value.items() if name.lower() in _LISTS and isinstance(one, dict | list)]
    return bool(inner) or all(is_tally(name) for name in value)


def _by_name(value: Mapping[str, Any]) -> Iterator[Entry]:
    """Errors by identity, or by kind of error: then the name is nobody's, and all are in doubt."""
    for name, told in value.items():
        if is_empty(told):
            continue
        inner = told if isinstance(told, list | tuple) and any(isinstance(one, dict) for one in told) else [told]
        for one in inner:
            yield _object((one if isinstance(one, dict) else {"message": one}) | {"key": name})


def _plain(value: Any) -> Entry:
    """A text, which may be the name of a row; a bare number may be a place as well as a name, so it is none."""
    text = str(value).strip() if isinstance(value, str) else ""
    names = text and not any(char.isspace() for char in text) and not text.isdecimal() and len(text) <= _LONGEST_NAME
    worded = text and not text.isdecimal()
    told = {"message": text} if worded else {}
    return Entry({"name": normalise(text)} if names else {}, told, amount(text) if worded else _SOME)


def _object(entry: Mapping[str, Any]) -> Entry:
    counted = [amount(value) for name, value in entry.items() if is_tally(name) and isinstance(value, int | str)]
    return Entry(_names(entry), entry, max([_ONE, *counted]))


def _names(entry: Mapping[str, Any]) -> dict[str, str]:
    """What an entry calls its row, itself or in the row that it quotes."""
    within = [inner for name in _ROW_WITHIN if isinstance(inner := entry.get(name), dict)]
    found: dict[str, str] = {}
    for one in (entry, *within):
        for key, kind in _KINDS.items():
            name = one.get(key)
            if isinstance(name, str | int) and not isinstance(name, bool) and str(name).strip():
                found.setdefault(kind, normalise(str(name)))
    return found


def _went_wrong(entry: Mapping[str, Any]) -> bool:
    """Whether one of several rows told of was not stored; where that is not clear, it was not."""
    praised = any(entry.get(name) is True for name in ("success", "ok", "stored"))
    signs = [entry[name] for name in _SIGNS if not (is_empty(entry.get(name)) or (praised and name == "message"))]
    bad = any(fails(name) and _speaks(value) for name, value in entry.items())
    denied = any(entry.get(name) is False for name in ("success", "ok", "stored"))
    if bad or denied:
        return True
    if not signs:
        return not praised and any(not is_empty(entry.get(name)) for name in _REASONS)
    return not _is_praise(signs[0])


def _speaks(value: Any) -> bool:
    return not is_empty(value) if isinstance(value, dict | list) else amount(value).rows > 0


def _is_praise(sign: Any) -> bool:
    if isinstance(sign, int):
        return sign is True or 200 <= sign < 300
    return isinstance(sign, str) and sign.strip().lower() in _WELL
