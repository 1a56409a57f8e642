"""Bulk API 2.0 query jobs: created, worked on, read by locator, aborted, deleted."""

import base64
import binascii
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any

from .answers import Answer, Refusal, document, refusal
from .bulk_rules import Rules, check_bulk
from .ids import new_ids
from .logins import USER_ID
from .queries import Queries
from .rendering import Csv
from .soql_result import Plan

RESULTS_LIFE = timedelta(days=7)
_DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}
_LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
_CHUNK_ROWS = 10_000
_BLOCK = 1 << 16


@dataclass
class Job:
    """One query job; its lines lie in a file without a name."""

    id: str
    operation: str
    query: str
    plan: Plan
    csv: Csv
    created: datetime
    version: str
    delimiter: str
    line_end: str
    state: str = "UploadComplete"
    polls: int = 0
    """How many more status calls find it unfinished."""
    error: str | None = None
    lines: IO[bytes] | None = None
    ends: "array[int]" = field(default_factory=lambda: array("q", [0]))
    """Where each line begins in the file, and where the last one ends."""

    @property
    def records(self) -> int:
        return len(self.ends) - 1


class Jobs:
    """All query jobs of the org."""

    def __init__(self, queries: Queries, rules: Rules) -> None:
        self.queries = queries
        self.rules = rules
        self.jobs: dict[str, Job] = {}
        self.made = 0
        self._files = ExitStack()

    def close(self) -> None:
        for job in list(self.jobs.values()):
            self._forget(job)
        self._files.close()

    def create(self, wanted: dict[str, Any], now: datetime, version: str) -> Answer:
        """Answer `POST .../jobs/query`."""
        operation, query = wanted.get("operation"), wanted.get("query")
        if operation not in {"query", "queryAll"} or not isinstance(query, str):
            raise Refusal(400, "INVALIDJOB", "operation must be query or queryAll, with a query")
        delimiter, line_end = wanted.get("columnDelimiter", "COMMA"), wanted.get("lineEnding", "LF")
        if delimiter not in _DELIMITERS or line_end not in _LINE_ENDS:
            raise Refusal(400, "INVALIDJOB", "unknown columnDelimiter or lineEnding")
        if self.made >= self.rules.jobs_a_day:
            raise Refusal(400, "LIMIT_EXCEEDED", "Max number of bulk v2 query jobs per 24 hrs has been exceeded")
        plan = self.queries.plan(query, now.date(), everything=operation == "queryAll")
        check_bulk(plan, self.rules)
        self.made += 1
        (made,) = new_ids("750", self.made, 1)
        csv = Csv(plan, _DELIMITERS[delimiter], _LINE_ENDS[line_end])
        job = Job(made, operation, query, plan, csv, now, version, delimiter, line_end, polls=self.rules.polls)
        self.jobs[made] = job
        return document(self._shown(job))

    def find(self, id: str, now: datetime) -> Job:
        """The job with this id; NOT_FOUND after it was deleted or its results have aged away."""
        job = self.jobs.get(id)
        if job is None or now - job.created > RESULTS_LIFE:
            raise refusal("NOT_FOUND")
        return job

    def status(self, job: Job) -> Answer:
        """Answer `GET .../jobs/query/{id}`; each such call lets the job get on."""
        if job.state == "UploadComplete":
            job.state = "InProgress"
            self._work(job)
        if job.state == "InProgress" and job.lines is not None:
            job.polls -= 1
            if job.polls < 0:
                job.state = "JobComplete"
        return document(self._shown(job) | self._progress(job))

    def results(self, job: Job, query: dict[str, str]) -> Answer:
        """Answer `GET .../jobs/query/{id}/results`."""
        if job.state != "JobComplete" or job.lines is None:
            raise Refusal(400, "INVALIDJOBSTATE", f"results are not available: the job is {job.state}")
        start = _offset(query.get("locator"), job)
        count = int(query.get("maxRecords") or self.rules.page)
        end = min(start + max(count, 1), job.records)
        more = end < job.records
        headers = {
            "Content-Type": "text/csv",
            "Sforce-NumberOfRecords": str(end - start),
            "Sforce-Locator": _locator(end) if more else "null",
        }
        return Answer(200, _pages(job, start, end), headers)

    def change(self, job: Job, wanted: dict[str, Any]) -> Answer:
        """Answer `PATCH .../jobs/query/{id}`: only aborting is known."""
        if wanted.get("state") != "Aborted" or job.state not in {"UploadComplete", "InProgress"}:
            raise Refusal(400, "INVALIDJOBSTATE", f"Aborting already {job.state} Job not allowed")
        job.state = "Aborted"
        return document(self._shown(job))

    def delete(self, job: Job) -> Answer:
        """Answer `DELETE .../jobs/query/{id}`."""
        if job.state in {"UploadComplete", "InProgress"}:
            raise Refusal(400, "INVALIDJOBSTATE", "Only jobs that are complete, failed or aborted can be deleted")
        self._forget(job)
        return Answer(204)

    def listing(self) -> Answer:
        """Answer `GET .../jobs/query`."""
        return document({"done": True, "records": [self._shown(job) for job in list(self.jobs.values())]})

    def _forget(self, job: Job) -> None:
        self.jobs.pop(job.id, None)
        if job.lines is not None:
            job.lines.close()
            job.lines = None

    def _work(self, job: Job) -> None:
        """Write the whole result as it is now."""
        error = self.rules.failing.get(job.plan.sobject.name)
        rows: array[int] = array("q")
        try:
            rows = rows if error else self.queries.rows_of(job.plan)
        except Refusal as refused:
            error = f"{refused.code}: {refused}"
        if error:
            job.state, job.error = "Failed", error
            return
        lines = self._files.enter_context(_new_file())
        place = 0
        for start in range(0, len(rows), _CHUNK_ROWS):
            for row in self.queries.values(job.plan, rows[start : start + _CHUNK_ROWS]):
                place += lines.write(job.csv.line(row))
                job.ends.append(place)
        job.lines = lines

    def _shown(self, job: Job) -> dict[str, Any]:
        moment = job.created.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        return {
            "id": job.id,
            "operation": job.operation,
            "object": job.plan.sobject.name,
            "createdById": USER_ID,
            "createdDate": moment,
            "systemModstamp": moment,
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version),
            "lineEnding": job.line_end,
            "columnDelimiter": job.delimiter,
        }

    def _progress(self, job: Job) -> dict[str, Any]:
        done = job.records if job.state == "JobComplete" else job.records // 2
        shown = {
            "jobType": "V2Query",
            "numberRecordsProcessed": done,
            "retries": 0,
            "totalProcessingTime": 250,
            "isPkChunkingSupported": not job.plan.ordered_or_limited,
        }
        return shown | ({"errorMessage": job.error} if job.error else {})


def _new_file() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _locator(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(locator: str | None, job: Job) -> int:
    if locator is None:
        return 0
    try:
        offset = int(base64.b64decode(locator + "=" * (-len(locator) % 4)))
    except (ValueError, binascii.Error):
        offset = -1
    if not 0 <= offset <= job.records:
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid locator")
    return offset


def _pages(job: Job, start: int, end: int) -> Iterator[bytes]:
    """The header and the lines from `start` to before `end`, in blocks that care for no character's borders."""
    yield job.csv.header()
    place, last = job.ends[start], job.ends[end]
    while place < last and job.lines is not None:
        job.lines.seek(place)
        block = job.lines.read(min(_BLOCK, last - place))
        place += len(block)
        yield block
