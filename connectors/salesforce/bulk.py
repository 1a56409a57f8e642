"""Bulk API 2.0 query jobs, one call at a time: created, waited for, read page by page from a file, deleted."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO, Any

from connectors.base import ConnectorError, SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.salesforce.calls import Caller
from connectors.salesforce.faults import Refusal, explain, meaning_of, short
from connectors.salesforce.results import ODD, understood
from connectors.salesforce.statements import is_id
from connectors.salesforce.values import Shape
from connectors.salesforce.words import known_code, plain

PAGE_RECORDS = 50_000
"""Records of one call for results: the most that is read twice after a kill."""
PIECE_RECORDS = 2_000
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of results that are kept in memory; more go into a file without a name."""
_FIRST, _GROWTH, _LONGEST, _PATIENCE = 0.2, 1.6, 30.0, 12 * 3600.0
"""Seconds between questions whether a job is done, and until the next run goes on asking."""
_AT_WORK = {"UploadComplete", "InProgress"}
_STATES = "UploadComplete, InProgress, JobComplete, Failed, Aborted"
_STRANGE_IN_A_ROW = 12
"""Questions that a job answers with a state that nobody knows, which takes about a minute, until it is given up."""
_LOST = {400, 403, 404, 409, 410}
_NEVER_REST = {"REQUEST_LIMIT_EXCEEDED", "MALFORMED_QUERY", "INVALID_FIELD", "INVALID_TYPE"}
# Fields hold up to 131,072 characters, which is more than the module takes by itself.
csv.field_size_limit(16 * 1024 * 1024)

_QUOTING = "Salesforce gives a reason that may quote a record: Setup > Bulk Data Load Jobs shows it"

Fields = dict[str, Any]


class BulkRefused(SourceMisconfigured):
    """This object, or these fields, cannot be read in bulk, or not today."""


class JobFailed(SourceUnreachable):
    """The job came to no result."""


class JobAborted(JobFailed):
    """Someone ended the job in Salesforce."""


class ResultsLost(SourceUnreachable):
    """The results of a job cannot be had any more, or not as they are."""


class Incomplete(ResultsLost):
    """The results are not as many records as were announced."""


@dataclass(frozen=True, slots=True)
class Results:
    """A page of results, in pieces; `onward` is where the next one begins."""

    pieces: Iterator[list[Fields]]
    onward: str | None


class Bulk:
    """The jobs of one stream."""

    def __init__(self, caller: Caller, what: str) -> None:
        self._caller, self._what = caller, what

    def create(self, statement: str) -> str:
        """Start a job; its id. Raises BulkRefused where REST may do instead."""
        body = {"operation": "queryAll", "query": statement, "contentType": "CSV", "columnDelimiter": "COMMA"}
        made = self._caller.call(
            "POST", "jobs/query", self._what, {**body, "lineEnding": "LF"}, explained=_why_not_created
        )
        found = made.get("id") if isinstance(made, dict) else None
        if not isinstance(found, str) or not is_id(found):
            raise BulkRefused(f"{self._what}: the answer names no job")
        return found

    def wait(self, id: str) -> int | None:
        """Wait until a job is done; how many records it found, where it says so.

        Raises NotThere, JobFailed, SourceUnreachable.
        """
        waited, delay, strange = 0.0, _FIRST, 0
        while True:
            status = self._caller.call("GET", f"jobs/query/{id}", self._what)
            state = status.get("state") if isinstance(status, dict) else None
            if state == "JobComplete":
                found = status.get("numberRecordsProcessed")
                with understood(self._what):
                    return None if found is None else int(found)
            if state in ("Failed", "Aborted"):
                raise _failure(self._what, state, str(status.get("errorMessage") or ""))
            strange = 0 if state in _AT_WORK else strange + 1
            if strange == _STRANGE_IN_A_ROW:
                self.drop(id)
                raise JobFailed(f"{self._what}: the Bulk job stays in a state that is none of {_STATES}")
            if waited >= _PATIENCE:
                raise SourceUnreachable(f"{self._what}: the Bulk job is still at work; the next run goes on waiting")
            self._caller.pause(delay)
            waited, delay = waited + delay, min(delay * _GROWTH, _LONGEST)

    @contextmanager
    def results(self, id: str, locator: str | None, shape: Shape, *, counted: bool) -> Iterator[Results]:
        """Open one page of results; the file behind it lives as long as the context.

        `counted`: whether the job said how many records it found; without, each page must say so, or ResultsLost.
        """
        query = {"maxRecords": str(PAGE_RECORDS)} | ({"locator": locator} if locator else {})
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            headers = self._caller.download(f"jobs/query/{id}/results", query, file, self._what, _why_no_results)
            announced, onward = headers.get("Sforce-NumberOfRecords", ""), headers.get("Sforce-Locator")
            number = int(announced) if announced.isdecimal() else None
            if not counted and (number is None or not onward):
                raise ResultsLost(
                    f"{self._what}: nothing says how many records a Bulk job found (numberRecordsProcessed, or "
                    "Sforce-NumberOfRecords and Sforce-Locator with each page), so nobody could tell whether all of "
                    "them arrived; read with `api: rest`"
                )
            onward = None if onward in (None, "", "null") else onward
            yield Results(self._pieces(file, shape, number), onward)

    def drop(self, id: str) -> None:
        """Give a job up, whether or not it is at work."""
        self._caller.attempt("PATCH", f"jobs/query/{id}", {"state": "Aborted"})
        self.delete(id)

    def delete(self, id: str) -> None:
        """Clear a job away; what cannot be deleted goes away by itself in a week."""
        self._caller.attempt("DELETE", f"jobs/query/{id}")

    def _pieces(self, file: IO[bytes], shape: Shape, announced: int | None) -> Iterator[list[Fields]]:
        """Rows in lists; the last one only when their number is the announced one."""
        file.seek(0)
        found, piece = 0, list[Fields]()
        try:
            for fields in _rows(file, shape):
                if len(piece) == PIECE_RECORDS:
                    yield piece
                    piece = []
                piece.append(fields)
                found += 1
        except (csv.Error, *ODD) as error:
            raise Incomplete(f"{self._what}: the results of a Bulk job are damaged ({type(error).__name__})") from None
        if announced is not None and found != announced:
            raise Incomplete(
                f"{self._what}: a page of a Bulk job holds {found:,} records, {announced:,} were announced; the next "
                "run reads it again"
            )
        yield piece


def _rows(file: IO[bytes], shape: Shape) -> Iterator[Fields]:
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        lines = (line.replace("\0", "") if "\0" in line else line for line in text)
        reader = csv.reader(lines, strict=True)  # without, a text that is cut off would look whole
        header = next(reader, None)
        if not header:
            return
        read: Callable[[Sequence[str]], Fields] = shape.of_csv(header)
        width = len(header)
        for row in reader:
            if len(row) != width:
                raise csv.Error("a row has another number of columns than the header")
            yield read(row)
    finally:
        with suppress(ValueError):  # its owner closes the file, and may have done so
            text.detach()


def _why_not_created(refusal: Refusal, what: str) -> ConnectorError:
    if "implementation restriction" in refusal.said.lower():
        return SourceRefused(
            f"{what}: Bulk needs the permission View All Data, or View All on the object ({refusal.code}): grant it to "
            "the integration user, or use `api: rest`"
        )
    if refusal.code in _NEVER_REST or meaning_of(refusal) != "final" or refusal.status not in (400, 403, 404, 405):
        return explain(refusal, what)
    return BulkRefused(f"{what}: Bulk refuses: {short(refusal)}")


def _why_no_results(refusal: Refusal, what: str) -> ConnectorError:
    if refusal.status not in _LOST or meaning_of(refusal) != "final" or refusal.code == "REQUEST_LIMIT_EXCEEDED":
        return explain(refusal, what)
    return ResultsLost(
        f"{what}: Salesforce does not give the results of a Bulk job ({short(refusal)}, HTTP {refusal.status}); the "
        "next run starts another one"
    )


def _failure(what: str, state: str, said: str) -> JobFailed:
    if state == "Aborted":
        return JobAborted(f"{what}: someone aborted the Bulk job in Salesforce; the next run starts another one")
    code = known_code(said)
    if code:
        told = str(explain(Refusal(400, code, ""), what)).removeprefix(f"{what}: ")
    else:
        told = plain(said) or (_QUOTING if said else "no reason is given")
    return JobFailed(f"{what}: the Bulk job failed: {told}")
