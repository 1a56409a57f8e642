"""The file of a SQLite store: looked at before it is opened, and made whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from state.errors import StoreUnusable
from state.faults import REMEDY, explain_system

APPLICATION_ID = 0x6D656D73  # "mems", in the header of every SQLite file that is a memsync store
_URL = "change MEMSYNC_STATE_URL"
_guard = threading.Lock()
_in_use: Counter[tuple[int, int]] = Counter()
"""Device and number of the files that this process has open as stores."""


def is_there(path: Path) -> bool:
    """Whether a usable memsync store is there; False when nothing is. Raises StoreUnusable on anything else."""
    try:
        if not path.parent.is_dir():
            raise StoreUnusable(f"{path}: the folder {path.parent} does not exist; create it or {_URL}")
        try:
            found = path.stat()
        except FileNotFoundError:
            return False
        _check(path, found)
        _make_private(path, found)
    except OSError as error:
        raise explain_system(error, str(path)) from None
    return True


def _check(path: Path, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise StoreUnusable(f"{path}: is a folder, expected a file; {_URL}")
    if not stat.S_ISREG(found.st_mode):
        raise StoreUnusable(f"{path}: is not an ordinary file; {_URL}")
    if found.st_size == 0:
        raise StoreUnusable(f"{path}: is empty, so it is not the store that was here; {REMEDY}")
    if not os.access(path, os.W_OK):
        raise StoreUnusable(f"{path}: is read-only; make it writable or {_URL}")
    if not os.access(path.parent, os.W_OK):
        raise StoreUnusable(f"{path}: its folder is read-only, but SQLite writes beside the file; make it writable")
    _check_header(path, found)


def _check_header(path: Path, found: os.stat_result) -> None:
    with _guard:
        # Closing any descriptor of a file drops every lock that this process holds on it, SQLite's included; then
        # another process that closes the store deletes the log under this one.
        if _in_use[found.st_dev, found.st_ino]:
            return
        with path.open("rb") as file:
            header = file.read(100)
    if not header.startswith(b"SQLite format 3\x00"):
        raise StoreUnusable(f"{path}: is not a SQLite database; {REMEDY}")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreUnusable(f"{path}: belongs to another program; {_URL}")


class InUse(sqlite3.Connection):
    """A connection during which nobody here opens the file in another way."""

    _file: tuple[int, int] | None = None

    def close(self) -> None:
        """Close it; its file may be looked at again when no other connection has it."""
        super().close()
        with _guard:
            if self._file is not None:
                _in_use.subtract([self._file])
                self._file = None


def connect(path: Path, patience: float) -> sqlite3.Connection:
    """Open a file that is there; raises sqlite3.Error. Locked by another process, it is waited for so many seconds."""
    with _guard:
        # mode=rw: a file that vanishes between the look at it and here must not come back empty.
        address = f"{path.as_uri()}?mode=rw"
        made = sqlite3.connect(address, uri=True, check_same_thread=False, timeout=patience, factory=InUse)
        with suppress(OSError):
            found = path.stat()
            made._file = (found.st_dev, found.st_ino)
            _in_use[made._file] += 1
    return made


def _make_private(path: Path, found: os.stat_result) -> None:
    # Copies are often made with the mode that the umask gives. SQLite takes the mode of the files beside it from it.
    if found.st_mode & 0o077:
        with suppress(OSError):
            path.chmod(0o600)


def create(path: Path, fill: Callable[[Path], None]) -> None:
    """Make the store under another name and move it to its own when it is whole; raises StoreUnusable.

    A process that is killed meanwhile leaves no half-made store behind, and when two start at once one of them wins.
    """
    try:
        if _has_orphan(path):
            raise StoreUnusable(
                f"{path}: is gone, but {path.name}-wal is still there, which belongs to it; put the file back, or move "
                "that one away too to start over (everything is then read again)"
            )
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
        os.close(handle)
        made = Path(name)
        try:
            fill(made)
            _put_in_place(made, path)
        finally:
            for ending in ("", "-wal", "-shm", "-journal"):
                Path(f"{made}{ending}").unlink(missing_ok=True)
    except OSError as error:
        raise explain_system(error, str(path)) from None


def _has_orphan(path: Path) -> bool:
    """Whether the log of a store that is gone lies there: SQLite would write it into any new file of that name."""
    log = Path(f"{path}-wal")
    # Another process that makes the store at this moment puts the file there before its log.
    return log.exists() and log.stat().st_size > 0 and not path.exists()


def _put_in_place(made: Path, path: Path) -> None:
    try:
        os.link(made, path)  # unlike a rename, this never replaces what another process put there
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            made.rename(path)
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
