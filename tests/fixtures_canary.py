"""Canaries: values that must show up nowhere, a folder whose commands run in this process, and a search for traces."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog
from doubles.memory_api import MemoryApi
from fixtures_postgres import Database
from workplace import MAP, TABLE, Ended

from sync.__main__ import main

KEY = "quokka-key+in/no=usual_form"
PERSON = {
    "email": "jane.quokka@bilby.example",
    "name": "Quokka  Öttinger-Numbat",
    "plan": "wombat of tasmania",
    "notes": 'Zanzibar: call mr.dingo@bilby.example "now" & <soon>\nabout the  cassowary',
}
TRACES = ("quokka", "ttinger", "numbat", "wombat", "tasmania", "zanzibar", "dingo", "bilby", "cassowary")
"""Pieces of the key and of the person, in small letters."""
MODES = (
    ("json", ("--json", "--debug")),
    ("console", ()),
    ("console", ("--debug",)),
)
SCREENS = (
    ("status",),
    ("status", "customers", "--json"),
    ("rejects", "list"),
    ("rejects", "list", "--json"),
    ("rejects", "list", "--csv"),
    ("state", "export", "customers"),
)


def traces(text: str) -> list[str]:
    """Which canaries left a trace in a text."""
    return [trace for trace in TRACES if trace in text.lower()]


@dataclass
class Cage:
    """A folder with a map; `memsync` runs a command in this process and keeps all that it said."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    said: list[str] = field(default_factory=list)

    def write_map(self, text: str) -> None:
        (self.folder / "mappings").mkdir(exist_ok=True)
        (self.folder / "mappings" / "customers.yaml").write_text(text, encoding="utf-8")

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def unset(self, *names: str) -> None:
        for name in names:
            self.monkeypatch.delenv(name, raising=False)

    def memsync(self, *arguments: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        shown = self.capture.readouterr()
        self.said += [shown.out, shown.err]
        return Ended(int(ended.value.code or 0), shown.out, shown.err)

    def in_every_mode(self, *arguments: str) -> list[Ended]:
        """Run a command with both forms of logs, with and without --json and --debug, everything logged."""
        found = []
        for form, options in MODES:
            self.set(MEMSYNC_LOG_FORMAT=form, MEMSYNC_LOG_LEVEL="debug")
            found.append(self.memsync(*arguments, *options))
        return found

    def look_everywhere(self) -> None:
        """Show every screen about the state, then search all that was said and everything in the state's files."""
        if (self.folder / "memsync-state.db").exists():
            for screen in SCREENS:
                self.memsync(*screen)
        kept = b"".join(path.read_bytes() for path in self.folder.glob("memsync-state.db*"))
        everything = [*self.said, kept.decode("latin-1"), kept.decode("utf-8", "replace")]
        assert [line for text in everything for line in text.splitlines() if traces(line)] == []


@pytest.fixture
def cage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], database: Database
) -> Iterator[Cage]:
    database.do(TABLE)
    columns = "(id, email, name, plan, notes) VALUES (7, %s, %s, %s, %s), (8, 'p8@x.example', 'Eight', 'team', 'Hm.')"
    database.do(f"INSERT INTO customers {columns}", *PERSON.values())
    monkeypatch.chdir(tmp_path)
    handlers, level, thresholds = logging.getLogger().handlers[:], logging.getLogger().level, gc.get_threshold()
    made = Cage(tmp_path, monkeypatch, capfd)
    made.unset("MEMSYNC_STATE_URL", "MEMSYNC_MAPPINGS", "PERSONIZE_SECRET_KEY_FILE", "DATABASE_URL_FILE")
    made.set(PERSONIZE_SECRET_KEY=KEY, DATABASE_URL=database.url, PERSONIZE_API_VERSION="v1")
    made.write_map(MAP)
    for name in ("sync.memory.writer.FIRST_PAUSE", "sync.memory.writer.AMBIGUOUS_PAUSE"):
        monkeypatch.setattr(name, 0.0)
    monkeypatch.setattr("sync.memory.writer.LONGEST_PAUSE", 0.0)
    yield made
    logging.getLogger().handlers, logging.getLogger().level = handlers, level
    structlog.reset_defaults()
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.fixture
def parrot() -> Iterator[MemoryApi]:
    """A memory API whose answers a test chooses."""
    with MemoryApi() as one:
        yield one
