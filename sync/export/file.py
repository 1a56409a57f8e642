"""The file of an export: written beside its name, known whole only under it, and gone on with after a kill."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sync.export.listing import Place

_VERSION = 1


class FileUnusable(Exception):
    """The file cannot be written, or is another export's; the message says what to do."""


@dataclass(slots=True)
class Progress:
    """What the file holds: `bytes` of it are sound, behind them may be half a page."""

    mark: str
    """Which export it is."""
    place: Place
    columns: Sequence[str]
    bytes: int = 0
    written: int = 0


def place_of(path: Path) -> Path:
    """Where a file of this name is to be written: a link's target. Raises FileUnusable where no plain file can be."""
    with _explained(path):
        if path.exists() and not path.is_file():
            raise FileUnusable(f"{path} is no regular file (a device, a pipe or the like), and would be replaced by "
                               "one: name a file, or leave --output out and redirect standard output")  # fmt: skip
        return path.resolve() if path.is_symlink() else path


class PartFile:
    """FILE.part, with FILE.part.json that says how far it is; both for their owner alone."""

    def __init__(self, path: Path, progress: Progress, number: int) -> None:
        self._path, self.progress, self._number = path, progress, number

    def append(self, text: str, records: int, place: Place) -> None:
        """Add a page: it counts once the place behind it is on disk too. Raises FileUnusable."""
        data = text.encode()
        with _explained(self.part):
            view = memoryview(data)
            while view:
                view = view[os.write(self._number, view) :]
            os.fsync(self._number)
            self.progress.bytes += len(data)
            self.progress.written += records
            self.progress.place = place
            _save(_position_of(self._path), self.progress)

    def finish(self) -> None:
        """Give the file its name."""
        with _explained(self._path):
            os.replace(self.part, self._path)
            _position_of(self._path).unlink(missing_ok=True)
            _sync_folder(self._path.parent)

    @property
    def part(self) -> Path:
        """Where the records are until they are all there."""
        return _part_of(self._path)


@contextmanager
def open_part(path: Path, fresh: Progress) -> Iterator[PartFile]:
    """Go on with the part of this very export, or begin one; raises FileUnusable. Only one process writes it."""
    part, position = _part_of(path), _position_of(path)
    with _explained(part):
        kept = _load(position)
        if part.exists() and kept is None:
            raise FileUnusable(f"{part} is there, and {position.name} beside it, which says how far it is, is not: "
                               "remove it, or choose another name")  # fmt: skip
        if kept is not None and kept.mark != fresh.mark and part.exists():
            raise FileUnusable(f"{part} belongs to another export (other options, or another organisation): remove it "
                               f"and {position.name}, or choose another name")  # fmt: skip
        progress = kept if kept is not None and part.exists() and kept.mark == fresh.mark else fresh
        if progress is fresh:
            _save(position, fresh)
        number = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with _explained(part):
            os.fchmod(number, 0o600)
            _lock(number, part)
            if os.fstat(number).st_size < progress.bytes:
                raise FileUnusable(f"{part} is shorter than {position.name} says: remove both and begin anew")
            os.ftruncate(number, progress.bytes)
            os.lseek(number, 0, os.SEEK_END)
        yield PartFile(path, progress, number)
    finally:
        os.close(number)


def _lock(number: int, part: Path) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FileUnusable(f"{part}: another export is writing it; wait for it, or choose another name") from None


def _part_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _position_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.part.json")


def _load(position: Path) -> Progress | None:
    try:
        found: dict[str, Any] = json.loads(position.read_text(encoding="utf-8"))
        if found.pop("version") != _VERSION:
            return None
        return Progress(**found | {"place": Place(**found["place"])})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FileUnusable(f"{position} is damaged: remove it and {position.stem}, and begin anew") from None


def _save(position: Path, progress: Progress) -> None:
    """Replace the position in one step: after a crash it is the old one or the new one."""
    beside = position.with_name(f"{position.name}.new")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(number, json.dumps({"version": _VERSION, **asdict(progress)}).encode())
        os.fsync(number)
    finally:
        os.close(number)
    os.replace(beside, position)


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise FileUnusable(
            f"{path}: cannot be written ({why}); once that is mended, the same command goes on"
        ) from None
