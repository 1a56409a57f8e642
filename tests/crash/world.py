"""One trial: a source that changes, a memory that misbehaves, runs that are killed; what must hold is checked
after every end from the memory's own ledger and the state store's tables, not from memsync's numbers."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from crash.failpoints import FAILPOINTS
from crash.memory import FAILED, PENDING, STORED, VANISHED, Applied, Memory, Row
from crash.process import Forks, Job
from state import open_store

ROWS_PER_CALL, IN_FLIGHT, TRIES = 5, 4, 3
MAP = f"""\
stream: people
source: {{connector: shelf}}
destination: {{rowsPerCall: {ROWS_PER_CALL}}}
mapping:
  entityType: contact
  email: email
  properties:
    version: {{sourceField: version, collectionName: Contacts}}
    kind: {{sourceField: kind, collectionName: Contacts}}
    notes: {{sourceField: notes, collectionName: Notes, extractMemories: true}}
"""
KINDS = {"good": 92, "bad": 4, "doomed": 4}
"""Shares of rows that the memory takes, refuses at once, and fails in every event."""


@dataclass
class Figures:
    """What one trial, or all of them, came to."""

    trials: int = 0
    runs: int = 0
    kills: int = 0
    rows: int = 0
    calls: int = 0
    unclear: int = 0
    """Calls that the memory applied without a proper answer."""
    lost: int = 0
    duplicates: int = 0
    bound: int = 0
    """Duplicates that the guarantee allows."""

    def add(self, other: Figures) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class World:
    """A trial with everything in it; the seed decides all but the timing of threads."""

    def __init__(self, seed: int, folder: Path, forks: Forks, state_url: str = "", mutant: str = "") -> None:
        self.chance, self.folder, self.forks = random.Random(seed), folder, forks
        self.figures, self.mutant = Figures(trials=1), mutant
        self.killed_at: Counter[str] = Counter()
        self.memory = Memory(seed)
        self.state_url = state_url or f"sqlite:///{folder}/state.db"
        self.stamp = 100
        self.next_id = 1
        self._changed: list[int] = []
        (folder / "mappings").mkdir()
        (folder / "mappings" / "people.yaml").write_text(MAP)
        self._shelf("CREATE TABLE people (id INTEGER PRIMARY KEY, email, version, kind, stamp, notes, turned_back)")

    def live(self, failpoint: str = "", rounds: int = 5) -> Figures:
        """Kill and go on, so many times, then run in peace; raises AssertionError when a promise is broken."""
        with self.memory:
            self.add_rows(self.chance.randrange(40, 90))
            for number in range(rounds):
                self._round(failpoint if number in (0, 2) else "")
                self.check()
                self._change()
            self._end_in_peace()
        self.figures.unclear = self.memory.ledger.unclear
        self.figures.calls = self.memory.ledger.batches
        return self.figures

    # The source

    def _shelf(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(self.folder / "people.db")) as connection, connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(statement, values).fetchall()

    def add_rows(self, count: int) -> None:
        """New rows; every few share a stamp."""
        for _ in range(count):
            self.stamp += self.chance.random() < 0.4
            kind = self.chance.choices(*zip(*KINDS.items(), strict=True))[0]  # type: ignore[arg-type]
            row = (self.next_id, f"p{self.next_id}@x.example", 1, kind, self.stamp, f"text {self.next_id}", 0)
            self._shelf("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?)", *row)
            self.next_id += 1
        self.stamp += 1  # a stamp that was read as the newest gets no more rows: this source has no look-back

    def _change(self) -> None:
        if self._changed and self.chance.random() < 0.5:  # what was changed for the last run is as it was before
            for one in self._changed:
                self._alter(one, "as it was")
            self._changed = []
        elif self.chance.random() < 0.7:
            self._changed = [self.chance.randrange(1, self.next_id) for _ in range(self.chance.randrange(1, 12))]
            for one in self._changed:
                self._alter(one, self.chance.choices(list(_CHANGES), [60, 20, 20])[0])
        if self.chance.random() < 0.3:
            self.add_rows(self.chance.randrange(1, 15))
        self.stamp += 1

    def _alter(self, one: int, way: str) -> None:
        self._shelf(f"UPDATE people SET {_CHANGES[way]}, stamp = ? WHERE id = ?", self.stamp, one)

    # Runs

    def _round(self, failpoint: str) -> None:
        way = "failpoint" if failpoint else self.chance.choices(list(_WAYS), list(_WAYS.values()))[0]
        if way == "failpoint":
            name = failpoint or self.chance.choice(list(FAILPOINTS))
            code = self._run(failpoint=name, hit=self.chance.randrange(1, 4))
            self.killed_at[name] += code == -signal.SIGKILL
        elif way in ("received", "applied"):
            at = self.memory.ledger.batches + self.chance.randrange(1, 9)
            self.memory.strike = lambda moment, number: self.forks.kill() if (moment, number) == (way, at) else None
            code = self._run()
            self.memory.strike = lambda moment, number: None
        else:
            after = None if way == "none" else self.chance.uniform(0.0, 0.4)
            code = self._run(after=after, number=signal.SIGTERM if way == "stop" else signal.SIGKILL)
        self.figures.kills += code == -signal.SIGKILL
        assert code in (0, 3, 5, 143, -signal.SIGTERM, -signal.SIGKILL), f"exit {code}: {self._words()}"

    def _run(self, after: float | None = None, number: int = signal.SIGKILL, **more: object) -> int:
        self.figures.runs += 1
        # A reading of everything is entered before it begins, and only then.
        full = ["--full"] if self.chance.random() < 0.1 or more.get("failpoint") == "begin.after" else []
        variables = {
            "PERSONIZE_SECRET_KEY": "sk_test_crash",
            "PERSONIZE_BASE_URL": self.memory.url,
            "MEMSYNC_STATE_URL": self.state_url,
            "MEMSYNC_IN_FLIGHT": str(IN_FLIGHT),
            "SHELF_PATH": str(self.folder / "people.db"),
        }
        job = Job(str(self.folder), variables, ["run", "--json", "--wait", "1s", *full], mutant=self.mutant, **more)  # type: ignore[arg-type]
        return self.forks.run(job, after, number)

    def _words(self) -> str:
        err = self.folder / "err.txt"
        return (err.read_text()[-500:] if err.exists() else "") + (self.folder / "out.txt").read_text()[-500:]

    def _end_in_peace(self) -> None:
        self.memory.calm = True
        for _ in range(12):
            code = self._run()
            assert code in (0, 3), f"exit {code}: {self._words()}"
            self.check()
            if self._is_quiet():
                break
        self._check_the_end()

    def _is_quiet(self) -> bool:
        summary = json.loads((self.folder / "out.txt").read_text())["streams"][0]
        return not (summary["sent"] or summary["waiting"] or summary["failed"])

    # What must hold

    def check(self) -> None:
        """No row lies behind the cursor that was neither stored, nor is followed, due again or filed."""
        with open_store(self.state_url) as store:
            position = store.position("people", "incremental")
            cursor = position.cursor if position else None
            known = {chunk.event_id for chunk in store.unsettled("people")}
            kept = {one.key for one in store.due_redeliveries("people")} | {r.key for r in store.rejects("people")}
        at = (cursor["stamp"], cursor["id"]) if cursor else (0, 0)
        for row in self._shelf("SELECT * FROM people WHERE (stamp, id) <= (?, ?)", *at):
            if str(row["id"]) in kept:
                continue
            calls = [call for came, call in self.memory.ledger.of(row["email"]) if _is_as_new(came, row)]
            safe = any(call.event in known or call.fate_of(row["email"]) == STORED for call in calls)
            self.figures.lost += not safe
            assert safe, f"row {row['id']} lies behind the cursor {at}, and nobody looks after it"

    def _check_the_end(self) -> None:
        with open_store(self.state_url) as store:
            rejects = {r.key for r in store.rejects("people")}
            assert store.unsettled("people") == []
            assert store.due_redeliveries("people") == []
        rows = self._shelf("SELECT * FROM people")
        self.figures.rows = len(rows)
        for row in rows:
            calls = self.memory.ledger.of(row["email"])
            holds, texts = _memory_of(row["email"], calls)
            stored = holds == row["version"] and row["notes"] in texts
            failed = sum(call.fate_of(row["email"]) in (FAILED, VANISHED) for _, call in calls)
            filed = str(row["id"]) in rejects
            self.figures.lost += not (stored or filed)
            assert stored or filed, f"row {row['id']} version {row['version']} is neither stored nor a reject"
            may_be_filed = row["kind"] != "good" or failed >= TRIES
            assert may_be_filed or not filed, f"row {row['id']} is good and a reject"
            assert row["kind"] == "good" or filed, f"row {row['id']} is {row['kind']} and no reject"
        self._check_order()
        self._check_duplicates()

    def _check_order(self) -> None:
        newest = {row["email"]: 0 for row in self._shelf("SELECT email FROM people WHERE NOT turned_back")}
        for call in self.memory.ledger.applied:
            for row in call.rows:
                if row.email in newest:
                    assert row.version >= newest[row.email], f"an older {row.email} landed after a newer one"
                    newest[row.email] = row.version

    def _check_duplicates(self) -> None:
        """A row may come again only because a call was unclear, a run was killed, or the memory failed it."""
        before: dict[str, tuple[int, Applied]] = {}
        for call in self.memory.ledger.applied:
            for row in call.rows:
                version, last = before.get(row.email, (0, call))
                same = version == row.version and last.fate_of(row.email) not in (FAILED, VANISHED)
                self.figures.duplicates += same and last is not call
                before[row.email] = (row.version, call)
        self.figures.bound = ROWS_PER_CALL * (self.memory.ledger.unclear + IN_FLIGHT * self.figures.kills)
        assert self.figures.duplicates <= self.figures.bound


_WAYS = {"failpoint": 50, "received": 10, "applied": 12, "timer": 12, "stop": 6, "none": 10}
_CHANGES = {
    "other values": "version = version + 1",
    "another text": "version = version + 1, notes = notes || '+'",
    "as it was": "version = MAX(1, version - 1), turned_back = 1",
}


def _is_as_new(came: Row, row: sqlite3.Row) -> bool:
    return came.version == row["version"] if row["turned_back"] else came.version >= row["version"]


def _memory_of(identity: str, calls: Sequence[tuple[Row, Applied]]) -> tuple[int, set[str | None]]:
    """The version that memory holds at the end of these calls, and the texts that it was given."""
    stored = [row for row, call in calls if call.fate_of(identity) == STORED or (_is_unclear(call, identity))]
    told = {row.text for row, call in calls if call.fate_of(identity) == STORED}
    return (stored[-1].version if stored else 0), told


def _is_unclear(call: Applied, identity: str) -> bool:
    """Whether a call was applied and nobody was told: nobody will ask for its event, and its rows are there."""
    return not call.answered and call.fate_of(identity) == PENDING
