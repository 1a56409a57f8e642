"""Whether the state's file is on a disk that is still there tomorrow."""

from __future__ import annotations

import re
from pathlib import Path

_IN_MEMORY = {"tmpfs", "ramfs"}
_LAYERED = {"overlay", "overlayfs", "aufs", "fuse-overlayfs"}
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs"}
_NAMELESS = re.compile(r"/volumes/[0-9a-f]{64}/_data(/|$)")
"""Where Docker and Podman keep a volume that nobody gave a name."""
_REMEDY = "mount a volume and point MEMSYNC_STATE_URL at it (sqlite:////data/state.db), or use postgresql://..."


def warning_for(
    file: Path, mounts: Path = Path("/proc/mounts"), details: Path = Path("/proc/self/mountinfo")
) -> str | None:
    """What to tell a person about where this file is; None when all is well or nothing is known."""
    kind = file_system_of(file, mounts)
    if kind in _IN_MEMORY:
        return f"{file}: is in memory ({kind}), so the state is gone after a restart; {_REMEDY}"
    if kind in _LAYERED:
        return f"{file}: is inside the container ({kind}), so the state is gone with it; {_REMEDY}"
    if kind in _NETWORK:
        return f"{file}: is on a network file system ({kind}), where SQLite's locks do not hold; {_REMEDY}"
    if is_in_nameless_volume(file, details):
        return (
            f"{file}: is in a volume without a name, so the state may be gone with the container; name the volume "
            "(docker run -v memsync-state:/data), or use postgresql://..."
        )
    return None


def is_in_nameless_volume(file: Path, details: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether a container engine made the volume for this container alone; False where the system does not say."""
    found: tuple[int, str] | None = None
    for line in _lines(details):
        fields = line.split(" ")
        point = Path(_unescaped(fields[4])) if len(fields) > 4 else None
        if point is not None and file.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), fields[3]
    return found is not None and _NAMELESS.search(found[1]) is not None


def file_system_of(file: Path, mounts: Path = Path("/proc/mounts")) -> str | None:
    """The type of the file system that holds the file; None where the system does not say."""
    found: tuple[int, str] | None = None
    for line in _lines(mounts):
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        # Of two mounts on one folder, the later one hides the earlier.
        if file.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), fields[2]
    return found[1] if found else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []


def _unescaped(text: str) -> str:
    """A mount point as the kernel wrote it, with octal escapes for blanks."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), text)
