"""One YAML file as plain values, with the line and column of every key and value.

A small, strict part of YAML 1.2: no anchors, aliases, tags or merge keys, no duplicate keys, one document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from sync.maps.problem import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

Path = tuple[str | int, ...]
_Place = tuple[int, int]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
_WORDS = {word: value for text, value in (("true", True), ("false", False), ("null", None))
          for word in (text, text.capitalize(), text.upper())} | {"": None, "~": None}  # fmt: skip


@dataclass(slots=True)
class Document:
    """What a file holds, as far as it could be read."""

    file: str
    value: Any = None
    keys: dict[Path, _Place] = field(default_factory=dict)
    """Where each key stands; 1-based line and column."""
    values: dict[Path, _Place] = field(default_factory=dict)
    unread: set[Path] = field(default_factory=set)
    """Places whose value was refused and replaced by null."""
    problems: list[Problem] = field(default_factory=list)
    complete: bool = False
    """Whether the text could be read to its end."""

    def refuse(self, path: Path, message: str, place: _Place | None = None) -> None:
        """File a problem at a path; where the path is absent, at the nearest thing around it."""
        line, column = place or self.place(path)
        self.problems.append(Problem(self.file, line, column, dotted(path), message))

    def place(self, path: Path) -> _Place:
        """Return the line and column of the key or list item at `path`, or of what should hold it."""
        while path and path not in self.keys and path not in self.values:
            path = path[:-1]
        return self.keys.get(path) or self.values.get(path) or (1, 1)


def dotted(path: Path) -> str:
    """Write a path as `mapping.properties.notes.transform[0]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def read_document(file: str, content: bytes | str) -> Document:
    """Read one YAML text; what is wrong with it is in `problems`, never raised."""
    document = Document(file)
    text = _decode(document, content)
    if text is not None:
        try:
            _Builder(document).build(text)
        except _Stopped:
            pass
        except RecursionError:
            document.refuse((), f"nested too deeply; at most {MAX_DEPTH} levels are allowed", (1, 1))
        except (YAMLError, ValueError, IndexError, KeyError, AttributeError, TypeError, OverflowError) as error:
            _refuse_syntax(document, error, text)
    return document


class _Stopped(Exception):
    """The rest of the text is not worth reading."""


class _Builder:
    """Turns parser events into values: a loop over a stack, so that no text can exhaust the interpreter's."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: list[_Open] = []
        self._documents = 0

    def build(self, text: str) -> None:
        for event in YAML(typ="safe", pure=True).parse(text):
            self._take(event)
        self._document.complete = True
        if not self._documents:
            self._document.refuse((), "the file is empty; expected a property map (stream, source, mapping)", (1, 1))

    def _take(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(event, "a second document; expected one property map per file: move it to a file of its own")
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self._open.pop()
        elif isinstance(event, AliasEvent):
            self._refuse(event, f"found the alias *{event.anchor}; expected the value itself: write it out")
            self._document.unread.add(self._add(None, event).path)
        elif isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent)):
            self._node(event)

    def _node(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        if event.anchor is not None:
            self._refuse(event, f"found the anchor &{event.anchor}; anchors are not allowed: write the value out")
        if event.tag is not None:
            self._refuse(event, f"found the tag {event.tag}; tags are not allowed: write the plain value")
        if isinstance(event, ScalarEvent):
            plain = event.implicit[0] and event.style is None
            wants_key = bool(self._open) and self._open[-1].wants_key
            self._add(event.value if wants_key or not plain else resolve(event.value), event)
            return
        if len(self._open) >= MAX_DEPTH:
            self._stop(event, f"nested too deeply; at most {MAX_DEPTH} levels are allowed")
        holder = self._add({} if isinstance(event, MappingStartEvent) else [], event)
        self._open.append(holder)

    def _add(self, value: Any, event: Event) -> _Open:
        """Put a value where it belongs; returns it with its path, for a mapping or list to be filled."""
        place = _place(event)
        if not self._open:
            self._document.value = value
            self._document.values[()] = place
            return _Open((), value)
        parent = self._open[-1]
        if parent.wants_key:
            self._key(parent, value, place)
            return _Open((*parent.path, "?"), value)
        path = parent.fill(value)
        if path is not None:
            self._document.values[path] = place
        return _Open(path or (*parent.path, "?"), value)

    def _key(self, parent: _Open, value: Any, place: _Place) -> None:
        parent.wants_key = False
        parent.key = None
        if not isinstance(value, str):
            self._document.refuse(parent.path, "found a mapping or list as a key; expected a name", place)
        elif value == "<<":
            self._document.refuse((*parent.path, value), "merge keys are not allowed: write the keys out", place)
        elif value in parent.value:
            line = self._document.keys[*parent.path, value][0]
            self._document.refuse((*parent.path, value), f"found twice; it is already given in line {line}", place)
        else:
            parent.key = value
            self._document.keys[*parent.path, value] = place

    def _refuse(self, event: Event, message: str) -> None:
        parent = self._open[-1] if self._open else None
        path = () if parent is None else parent.path if parent.key is None else (*parent.path, parent.key)
        self._document.refuse(path, message, _place(event))

    def _stop(self, event: Event, message: str) -> None:
        self._refuse(event, message)
        raise _Stopped


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    path: Path
    value: Any
    key: str | None = None
    """The key whose value comes next; None: that value is read and dropped."""
    wants_key: bool = False

    def __post_init__(self) -> None:
        self.wants_key = isinstance(self.value, dict)

    def fill(self, value: Any) -> Path | None:
        if isinstance(self.value, list):
            self.value.append(value)
            return (*self.path, len(self.value) - 1)
        self.wants_key = True
        key, self.key = self.key, None
        if key is None:
            return None
        self.value[key] = value
        return (*self.path, key)


def resolve(text: str) -> Any:
    """Give an unquoted scalar its YAML 1.2 value; `no`, `0123` and `12:30:45` are text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _place(event: Event) -> _Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _decode(document: Document, content: bytes | str) -> str | None:
    size = len(content)
    if size > MAX_BYTES:
        document.refuse((), f"larger than {MAX_BYTES // 1024} KiB; expected a property map: split it", (1, 1))
        return None
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:4]:
        document.refuse((), "found UTF-16 or UTF-32; expected UTF-8: save the file as UTF-8", (1, 1))
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        document.refuse((), "found bytes that are not UTF-8 (Latin-1?); save the file as UTF-8", place)
        return None


def _refuse_syntax(document: Document, error: Exception, text: str) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if isinstance(error, ReaderError):
        before = text[: error.position]
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        document.refuse((), f"found the control character U+{error.character:04X}; expected printable text", place)
        return
    place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    problem = error.problem if isinstance(error, MarkedYAMLError) else None
    document.refuse((), f"not valid YAML: {_remedy(str(problem or 'it cannot be read'))}", place)


def _remedy(problem: str) -> str:
    if "'\\t'" in problem:
        return "found a tab; expected blanks for indentation"
    if "cannot start any token" in problem:
        return f"{problem}; put the text in quotes"
    if "mapping values are not allowed" in problem:
        return "found a colon where none can be; check the indentation, or put the text in quotes"
    return problem
