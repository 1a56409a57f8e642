"""What commands say of runs, and of what they cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest
from workplace import MAP, Workplace

from sync.commands.screen import progress_line, remarks
from sync.maps.load import load_maps
from sync.maps.problem import MapsInvalid
from sync.summary import Summary


def test_one_of_a_thing_is_spoken_of_as_one() -> None:
    one = Summary("s", read=1, failed=2, filed=1, waiting=1, duplicates_possible=1, gone_keys={"1": "archived"}, gone=1)
    assert remarks(one) == [
        "1 gone: archived (memory still has it; --json names it)",
        "1 row was taken and then failed by the server; the next run sends it again",
        "1 row that the server failed is a reject now (memsync rejects list s)",
        "1 row is accepted and not settled yet; the next run follows it",
        "1 row may have been sent twice, after answers that did not arrive",
    ]
    two = Summary("s", read=2, failed=4, filed=2, waiting=2, duplicates_possible=2)
    assert remarks(two) == [
        "2 rows were taken and then failed by the server; the next run sends them again",
        "2 rows that the server failed are rejects now (memsync rejects list s)",
        "2 rows are accepted and not settled yet; the next run follows them",
        "2 rows may have been sent twice, after answers that did not arrive",
    ]


@pytest.mark.parametrize(
    ("read", "told"),
    [(1, "1 row was read but not sent; the next run reads it again"),
     (1500, "1,500 rows were read but not sent; the next run reads them again")],
)  # fmt: skip
def test_rows_that_are_left_over_are_counted_in_words(read: int, told: str) -> None:
    summary = Summary("s", read=read)
    summary.left_over("the next run")
    assert (summary.notes, summary.read) == ([told], 0)


def test_the_progress_of_a_dry_run_says_what_would_be_sent() -> None:
    summary = Summary("s", read=10, sent=5)
    assert "would send 5" in progress_line(summary, 1.0, dry_run=True)
    assert "  sent 5" in progress_line(summary, 1.0)


@pytest.mark.parametrize("there", [True, False])
def test_where_there_is_no_map_the_way_to_one_is_told(there: bool, tmp_path: Path) -> None:
    folder = tmp_path / "mappings"
    if there:
        folder.mkdir()
    with pytest.raises(MapsInvalid, match=r"`memsync init` writes a map.*go to the folder that holds"):
        load_maps(folder)


def test_status_in_a_folder_without_maps_says_what_to_do(tmp_path: Path) -> None:
    place = Workplace(tmp_path, {})
    assert "memsync init writes one; or is this the wrong folder?" in place.memsync("status").out
    place.write_map(MAP)
    assert "Start with: memsync run" in place.memsync("status").out


@pytest.mark.parametrize("name", ["PERSONIZE_SECRET_KEY", "PERSONIZE_BASE_URL"])
def test_a_run_that_cannot_begin_leaves_no_state_store_behind(name: str, tmp_path: Path) -> None:
    good = {"PERSONIZE_SECRET_KEY": "sk_test_1", "PERSONIZE_BASE_URL": "http://127.0.0.1:9"}
    place = Workplace(tmp_path, good | {"DATABASE_URL": "postgresql://x@127.0.0.1:9/x", name: "http://far.example"})
    if name == "PERSONIZE_SECRET_KEY":
        del place.variables[name]
    place.write_map(MAP)
    ended = place.memsync("run")
    assert (ended.code, name in ended.err) == (2, True)
    assert not list(tmp_path.glob("memsync-state*"))


def test_what_cannot_be_done_is_told_in_one_line_without_the_help_on_usage(tmp_path: Path) -> None:
    place = Workplace(tmp_path, {})
    place.write_map(MAP)
    for arguments in (("run", "customer"), ("status", "customer"), ("trace", "nobody", "1")):
        ended = place.memsync(*arguments)
        assert (ended.code, ended.err.count("\n"), ended.err[:9]) == (2, 1, "memsync: ")
    assert "did you mean customers?" in place.memsync("run", "customer").err
    assert "1 properties" not in place.memsync("validate", "--offline").out
