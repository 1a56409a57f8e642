"""A folder as a user has one: maps, variables, a state store; commands run in it as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sync.sandbox import Sandbox

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
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MEMSYNC_", "PERSONIZE_", "DATABASE_URL"))}
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
        """Run a command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return Ended(process.returncode, out, err)

    def run(self, *arguments: str) -> Ended:
        """`memsync run --json`, following no events unless the arguments say so."""
        return self.memsync("run", "--json", "--wait", "0s", *arguments)
