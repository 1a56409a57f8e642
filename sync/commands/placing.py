"""Where a proposed map is written, and that nothing is written over by mistake."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.commands import asking

if TYPE_CHECKING:
    from sync.discover.proposal import Proposal


def refuse_taken(file: Path, stream: str, *, force: bool, interactive: bool) -> None:
    """Make sure that a map may be written; raises click.ClickException."""
    from sync.commands.options import Declined

    other = _file_of(stream, file)
    if other is not None:
        raise click.UsageError(f"{other} has the stream {stream!r} already; give another name with --stream NAME")
    if not file.exists() or force:
        return
    if not interactive:
        raise click.UsageError(
            f"{file} exists already; give --force to replace it, or another place with --output FILE"
        )
    if not asking.confirm(f"{file} exists already. Replace it?"):
        raise Declined


def _file_of(stream: str, besides: Path) -> Path | None:
    """Another map of the folder that has this stream."""
    from sync.maps.load import SUFFIXES, load_files
    from sync.maps.problem import MapsInvalid

    folder = besides.parent
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() in SUFFIXES and path.resolve() != besides.resolve():
            try:
                if load_files([path])[0].stream == stream:
                    return path
            except MapsInvalid:
                continue
    return None


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
