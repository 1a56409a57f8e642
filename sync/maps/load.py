"""Loading property maps: every problem of every file at once, each with its place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connectors.source import Source
from sync.maps.document import MAX_BYTES, Document, read_document
from sync.maps.explain import explain
from sync.maps.model import PropertyMap
from sync.maps.problem import MapsInvalid, Problem, did_you_mean, shown
from sync.maps.sources import connector_names, source_model

SUFFIXES = (".yaml", ".yml")
_REMEDY = (
    "`memsync init` writes a map (docs/property-maps.md shows how to write one by hand); where there are maps "
    "already, go to the folder that holds theirs, or name it with --mappings DIR"
)


def load_maps(folder: Path) -> tuple[PropertyMap, ...]:
    """Load every *.yaml and *.yml of a folder, in order of their names; raises MapsInvalid."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        reason = "is a file, expected a folder of property maps" if folder.is_file() else _reason(error)
        raise MapsInvalid([Problem(str(folder), 0, 0, "", f"{reason}; {_REMEDY}")]) from None
    if not files:
        raise MapsInvalid([Problem(str(folder), 0, 0, "", f"found no property map (*.yaml); {_REMEDY}")])
    return load_files(files)


def load_files(files: Sequence[Path]) -> tuple[PropertyMap, ...]:
    """Load the named files; raises MapsInvalid."""
    problems: list[Problem] = []
    documents: list[Document] = []
    for path in files:
        content = _read(path)
        if isinstance(content, Problem):
            problems.append(content)
        else:
            documents.append(read_document(str(path), content))
    return _settle(documents, problems)


def load_text(text: str | bytes, file: str = "text") -> PropertyMap:
    """Load one map from its text; raises MapsInvalid."""
    return _settle([read_document(file, text)], [])[0]


def _settle(documents: Iterable[Document], problems: list[Problem]) -> tuple[PropertyMap, ...]:
    maps: list[PropertyMap] = []
    streams: dict[str, str] = {}
    for document in documents:
        loaded = _validate(document)
        _claim_stream(document, streams)
        problems.extend(document.problems)
        if loaded is not None:
            maps.append(loaded)
    if problems:
        raise MapsInvalid(problems)
    return tuple(maps)


def _validate(document: Document) -> PropertyMap | None:
    if not document.complete or not document.values:
        return None
    raw = document.value
    if not isinstance(raw, dict):
        document.refuse((), f"found {shown(raw)}, expected a property map (stream, source, mapping)", (1, 1))
        return None
    source = _validate_source(document, raw["source"]) if "source" in raw else None
    try:
        found = PropertyMap.model_validate({**raw, "source": source} if source else raw)
    except ValidationError as error:
        explain(document, PropertyMap, error)
        return None
    found._file = document.file
    return found


def _validate_source(document: Document, raw: Any) -> Source:
    """Check `source:` with the model of its connector; where it is wrong, a stand-in lets the rest be checked too."""
    stand_in = Source.model_construct(connector="")
    if not isinstance(raw, dict):
        document.refuse(("source",), f"found {shown(raw)}, expected connector, object and further keys")
        return stand_in
    name = raw.get("connector")
    if name not in connector_names():
        _refuse_connector(document, raw)
        return stand_in
    model = source_model(name)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        explain(document, model, error, ("source",))
        return stand_in


def _refuse_connector(document: Document, raw: dict[str, Any]) -> None:
    known = connector_names()
    if "connector" not in raw:
        document.refuse(("source",), f"found no connector, expected connector: one of {', '.join(known)}")
        return
    name = raw["connector"]
    near = did_you_mean(name, known) if isinstance(name, str) else ""
    path = ("source", "connector")
    message = f"found {shown(name)}, expected one of {', '.join(known)}{near}"
    document.refuse(path, message, document.values.get(path))


def _claim_stream(document: Document, streams: dict[str, str]) -> None:
    name = document.value.get("stream") if isinstance(document.value, dict) else None
    if not isinstance(name, str):
        return
    if name in streams:
        message = f"found a stream name that {streams[name]} has too, expected one of its own: rename one of them"
        document.refuse(("stream",), message, document.values.get(("stream",)))
    streams.setdefault(name, document.file)


def _read(path: Path) -> bytes | Problem:
    """Read a file, or say why not; only regular files are opened (a pipe would wait for ever)."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Problem(str(path), 0, 0, "", "is not a file; expected a property map: move it elsewhere")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return Problem(str(path), 0, 0, "", f"{_reason(error)}; make it readable or remove it")


def _reason(error: OSError) -> str:
    return f"cannot be read: {os.strerror(error.errno) if error.errno else error.__class__.__name__}"
