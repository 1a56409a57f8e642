"""The property maps as they are now: files are watched, and one that is broken leaves its old map in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sync.maps.load import SUFFIXES, load_files, load_maps
from sync.maps.model import PropertyMap
from sync.maps.problem import MapsInvalid, Problem

Stamp = tuple[int, int, int]
"""Modification time, size and inode of a file: another one means other contents."""


_UNSEEN: Stamp = (-1, -1, -1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable maps by stream, and what is wrong with the other files."""

    maps: Mapping[str, PropertyMap] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class Catalog:
    """The maps of a folder; `look` is to be called every few seconds by one thread."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self._folder, self._warn = folder, warn
        self._stamps: dict[Path, Stamp] = {}
        self._changing: dict[Path, Stamp] | None = None
        self._by_file: dict[str, PropertyMap] = {}
        self._of_files: tuple[str, ...] = ()
        self._without: frozenset[str] = frozenset()
        """Those of `_of_files` whose file has no earlier map in use."""
        self._told: frozenset[str] = frozenset()
        self.loaded = Loaded()

    def load(self) -> Loaded:
        """Load every file for the first time; raises MapsInvalid when not one of them is usable."""
        self._stamps = stamps_of(self._folder)
        self._read([*self._stamps])
        if not self.loaded.maps:
            load_maps(self._folder)
        self._tell()
        return self.loaded

    def find(self, stream: str) -> PropertyMap | None:
        """The map of a stream as it is now."""
        return self.loaded.maps.get(stream)

    def look(self) -> None:
        """Load again what changed, once it has stopped changing."""
        before = self.loaded.maps
        try:
            found = stamps_of(self._folder)
        except MapsInvalid as error:  # the folder is away or empty: perhaps somebody is just replacing it
            self.loaded = Loaded(before, tuple(map(str, error.problems)))
        else:
            self.loaded = Loaded(before, self._of_files)
            if found != self._stamps and found == self._changing:
                self._stamps = found
                self._read([*found])
            # A file that is still being written may be a whole map of half its contents: it has to stand still.
            self._changing = found
        self._tell()

    def _read(self, files: list[Path]) -> None:
        """Load what can be loaded; for a file that cannot, its old map stays."""
        maps, found = usable(files)
        problems = [str(problem) for problem in found]
        fresh = {one.file: one for one in maps}
        kept = {name: self._by_file[name] for name in map(str, files) if name in self._by_file and name not in fresh}
        streams = {one.stream for one in maps}
        self._by_file = fresh | {name: one for name, one in kept.items() if one.stream not in streams}
        self._of_files = tuple(problems)
        self._without = frozenset(str(problem) for problem in found if problem.file not in self._by_file)
        self.loaded = Loaded({one.stream: one for _, one in sorted(self._by_file.items())}, self._of_files)

    def _tell(self) -> None:
        """Say each problem once, as long as it lasts, and when all are gone."""
        problems = frozenset(self.loaded.problems)
        for problem in sorted(problems - self._told):
            is_without = problem in self._without and problem in self._of_files
            what = "and there is no earlier one of its file" if is_without else "what was loaded before stays"
            self._warn(f"property map not used, {what}: {problem}")
        if self._told and not problems:
            self._warn("property maps: all problems are mended")
        self._told = problems


def usable(files: Sequence[Path]) -> tuple[tuple[PropertyMap, ...], tuple[Problem, ...]]:
    """The maps of those files that can be used together, and what is wrong with the others."""
    problems: list[Problem] = []
    good = list(files)
    while good:
        try:
            return load_files(good), tuple(problems)
        except MapsInvalid as error:
            problems += error.problems
            bad = {problem.file for problem in error.problems}
            good = [path for path in good if str(path) not in bad]
    return (), tuple(problems)


def stamps_of(folder: Path) -> dict[Path, Stamp]:
    """The map files of a folder with what tells their versions apart; raises MapsInvalid when there are none."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError:
        files = []
    if not files:
        load_maps(folder)  # says why
    return {path: stamp for path in files if (stamp := _stamp(path)) is not None}


def _stamp(path: Path) -> Stamp | None:
    """What tells the versions of a file apart; None only when it is gone."""
    try:
        found = path.stat()
    except OSError as error:
        # A file that is there and cannot be looked at (a link that leads nowhere, a disk that errs) was not taken away.
        return _UNSEEN if path.is_symlink() or not isinstance(error, FileNotFoundError) else None
    return found.st_mtime_ns, found.st_size, found.st_ino
