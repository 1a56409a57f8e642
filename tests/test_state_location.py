"""Where the state's file is: warned about when it will not be there tomorrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.location import file_system_of, warning_for

_CONTAINER = """\
overlay / overlay rw,lowerdir=/a:/b 0 0
proc /proc proc rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/sda1 /data ext4 rw 0 0
tmpfs /data/fast\\040things tmpfs rw 0 0
server:/share /net nfs4 rw 0 0
broken line
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    file = tmp_path / "mounts"
    file.write_text(_CONTAINER)
    return file


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("/app/memsync-state.db", "inside the container (overlay)"),
        ("/dev/shm/state.db", "in memory (tmpfs)"),
        ("/data/fast things/state.db", "in memory (tmpfs)"),
        ("/net/state.db", "network file system (nfs4)"),
    ],
)
def test_a_place_that_does_not_last_is_warned_about_with_the_remedies(mounts: Path, file: str, words: str) -> None:
    warning = warning_for(Path(file), mounts) or ""
    assert words in warning
    assert "mount a volume" in warning
    assert "postgresql://" in warning


@pytest.mark.parametrize("file", ["/data/state.db", "/data/fast/state.db"])
def test_a_volume_is_no_reason_to_warn(mounts: Path, file: str) -> None:
    assert warning_for(Path(file), mounts) is None


def test_a_name_that_only_begins_like_a_mount_point_is_not_on_it(mounts: Path) -> None:
    assert file_system_of(Path("/database/state.db"), mounts) == "overlay"


def test_of_two_mounts_on_one_folder_the_later_counts(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text("tmpfs /data tmpfs rw 0 0\n/dev/sdb /data xfs rw 0 0\n")
    assert warning_for(Path("/data/state.db"), tmp_path / "mounts") is None


def test_a_system_that_does_not_say_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert warning_for(Path("/x/state.db"), tmp_path / "nothing") is None
