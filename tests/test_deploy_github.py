"""What a run shows on GitHub: notes at the lines of maps, and a table on the run's page."""

from __future__ import annotations

from pathlib import Path

import pytest
from workplace import MAP, Workplace

from sync.commands import github
from sync.maps.problem import Problem
from sync.summary import Summary


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A step of a workflow; the file that becomes the run's page."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    return tmp_path / "page.md"


def summary(**given: object) -> Summary:
    made = Summary("customers", status="ok", read=1200, sent=1200, accepted=1200, settled=1200, calls=12)
    for name, value in given.items():
        setattr(made, name, value)
    return made


def test_outside_of_github_nothing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    github.report("run", [summary(message="broken", exit=4)], dry_run=False)
    github.problems(["broken"])
    assert capsys.readouterr() == ("", "")


def test_a_problem_of_a_map_is_noted_at_its_line(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    github.problems([Problem(str(page.parent / "maps" / "a.yaml"), 7, 3, "mapping.email", "found nothing")])
    assert capsys.readouterr().err == (
        "::error title=property map,file=maps/a.yaml,line=7,col=3::mapping.email: found nothing\n"
    )


def test_what_would_end_a_note_or_a_property_is_written_otherwise(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    github.problems([Problem("a:b,c%.yaml", 1, 1, "", "50%\r\n::warning::x")])
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "::error title=property map,file=a%3Ab%2Cc%25.yaml,line=1,col=1::50%25?%0A::warning::x"


def test_only_the_notes_that_github_shows_are_written(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    github.problems(f"problem {n}" for n in range(30))
    assert len(capsys.readouterr().err.splitlines()) == github.MOST_NOTES


def test_the_page_gets_a_row_for_each_stream_and_keeps_what_was_there(page: Path) -> None:
    page.write_text("before\n")
    github.report("run", [summary(), summary(stream="deals", read=0)], dry_run=False)
    lines = page.read_text().splitlines()
    assert lines[:2] == ["before", "### memsync run"]
    assert lines[3].startswith("| stream | status | read | filtered |")
    assert lines[5].startswith("| customers | ok | 1,200 | 0 | 0 | 1,200 |")
    assert lines[6].startswith("| deals | ok | 0 |")


def test_a_stream_that_failed_is_an_error_and_rejects_are_a_warning(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = summary(status="failed", exit=4, message="db.example.com: cannot be reached")
    rejects = summary(stream="deals", status="rejects", exit=3, rejected=2, reasons={"NO_IDENTITY": 2})
    github.report("run", [failed, rejects], dry_run=False)
    assert capsys.readouterr().err.splitlines() == [
        "::error title=customers failed%2C exit code 4::db.example.com: cannot be reached",
        "::warning title=deals has rejects::2 rows rejected (2 NO_IDENTITY); see: memsync rejects list deals",
    ]
    assert "- customers: db.example.com: cannot be reached" in page.read_text()


def test_somebody_s_words_are_shown_literally(page: Path) -> None:
    github.report("run", [summary(message="<img src=x> | [a](b)\n# no", status="failed")], dry_run=True)
    text = page.read_text()
    assert "### memsync run (dry run)" in text
    assert r"\<img src=x\> \| \[a\]\(b\) \# no" in text


def test_neither_cursors_nor_keys_are_on_the_page(page: Path) -> None:
    cursor = {"shown": "jane@example.com"}
    github.report("run", [summary(cursor_from=cursor, cursor_to=cursor, message="sk_live_0123456789")], dry_run=False)
    assert "jane" not in page.read_text()
    assert "0123456789" not in page.read_text()


def test_a_page_never_grows_beyond_what_github_takes(page: Path) -> None:
    for _ in range(3):
        github.report("run", [summary(notes=["x" * 400_000])], dry_run=False)
    assert page.stat().st_size == github.LARGEST_SUMMARY


def test_a_page_that_cannot_be_written_changes_nothing_else(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page / "no" / "such"))
    github.report("run", [summary()], dry_run=False)
    assert "cannot be written" in capsys.readouterr().err


def test_a_wrong_map_is_noted_by_the_command_itself_and_json_stays_one_document(tmp_path: Path) -> None:
    place = Workplace(tmp_path, {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path)})
    place.write_map(MAP.replace("sourceField: name", "sourcefield: name"))
    ended = place.memsync("validate", "--offline", "--json")
    assert ended.code == 2
    assert ended.json["ok"] is False
    assert "::error title=property map,file=mappings/customers.yaml,line=10," in ended.err


def test_a_check_that_fails_is_noted_at_its_map(tmp_path: Path) -> None:
    place = Workplace(tmp_path, {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path)})
    place.write_map(MAP)
    ended = place.memsync("validate")
    assert "::error title=property map,file=mappings/customers.yaml::" in ended.err


def test_a_setting_that_is_missing_is_noted(tmp_path: Path) -> None:
    place = Workplace(tmp_path, {"GITHUB_ACTIONS": "true"})
    place.write_map(MAP)
    assert (
        "\n::error title=memsync failed%2C exit code 2::PERSONIZE_SECRET_KEY is not set"
        in "\n" + place.memsync("run").err
    )
