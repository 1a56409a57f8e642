"""The org's records in SQLite: one table per object, one-second stamps, a recycle bin."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from .answers import Refusal
from .fields import WORDS, Field
from .ids import long_form, new_ids
from .schema import Schema, SObject

Row = Mapping[str, Any]
PERSON = frozenset({"LastName", "FirstName"})


def stamp(moment: datetime) -> str:
    """A moment as it is stored: UTC, whole seconds, without a zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Records:
    """Adds, changes, deletes and merges records; every table is reached through `connection`, under `lock`."""

    def __init__(self, schema: Schema, file: str = ":memory:") -> None:
        self.schema = schema
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = MEMORY")
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute("PRAGMA cache_size = -64000")
        self.connection.execute("CREATE TABLE IF NOT EXISTS _gone (object TEXT, id TEXT, moment TEXT)")
        for sobject in schema:
            self.create(sobject)

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    def create(self, sobject: SObject) -> None:
        """Make the object's table, or add the columns that it lacks."""
        columns = {field.name: f'"{field.name}" {field.sql_type}' for field in sobject.fields.values() if field.stored}
        columns["Id"] = '"Id" TEXT UNIQUE NOT NULL'
        # A row's number is never given again: ids are made of it, and pages hold it.
        columns["_row"] = '"_row" INTEGER PRIMARY KEY AUTOINCREMENT'
        with self.lock:
            self.connection.execute(f'CREATE TABLE IF NOT EXISTS "{sobject.name}" ({", ".join(columns.values())})')
            known = {row[1] for row in self.connection.execute(f'PRAGMA table_info("{sobject.name}")')}
            for name in columns.keys() - known:
                self.connection.execute(f'ALTER TABLE "{sobject.name}" ADD COLUMN {columns[name]}')
            if "SystemModstamp" in sobject.fields:
                index = f'"{sobject.name}_stamp" ON "{sobject.name}" ("SystemModstamp", "Id")'
                self.connection.execute(f"CREATE INDEX IF NOT EXISTS {index}")

    def add(self, sobject: SObject, rows: Sequence[Row], defaults: Row) -> list[str]:
        """Insert rows, `defaults` standing in for what a row leaves out; their new ids."""
        names = list(dict.fromkeys([*defaults, *(name for row in rows for name in row)]))
        converters: list[tuple[str, Callable[[Any], Any] | None, Any]] = [
            (name, converter(field_of(sobject, name)), defaults.get(name)) for name in names
        ]
        if any("person" in field.flags for field in sobject.fields.values()) and "Name" not in names:
            converters.append(("Name", None, None))
        with self.lock:
            ids = self._ids(sobject, rows)
            columns = ", ".join(f'"{name}"' for name, _, _ in converters)
            marks = ", ".join("?" * (len(converters) + 1))
            statement = f'INSERT INTO "{sobject.name}" ("Id", {columns}) VALUES ({marks})'
            self._insert(statement, _values(ids, rows, converters))
        return ids

    def _insert(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        self.connection.execute("BEGIN")
        try:
            self.connection.executemany(statement, values)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def _ids(self, sobject: SObject, rows: Sequence[Row]) -> list[str]:
        given = [row.get("Id") for row in rows]
        last = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (sobject.name,)).fetchone()
        made = new_ids(sobject.prefix, last[0] + 1 if last else 1, len(rows))
        return [own or new for own, new in zip(given, made, strict=True)]

    def change(self, sobject: SObject, id: str, changes: Row) -> bool:
        """Set columns of one record, deleted or not; False where there is no such record."""
        values = {name: converter(field_of(sobject, name))(value) for name, value in changes.items()}
        columns = ", ".join(f'"{name}" = ?' for name in values)
        with self.lock:
            statement = f'UPDATE "{sobject.name}" SET {columns} WHERE "Id" = ?'
            done = self.connection.execute(statement, (*values.values(), id)).rowcount
            if done and not PERSON.isdisjoint(values) and sobject.fields.keys() >= PERSON:
                self._rename(sobject, id)
        return bool(done)

    def _rename(self, sobject: SObject, id: str) -> None:
        name = "trim(coalesce(\"FirstName\", '') || ' ' || coalesce(\"LastName\", ''))"
        self.connection.execute(f'UPDATE "{sobject.name}" SET "Name" = {name} WHERE "Id" = ?', (id,))

    def remove(self, sobject: SObject, id: str) -> None:
        """Take a record out of the table altogether."""
        with self.lock:
            self.connection.execute(f'DELETE FROM "{sobject.name}" WHERE "Id" = ?', (id,))

    def note_gone(self, sobject: SObject, id: str, moment: str) -> None:
        """Remember a deletion for the object's list of deleted records."""
        with self.lock:
            self.connection.execute("INSERT INTO _gone VALUES (?, ?, ?)", (sobject.name, id, moment))

    def select(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        with self.lock:
            return self.connection.execute(statement, values).fetchall()

    def referring(self, name: str) -> Iterator[tuple[SObject, Field]]:
        """The lookups of all objects that may point at the object `name`."""
        for sobject in self.schema:
            for field in sobject.fields.values():
                if name in field.targets and field.stored:
                    yield sobject, field


def field_of(sobject: SObject, name: str) -> Field:
    """The field to store into; the refusal that an unknown one gets."""
    field = sobject.fields.get(name)
    if field is None or not field.stored:
        message = f"No such column '{name}' on sobject of type {sobject.name}"
        raise Refusal(400, "INVALID_FIELD", message)
    return field


def converter(field: Field) -> Callable[[Any], Any]:
    """The function that turns a value into what the field's column holds."""
    if field.type == "datetime":
        return _moment
    if field.type == "date":
        return lambda value: value.isoformat() if isinstance(value, date) else value
    if field.type == "boolean":
        return bool
    if field.type in {"double", "currency", "percent"}:
        return lambda value: None if value is None else float(value)
    if field.type in {"id", "reference"}:
        return lambda value: value and (long_form(value) or value)
    return (lambda value: value or None) if field.type in WORDS else (lambda value: value)


def _moment(value: Any) -> str | None:
    if not value:
        return None
    if isinstance(value, str):
        if len(value) == 19:
            return value
        value = datetime.fromisoformat(value)
    return stamp(value)


def _values(
    ids: Sequence[str], rows: Sequence[Row], converters: Sequence[tuple[str, Callable[[Any], Any] | None, Any]]
) -> Iterator[list[Any]]:
    for key, row in zip(ids, rows, strict=True):
        values: list[Any] = [key]
        for name, convert, default in converters:
            if convert is None:
                values.append(f"{row.get('FirstName') or ''} {row.get('LastName') or ''}".strip())
            else:
                values.append(convert(row.get(name, default)))
        yield values
