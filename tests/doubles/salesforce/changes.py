"""What happens to records: stamped when changed, thrown into the recycle bin, merged, purged."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .answers import refusal
from .ids import long_form
from .logins import USER_ID
from .records import Records, Row, stamp
from .schema import SObject

_CLOSED = {"Opportunity": ("StageName", "Closed"), "Case": ("Status", "Closed"), "Task": ("Status", "Completed")}
_ARCHIVED_AFTER = timedelta(days=365)


class Changes:
    """Changes records the way the platform does."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def object(self, name: str) -> SObject:
        """The object of this name; NOT_FOUND where there is none."""
        found = self.records.schema.find(name)
        if found is None:
            raise refusal("NOT_FOUND")
        return found

    def add(self, name: str, rows: Sequence[Row], moment: datetime) -> list[str]:
        """Insert rows with this stamp; a row may bring its own."""
        sobject = self.object(name)
        at = stamp(moment)
        stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), at)
        people = dict.fromkeys(("CreatedById", "LastModifiedById", "OwnerId"), USER_ID)
        given = {"IsDeleted": False, **stamps, **people, **_numbers(sobject)}
        defaults = {field: value for field, value in given.items() if field in sobject.fields}
        return self.records.add(sobject, [_completed(sobject, row) for row in rows], defaults)

    def change(self, name: str, id: str, changes: Mapping[str, Any], moment: datetime) -> str:
        """Set fields and stamp the record; its full id. Naming a stamp sets that one only."""
        sobject = self.object(name)
        full = self._existing(sobject, id)
        stamps = dict.fromkeys(("LastModifiedDate", "SystemModstamp"), stamp(moment))
        known = {field: value for field, value in stamps.items() if field in sobject.fields}
        self.records.change(sobject, full, {**known, **_completed(sobject, changes)})
        return full

    def touch(self, name: str, id: str, moment: datetime) -> None:
        """Move only the system stamp, as automated processes do."""
        sobject = self.object(name)
        self.records.change(sobject, self._existing(sobject, id), {"SystemModstamp": stamp(moment)})

    def delete(self, name: str, id: str, moment: datetime) -> str:
        """Move a record into the recycle bin; where its object has none, it is gone at once."""
        sobject = self.object(name)
        full = self._existing(sobject, id)
        self.records.note_gone(sobject, full, stamp(moment))
        if "IsDeleted" not in sobject.fields or "undelete" not in sobject.marks:
            self.records.remove(sobject, full)
            return full
        changed: dict[str, Any] = {"IsDeleted": True}
        changed |= dict.fromkeys({"SystemModstamp", "LastModifiedDate"} & sobject.fields.keys(), stamp(moment))
        self.records.change(sobject, full, changed)
        return full

    def undelete(self, name: str, id: str, moment: datetime) -> None:
        """Take a record out of the recycle bin again."""
        sobject = self.object(name)
        self.records.change(sobject, id, {"IsDeleted": False, "SystemModstamp": stamp(moment)})

    def purge(self, name: str, id: str) -> None:
        """Empty the recycle bin of one record: no query finds it any more."""
        self.records.remove(self.object(name), id)

    def merge(self, name: str, winner: str, loser: str, moment: datetime) -> None:
        """Delete the loser, pointing at the winner, and let what pointed at it point at the winner."""
        sobject = self.object(name)
        at = stamp(moment)
        self.delete(name, loser, moment)
        self.records.change(sobject, loser, {"MasterRecordId": winner})
        self.records.change(sobject, winner, {"LastModifiedDate": at, "SystemModstamp": at})
        for other, field in self.records.referring(name):
            if field.name == "MasterRecordId":
                continue
            found = self.records.select(f'SELECT "Id" FROM "{other.name}" WHERE "{field.name}" = ?', (loser,))
            for (child,) in found:
                self.change(other.name, child, {field.name: winner}, moment)

    def archive(self, before: datetime) -> None:
        """Archive closed tasks and past events that are older than a year: only `queryAll` finds them."""
        day = (before - _ARCHIVED_AFTER).date().isoformat()
        for name in ("Task", "Event"):
            closed = '"IsClosed" = 1 AND ' if name == "Task" else ""
            with self.records.lock:
                self.records.connection.execute(
                    f'UPDATE "{name}" SET "IsArchived" = 1 WHERE {closed}"ActivityDate" < ?', (day,)
                )

    def _existing(self, sobject: SObject, id: str) -> str:
        full = long_form(id) or id
        deleted = 'AND "IsDeleted" = 0' if "IsDeleted" in sobject.fields else ""
        if not self.records.select(f'SELECT 1 FROM "{sobject.name}" WHERE "Id" = ? {deleted}', (full,)):
            raise refusal("NOT_FOUND")
        return full


def _numbers(sobject: SObject) -> dict[str, Any]:
    return {"IsActive": True} if sobject.name == "User" else {}


def _completed(sobject: SObject, row: Row) -> Row:
    """The row with the fields that the platform derives from it."""
    field, word = _CLOSED.get(sobject.name, ("", ""))
    if field not in row:
        return row
    closed = str(row[field]).startswith(word)
    derived = {"IsClosed": closed}
    if sobject.name == "Opportunity":
        derived["IsWon"] = row[field] == "Closed Won"
    return {**derived, **row}
