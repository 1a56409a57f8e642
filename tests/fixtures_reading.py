"""A shop whose customers are in memory, and a memory API that lists what a test decides."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from doubles.memory_api import Call, MemoryApi
from doubles.memory_server import Received, Reply
from fixtures_faults import FaultyPlace
from fixtures_postgres import Database
from workplace import MAP, TABLE

from sync.sandbox import Sandbox, SandboxOptions

Answer = Callable[[dict[str, Any]], Reply | None]


class ListingApi(MemoryApi):
    """Answers searches as `answer` says, which is given the call's body; keeps these bodies in `searches`."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.searches: list[dict[str, Any]] = []

    def _decide(self, received: Received) -> Reply:
        if received.path.endswith("/search"):
            self.calls.append(Call(0.0, "search", [], received.path))
            self.searches.append(json.loads(received.body))
            reply = self.answer(self.searches[-1])
            assert reply is not None
            return reply
        return super()._decide(received)


class Shop(FaultyPlace):
    """A workplace beside a sandbox: commands run in this process, and `start` runs them in their own."""

    database: Database
    sandbox: Sandbox

    def add(self, first: int, last: int) -> None:
        """Customers with these numbers."""
        self.database.do(
            "INSERT INTO customers (id, email, name, plan, notes) SELECT n, 'p' || n || '@example.com', 'Name ' || n, "
            "' Team ', 'Note about ' || n || '.' FROM generate_series(%s::int, %s) n",
            first,
            last,
        )

    def overwrite(self, email: str, **values: Any) -> None:
        """Put other values into memory behind the back of memsync."""
        to = {"collectionId": "col_contacts", "collectionName": "Contacts"}
        properties = {name: {"sourceField": name, **to} for name in values}
        mapping = {"entityType": "contact", "email": "email", "properties": properties}
        body = {"source": "x", "mapping": mapping, "rows": [{"email": email, **values}]}
        headers = {"Authorization": "Bearer sk_test_1"}
        answer = httpx.post(f"{self.sandbox.url}/api/v1/batch-memorize", json=body, headers=headers)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def settling() -> float:
    """Seconds until a batch is stored; a test module may say otherwise."""
    return 0.0


@pytest.fixture
def shop(tmp_path: Path, database: Database, settling: float) -> Iterator[Shop]:
    database.do(TABLE)
    folder = tmp_path / "work"
    folder.mkdir()
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db", delay=settling)) as sandbox:
        variables = {"DATABASE_URL": database.url, "PERSONIZE_BASE_URL": sandbox.url}
        made = Shop(folder, variables | {"PERSONIZE_SECRET_KEY": "sk_test_1", "PERSONIZE_API_VERSION": "v1.1"})
        made.database, made.sandbox = database, sandbox
        made.clocks = {"state.delivery.FIRST_POLL": 0.02, "sync.follow.FIRST": 0.05}
        made.write_map(MAP)
        yield made
        for process in made.started:
            process.kill()
            process.communicate()
