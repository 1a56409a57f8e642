"""Maps that change while they are in use."""

from __future__ import annotations

from pathlib import Path

import pytest
from workplace import MAP

from sync.maps.problem import MapsInvalid
from sync.serve.catalog import Catalog


class Folder:
    def __init__(self, path: Path) -> None:
        self.path, self.said = path, list[str]()
        self.catalog = Catalog(path, self.said.append)

    def write(self, name: str, stream: str, more: str = "") -> None:
        (self.path / name).write_text(MAP.replace("stream: customers", f"stream: {stream}") + more)

    def settle(self) -> set[str]:
        """Look until what was written has stood still for one look."""
        self.catalog.look()
        self.catalog.look()
        return set(self.catalog.loaded.maps)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("a.yaml", "a")
    made.write("b.yaml", "b")
    made.catalog.load()
    return made


def test_a_file_is_loaded_only_once_it_has_stopped_changing(folder: Folder) -> None:
    folder.write("c.yaml", "c")
    folder.catalog.look()
    assert folder.catalog.find("c") is None
    folder.write("c.yaml", "c", "# still being written\n")
    folder.catalog.look()
    assert folder.catalog.find("c") is None
    folder.catalog.look()
    assert folder.catalog.find("c") is not None


def test_a_broken_map_keeps_its_old_one_and_says_so_once(folder: Folder) -> None:
    before = folder.catalog.find("a")
    (folder.path / "a.yaml").write_text("stream: [")
    folder.write("b.yaml", "b2")
    assert folder.settle() == {"a", "b2"}
    folder.settle()
    assert folder.catalog.find("a") is before
    assert len(folder.said) == 1
    assert "a.yaml" in folder.said[0]
    folder.write("a.yaml", "a")
    folder.settle()
    assert "mended" in folder.said[-1]


def test_what_is_said_of_a_broken_map_is_whether_an_earlier_one_is_in_use(folder: Folder) -> None:
    (folder.path / "a.yaml").write_text("stream: [")
    (folder.path / "new.yaml").write_text("stream: [")
    folder.settle()
    kept, new = sorted(folder.said)[::-1]
    assert kept.startswith("property map not used, what was loaded before stays: ")
    assert "a.yaml" in kept
    assert new.startswith("property map not used, and there is no earlier one of its file: ")
    assert "new.yaml" in new


def test_maps_come_and_go(folder: Folder) -> None:
    folder.write("c.yml", "c")
    (folder.path / "a.yaml").unlink()
    assert folder.settle() == {"b", "c"}
    assert folder.said == []


def test_of_two_maps_with_one_stream_the_first_is_used_and_the_other_told(folder: Folder) -> None:
    folder.write("c.yaml", "b")
    assert folder.settle() == {"a", "b"}
    assert "c.yaml" in folder.said[0]
    assert folder.catalog.loaded.maps["b"].file.endswith("b.yaml")


def test_a_folder_that_is_away_for_a_moment_changes_nothing(folder: Folder, tmp_path: Path) -> None:
    away = tmp_path.with_name(tmp_path.name + "-away")
    tmp_path.rename(away)
    assert folder.settle() == {"a", "b"}
    assert len(folder.said) == 1
    away.rename(tmp_path)
    assert folder.settle() == {"a", "b"}
    assert "mended" in folder.said[-1]


def test_a_map_that_is_there_and_cannot_be_looked_at_keeps_its_old_one_and_says_so(folder: Folder) -> None:
    place, real = folder.path / "a.yaml", folder.path / "a.real"
    place.rename(real)
    place.symlink_to(real)
    assert folder.settle() == {"a", "b"}
    real.rename(folder.path / "elsewhere")
    assert folder.settle() == {"a", "b"}
    assert "a.yaml" in folder.said[0]
    assert "cannot be read" in folder.said[0]
    (folder.path / "elsewhere").rename(real)
    assert folder.settle() == {"a", "b"}
    assert "mended" in folder.said[-1]
    place.unlink()
    assert folder.settle() == {"b"}


def test_at_the_start_the_good_maps_are_used_and_the_bad_ones_told(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    made.write("a.yaml", "a")
    (tmp_path / "b.yaml").write_text("stream: 3\n")
    assert set(made.catalog.load().maps) == {"a"}
    assert "b.yaml" in made.said[0]


@pytest.mark.parametrize("content", [None, "stream: ["])
def test_without_a_usable_map_there_is_nothing_to_serve(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(MapsInvalid):
        Catalog(tmp_path, lambda _: None).load()
