"""Where a proposed map is written, and that nothing is written over by mistake."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync.commands import asking
from sync.commands.refusal import Refused

if TYPE_CHECKING:
    from sync.discover.opening import Place
    from sync.discover.proposal import Proposal


def refuse_taken(file: Path, stream: str, *, force: bool, interactive: bool) -> None:
    """Make sure that a map may be written; raises click.ClickException."""
    from sync.commands.options import Declined

    other = _file_of(stream, file)
    if other is not None:
        raise Refused(f"{other} has the stream {stream!r} already; give another name with --stream NAME")
    if not file.exists() or force:
        return
    if not interactive:
        raise Refused(f"{file} exists already; give --force to replace it, or another place with --output FILE")
    if not asking.confirm(f"{file} exists already. Replace it?"):
        raise Declined


def ask_where(usual: Path) -> Path:
    """Ask for the file of a map: a name alone lies beside the other maps, and a map ends in .yaml."""
    from sync.maps.load import SUFFIXES

    while True:
        said = asking.ask_text("Write the map to", str(usual))
        if said.lower() in ("", "y", "yes"):
            return usual
        file = Path(said).expanduser()
        file = file if file.suffix else file.with_name(f"{file.name}.yaml") if file.name else file
        if file.suffix.lower() in SUFFIXES and said.lower() not in ("n", "no"):
            return usual.parent / file if file.parent == Path() and not said.startswith("./") else file
        asking.tell(
            f"expected a file that ends in {' or '.join(sorted(SUFFIXES))}; Ctrl-C ends this and writes nothing"
        )


def require_suffix(file: Path) -> None:
    """Make sure that a run would read the file; raises Refused."""
    from sync.maps.load import SUFFIXES

    if file.suffix.lower() not in SUFFIXES:
        raise Refused(f"{file}: a map's file ends in {' or '.join(sorted(SUFFIXES))}, else no run reads it")


def read_already(place: Place, besides: Path) -> str:
    """Say which other map of the folder reads the same object; empty where none does."""
    for path, loaded in _others(besides):
        source = loaded.source
        if (source.connector, source.connection, source.object) == (place.connector, place.connection, place.object):
            return (
                f"{place.object} is read by the stream {loaded.stream} already ({path}): with both, its records are "
                "sent twice and its texts are paid for twice"
            )
    return ""


def _file_of(stream: str, besides: Path) -> Path | None:
    """Another map of the folder that has this stream."""
    return next((path for path, loaded in _others(besides) if loaded.stream == stream), None)


def _others(besides: Path) -> Iterator[tuple[Path, Any]]:
    """The other maps of the folder that can be read."""
    from sync.maps.load import SUFFIXES, load_files
    from sync.maps.problem import MapsInvalid

    folder = besides.parent
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() in SUFFIXES and path.resolve() != besides.resolve():
            with suppress(MapsInvalid):
                yield path, load_files([path])[0]


def write_map(made: Proposal, file: Path) -> Any:
    """Write a map and load it again, as a run would; the folder and its schema are made where missing."""
    from sync.discover.writing import write
    from sync.maps.load import load_files, load_text
    from sync.maps.schema import schema_text

    text = write(made)
    load_text(text, str(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    schema = file.parent / "schema.json"
    if not schema.exists():
        schema.write_text(schema_text(), encoding="utf-8")
    new = file.with_name(f".{file.name}.new-{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    return load_files([file])[0]
