"""Whether the state's file is on a disk that is still there tomorrow."""

from __future__ import annotations

import re
from pathlib import Path

_IN_MEMORY = {"tmpfs", "ramfs"}
_LAYERED = {"overlay", "overlayfs", "aufs", "fuse-overlayfs"}
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs"}
_REMEDY = "mount a volume and point MEMSYNC_STATE_URL at it (sqlite:////data/state.db), or use postgresql://..."


def warning_for(file: Path, mounts: Path = Path("/proc/mounts")) -> str | None:
    """What to tell a person about where this file is; None when all is well or nothing is known."""
    kind = file_system_of(file, mounts)
    if kind in _IN_MEMORY:
        return f"{file}: is in memory ({kind}), so the state is gone after a restart; {_REMEDY}"
    if kind in _LAYERED:
        return f"{file}: is inside the container ({kind}), so the state is gone with it; {_REMEDY}"
    if kind in _NETWORK:
        return f"{file}: is on a network file system ({kind}), where SQLite's locks do not hold; {_REMEDY}"
    return None


def file_system_of(file: Path, mounts: Path = Path("/proc/mounts")) -> str | None:
    """The type of the file system that holds the file; None where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    found: tuple[int, str] | None = None
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        # Of two mounts on one folder, the later one hides the earlier.
        if file.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), fields[2]
    return found[1] if found else None


def _unescaped(text: str) -> str:
    """A mount point as the kernel wrote it, with octal escapes for blanks."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), text)
