"""A volume that a container engine made for one container alone is warned about: the state goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.location import warning_for

STATE = Path("/data/memsync-state.db")
NAMELESS = "3f" * 32


def warned(tmp_path: Path, root: str) -> str | None:
    """What is said of a state file in /data when that is mounted from `root` of the host's disk."""
    mounts, details = tmp_path / "mounts", tmp_path / "mountinfo"
    mounts.write_text("overlay / overlay rw 0 0\n/dev/sda1 /data ext4 rw 0 0\n")
    details.write_text(
        "601 500 0:60 / / rw,relatime - overlay overlay rw,lowerdir=/a\n"
        f"612 601 8:1 {root} /data rw,relatime master:1 - ext4 /dev/sda1 rw\n"
        f"613 601 8:1 /docker/volumes/{NAMELESS}/_data /datastore rw - ext4 /dev/sda1 rw\n"
        "broken line\n"
    )
    return warning_for(STATE, mounts, details)


@pytest.mark.parametrize(
    "root",
    [
        f"/var/lib/docker/volumes/{NAMELESS}/_data",
        f"/volumes/{NAMELESS}/_data",
        f"/home/me/.local/share/containers/storage/volumes/{NAMELESS}/_data",
    ],
)
def test_a_volume_without_a_name_is_warned_about_with_the_remedy(tmp_path: Path, root: str) -> None:
    warning = warned(tmp_path, root) or ""
    assert "a volume without a name" in warning
    assert "-v memsync-state:/data" in warning


@pytest.mark.parametrize("root", ["/var/lib/docker/volumes/memsync-state/_data", "/srv/state", "/"])
def test_a_named_volume_and_a_folder_of_the_host_are_well(tmp_path: Path, root: str) -> None:
    assert warned(tmp_path, root) is None


def test_a_system_that_does_not_say_is_no_reason_to_warn(tmp_path: Path) -> None:
    assert warning_for(tmp_path / "state.db", tmp_path / "none", tmp_path / "none") is None
