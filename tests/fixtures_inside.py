"""A folder in which commands run within the tests' own process: they start sooner."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from workplace import Ended, Workplace

from sync.__main__ import main


class Inside(Workplace):
    """A folder in which commands run within this process: they start sooner."""

    def __init__(self, folder: Path, variables: dict[str, str], monkeypatch, capsys) -> None:
        super().__init__(folder, variables)
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def memsync(self, *arguments: str) -> Ended:
        for name, value in self.variables.items():
            self._monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = self._capsys.readouterr()
        return Ended(int(ended.value.code), said.out, said.err)


@pytest.fixture
def inside(tmp_path: Path, database, monkeypatch, capsys) -> Iterator[Inside]:
    """A folder whose commands know a database and no memory."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    handlers = logging.getLogger().handlers
    for name in ("PERSONIZE_SECRET_KEY", "HUBSPOT_ACCESS_TOKEN", "SF_LOGIN_URL"):
        monkeypatch.delenv(name, raising=False)
    yield Inside(folder, {"DATABASE_URL": database.url}, monkeypatch, capsys)
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()
