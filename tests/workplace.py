"""A folder as a user has one: maps, variables, a state store; commands run in it, mostly within this process."""

from __future__ import annotations

import gc
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.__main__ import main
from sync.sandbox import Sandbox

OURS = ("MEMSYNC_", "PERSONIZE_", "DATABASE_URL")
MEMSYNC = str(Path(sys.executable).with_name("memsync"))
MAP = """\
stream: customers
source:
  connector: postgres
  object: public.customers
destination: {rowsPerCall: 10}
mapping:
  entityType: contact
  email: email
  properties:
    name: {sourceField: name, collectionName: Contacts}
    plan: {sourceField: plan, collectionName: Contacts, transform: [strip, lower]}
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true}
"""
TABLE = """
CREATE TABLE customers (id int PRIMARY KEY, email text, name text, plan text, notes text,
                        updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON customers (updated_at, id);
"""


def at(sandbox: Sandbox) -> dict[str, str]:
    """The variables that make a sandbox the destination."""
    return {"PERSONIZE_BASE_URL": sandbox.url, "PERSONIZE_SECRET_KEY": "sk_test_1", "PERSONIZE_API_VERSION": "v1.1"}


def memory(sandbox: Sandbox, email: str) -> dict[str, Any] | None:
    """What the sandbox holds of a person: property to value."""
    headers = {"Authorization": "Bearer sk_test_1"}
    query = {"email": email, "type": "contact", "returnRecords": True, "page": 1, "pageSize": 5}
    found = httpx.post(f"{sandbox.url}/api/v1/search", json=query, headers=headers).json()["data"]["records"]
    return next(({name: cell["value"] for name, cell in record.items()} for record in found.values()), None)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def stream(self) -> dict[str, Any]:
        """The summary of the only stream of a run."""
        return self.json["streams"][0]


@dataclass
class Workplace:
    """A folder and the variables that its commands get."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def write_map(self, text: str, name: str = "customers.yaml") -> None:
        (self.folder / "mappings").mkdir(exist_ok=True)
        (self.folder / "mappings" / name).write_text(text, encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and do not wait for it."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        return subprocess.Popen(
            [MEMSYNC, *arguments],
            cwd=self.folder,
            env=clean | self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def memsync(self, *arguments: str) -> Ended:
        """Run a command to its end, in this process: a new one takes longer than most commands."""
        with _as_in_its_own_process(self.folder, self.variables), _captured() as (out, err):
            try:
                main(list(arguments))
            except SystemExit as ended:
                return Ended(int(ended.code or 0), out.getvalue(), err.getvalue())
        raise AssertionError("main returned")

    def separately(self, *arguments: str) -> Ended:
        """Run a command to its end, in a process of its own."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return Ended(process.returncode, out, err)

    def run(self, *arguments: str) -> Ended:
        """`memsync run --json`, following no events unless the arguments say so."""
        return self.memsync("run", "--json", "--wait", "0s", *arguments)


@contextmanager
def _captured() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        yield out, err


@contextmanager
def _as_in_its_own_process(folder: Path, variables: dict[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(OURS):
                patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr("sys.stdin", io.StringIO())
        patch.chdir(folder)
        thresholds = gc.get_threshold()
        try:
            yield
        finally:
            gc.unfreeze()
            gc.set_threshold(*thresholds)
