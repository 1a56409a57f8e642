"""Which records a run has read already in a newer state than the job of an earlier run gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST = 200_000
"""Records that are kept in mind, some ten megabytes."""


class Newer:
    """Marks of records, kept from windows and left out of the results of an older job."""

    def __init__(self) -> None:
        self._marks, self._job = set[int](), ""
        self.gathers = False
        """Whether what is read now is kept in mind."""

    def gather(self) -> None:
        """Keep in mind what is read from now on."""
        self._marks, self.gathers = set(), True

    def settle(self, job: str) -> bool:
        """Leave these records out of what this job gives; False: they are too many to be kept in mind."""
        self._job = job
        few = len(self._marks) <= MOST
        self._marks, self.gathers = self._marks if few else set(), False
        return few

    def note(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """These records are read now."""
        if self.gathers and len(self._marks) <= MOST:
            self._marks.update(hash(row.get("Id")) for row in rows)

    def without(self, rows: Sequence[dict[str, Any]], job: str) -> Sequence[dict[str, Any]]:
        """Of the rows of a job, those of which nothing newer was read."""
        if self.gathers or job != self._job:
            return rows
        return [row for row in rows if hash(row.get("Id")) not in self._marks]
