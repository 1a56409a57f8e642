"""Recording: what the server took, what is rejected, and the cursor behind it, in one transaction each time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connectors.base import Page
from state.values import AcceptedChunk, Entry, Failure, Step
from sync.chunks import Chunk
from sync.due import FETCHED
from sync.flight import Landed
from sync.intake import Intake
from sync.job import Job
from sync.memory.errors import DestinationMisconfigured
from sync.memory.settlement import normalise
from sync.memory.writer import ChunkOutcome, Receipt, Refusal
from sync.watermark import Watermark

FEW = 50
"""Answered rows below which the share of refused ones says nothing."""
SHARE = 0.2
"""The share of refused rows from which on the map is to blame."""
ALIKE = 3
"""So many chunks at the start of a run without a single row taken: the map is to blame."""


class Recorder:
    """Counts and stores what becomes of rows; the cursor moves over the contiguous accepted prefix only."""

    def __init__(self, job: Job) -> None:
        self._job, self._summary = job, job.summary
        self._watermark = Watermark()
        self._filed: list[Failure] = []
        self.removed: list[str] = []
        self._refused = self._answered = self._bare = 0

    def enter(self, number: int, page: Page, intake: Intake) -> None:
        """Count a page that was read, and hold its cursor back until its rows are done."""
        summary = self._summary
        summary.read += len(intake.rows) + len(intake.rejects) + intake.unchanged + page.filtered
        summary.unchanged += intake.unchanged
        summary.filtered += page.filtered
        summary.gone += page.gone
        for reject in intake.rejects:
            summary.reject(reject.code)
        self._filed += [Failure(*reject) for reject in intake.rejects]
        if number != FETCHED and not intake.cut:
            self._watermark.open(number, page.cursor, len(intake.rows))

    def record(self, landed: Iterable[Landed] = ()) -> None:
        """Store what finished chunks brought, with the newest safe cursor; raises the first problem, after storing."""
        accepted: list[AcceptedChunk] = []
        failed: list[Failure] = []
        problem: Exception | None = None
        for chunk, outcome in landed:
            problem = problem or self._check_map(chunk, outcome) or outcome.problem
            accepted += [self._take(receipt) for receipt in outcome.receipts]
            if not isinstance(problem, DestinationMisconfigured):
                failed += [self._turn_down(refusal) for refusal in outcome.refusals]
            self._summary.retries += outcome.retries
            self._summary.duplicates_possible += outcome.duplicates_possible
        self._store(accepted, failed)
        self._job.progress(self._summary)
        if problem is not None:
            raise problem

    def _take(self, receipt: Receipt) -> AcceptedChunk:
        hashed = self._job.hash_identity
        self._summary.sent += len(receipt.rows)
        self._summary.accepted += len(receipt.rows)
        for row in receipt.rows:
            self._watermark.done(row.page)
        entries = [Entry(row.key, row.fingerprint, hashed(normalise(row.identity))) for row in receipt.rows]
        return AcceptedChunk(receipt.event_id, entries)

    def _turn_down(self, refusal: Refusal) -> Failure:
        if refusal.final:
            self._summary.reject(refusal.code)
        else:
            self._summary.sent += 1
            self._summary.failed += 1
        self._watermark.done(refusal.row.page)
        return Failure(refusal.row.key, refusal.code, refusal.message, refusal.final)

    def _check_map(self, chunk: Chunk, outcome: ChunkOutcome) -> DestinationMisconfigured | None:
        """Blame the map when most rows are refused, instead of rejecting a whole source."""
        refused = [refusal for refusal in outcome.refusals if refusal.final]
        self._refused += len(refused)
        self._answered += len(outcome.refusals) + sum(len(receipt.rows) for receipt in outcome.receipts)
        self._bare = (
            self._bare + 1 if refused and not outcome.receipts and chunk.number == self._bare + 1 else self._bare
        )
        too_many = self._answered >= FEW and self._refused > SHARE * self._answered
        if not refused or not (too_many or self._bare >= ALIKE):
            return None
        return DestinationMisconfigured(
            f"{self._refused} of {self._answered} rows were refused (last: {refused[-1].message}), so the map does not "
            "fit the destination; correct it and run again, these rows were not rejected"
        )

    def _store(self, accepted: list[AcceptedChunk], failed: list[Failure]) -> None:
        cursor = self._watermark.advance()
        position = None
        if cursor is not None:
            position = replace(self._job.position, cursor=cursor)
            self._summary.cursor_to = cursor
        if accepted or failed or self._filed or self.removed or position:
            purpose = self._job.purpose if position else None
            self._job.ledger.apply(Step(accepted, self._filed, failed, purpose, position, list(self.removed)))
        self._filed = []
        self.removed.clear()
