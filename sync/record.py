"""Recording: what the server took, what is rejected, and the cursor behind it, in one transaction each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from connectors.base import Page
from state.values import AcceptedChunk, Entry, Failure, Position, Step
from sync.absence import ABSENT, Sweep
from sync.chunks import Chunk, Outgoing
from sync.due import FETCHED
from sync.flight import Landed
from sync.intake import FEW, SHARE, Intake
from sync.job import Job
from sync.maps.row import PLAIN_SIZE, identity_moved
from sync.memory.errors import DestinationMisconfigured
from sync.memory.settlement import normalise
from sync.memory.writer import ChunkOutcome, Receipt, Refusal
from sync.watermark import Watermark

ROW_S_OWN = frozenset({"CONTENT_TOO_LARGE", "MISSING_IDENTIFIER"})
"""Reasons that lie in a row, whatever the map."""
ALIKE = 3
"""So many chunks at the start of a run without a single row taken: the map is to blame."""


class Recorder:
    """Counts and stores what becomes of rows; the cursor moves over the contiguous accepted prefix only."""

    def __init__(self, job: Job) -> None:
        self._job, self._summary = job, job.summary
        self._watermark = Watermark()
        # What is noted but not stored yet: it stays here when storing fails, so that no cursor ever passes it.
        self._accepted: list[AcceptedChunk] = []
        self._filed: list[Failure] = []
        self._failed: list[Failure] = []
        self._position: Position | None = None
        self._removed: list[str] = []
        self._sweep = Sweep()
        self._sending: dict[int, tuple[Chunk, ChunkOutcome]] = {}
        self._verdict = MapVerdict()
        self._held: list[Refusal] = []

    def enter(self, number: int, page: Page, intake: Intake) -> None:
        """Count a page that was read, and hold its cursor back until its rows are done."""
        summary = self._summary
        filtered = sum(page.filtered.values())
        summary.read += len(intake.rows) + len(intake.rejects) + intake.unchanged + filtered
        summary.unchanged += intake.unchanged
        summary.filtered += filtered
        summary.leave_out(page.filtered)
        for note in page.notes:
            summary.note(note)
        self._miss(page)
        for reject in intake.rejects:
            summary.reject(reject.code)
        self._filed += [Failure(*reject) for reject in intake.rejects]
        if number != FETCHED and not intake.cut:
            self._watermark.open(number, page.cursor, len(intake.rows))

    def _miss(self, page: Page) -> None:
        """Count what is gone from the source, once: nothing is kept of it behind this page."""
        gone = dict(page.gone)
        if page.present or page.swept:
            self._sweep.see(page.present)
        if page.swept:
            gone |= dict.fromkeys(self._sweep.end(self._job.ledger.delivered_keys()), ABSENT)
        if not gone:
            return
        held = self._job.ledger.held(list(gone))
        for key, keys in held.items():
            self._summary.miss(keys, gone[key])
            self._removed += keys

    def record(self, landed: Iterable[Landed] = (), *, last: bool = False) -> None:
        """Store what finished chunks brought, with the newest safe cursor; raises the first problem, after storing.

        Refused rows become rejects once enough rows are answered to tell bad rows from a wrong map, or at the `last`.
        """
        problem: Exception | None = None
        for chunk, outcome in landed:
            found = self._note(chunk, outcome)
            problem = problem or found
        if self._verdict.is_settled or last:
            self._failed += [self._turn_down(refusal) for refusal in self._held]
            self._held = []
        self._store()
        self._job.progress(self._summary)
        if problem is not None:
            raise problem

    def expect(self, chunk: Chunk) -> ChunkOutcome:
        """What becomes of a chunk that is about to be sent, to be filled as it is sent."""
        outcome = ChunkOutcome()
        self._sending[chunk.number] = chunk, outcome
        return outcome

    def on_the_way(self) -> Iterator[Chunk]:
        """The chunks of which nothing is recorded yet, in the order in which they were sent."""
        return (chunk for chunk, _ in self._sending.values())

    def unfinished(self) -> list[Landed]:
        """What came of chunks that nobody waits for any longer: a part of one may have been accepted."""
        return [Landed(chunk, outcome.take(last=True)) for chunk, outcome in self._sending.values()]

    def _note(self, chunk: Chunk, outcome: ChunkOutcome) -> Exception | None:
        """Enter one chunk; returns what keeps the run from going on."""
        self._sending.pop(chunk.number, None)
        refused = [self._job.hash_identity(normalise(refusal.row.identity)) for refusal in outcome.refusals]
        for receipt in outcome.receipts:
            whole = len(receipt.rows) == len(chunk.rows)
            identities = chunk.identities if whole else [normalise(row.identity) for row in receipt.rows]
            self._accepted.append(self._take(receipt, identities, refused))
        self._summary.retries += outcome.retries
        self._summary.duplicates_possible += outcome.duplicates_possible
        if chunk.rows[0].page == FETCHED:  # rows that failed before: they say nothing about the map
            self._failed += [self._turn_down(refusal) for refusal in outcome.refusals]
            return outcome.problem
        self._failed += [self._turn_down(refusal) for refusal in outcome.refusals if not refusal.final]
        misfit = self._verdict.on(outcome)
        if misfit is not None:
            self._held = []
        elif not self._verdict.guilty:
            self._held += [refusal for refusal in outcome.refusals if refusal.final]
        return misfit or outcome.problem

    def _take(self, receipt: Receipt, identities: Sequence[str], refused: Sequence[str]) -> AcceptedChunk:
        hashed = self._job.hash_identity
        keys, _, _, fingerprints, pages, befores, texts = zip(*receipt.rows, strict=True)
        self._summary.sent += len(keys)
        self._summary.accepted += len(keys)
        self._summary.with_text += sum(texts)
        for page, rows in Counter(pages).items():
            self._watermark.done(page, rows)
        leans = [False] * len(keys)
        if any(befores):
            self._summary.move([row.key for row in receipt.rows if identity_moved(row.before, row.fingerprint)])
            leans = [_leans(row) for row in receipt.rows]
        entries = [_new(Entry, one) for one in zip(keys, fingerprints, map(hashed, identities), leans, strict=True)]
        return AcceptedChunk(receipt.event_id, entries, refused)

    def _turn_down(self, refusal: Refusal) -> Failure:
        if refusal.final:
            self._summary.reject(refusal.code)
        else:
            self._summary.sent += 1
            self._summary.failed += 1
        self._watermark.done(refusal.row.page)
        return Failure(refusal.row.key, refusal.code, refusal.message, refusal.final)

    def _store(self) -> None:
        cursor = self._watermark.advance()
        if cursor is not None:
            self._position = replace(self._job.position, cursor=cursor)
        purpose = self._job.purpose if self._position else None
        step = Step(
            accepted=self._accepted,
            rejects=self._filed,
            failed=self._failed,
            purpose=purpose,
            position=self._position,
            destination=self._job.position.destination,
            removed=list(self._removed),
        )
        if not (step.accepted or step.rejects or step.failed or step.removed or step.position):
            return
        self._job.ledger.apply(step)
        if self._position is not None:
            self._summary.cursor_to = self._position.cursor
        self._accepted, self._filed, self._failed, self._position = [], [], [], None
        self._removed = []


_new = tuple.__new__  # a third of the time that the class's own constructor takes


def _leans(row: Outgoing) -> bool:
    return row.before is not None and len(row.fingerprint) > PLAIN_SIZE


class MapVerdict:
    """Tells bad rows from a wrong map: when most rows are refused, a whole source would become rejects."""

    def __init__(self) -> None:
        self.guilty = False
        self._refused = self._answered = self._taken = self._bare = 0

    @property
    def is_settled(self) -> bool:
        """Whether enough rows were answered to hold the rows to blame, not the map."""
        return self._answered >= FEW and not self.guilty

    def on(self, outcome: ChunkOutcome) -> DestinationMisconfigured | None:
        """Count what a chunk brought; the error that blames the map, once it is to blame."""
        if isinstance(outcome.problem, DestinationMisconfigured):
            self.guilty = True
            return outcome.problem
        refused = [refusal for refusal in outcome.refusals if refusal.final and refusal.code not in ROW_S_OWN]
        self._refused += len(refused)
        self._taken += sum(len(receipt.rows) for receipt in outcome.receipts)
        self._answered += len(outcome.refusals) + sum(len(receipt.rows) for receipt in outcome.receipts)
        self._bare += bool(refused and not outcome.receipts)
        too_many = self._answered >= FEW and self._refused > SHARE * self._answered
        alike = self._bare >= ALIKE and not self._taken
        if not refused or not (too_many or alike):
            return None
        self.guilty = True
        return DestinationMisconfigured(
            f"{self._refused} of {self._answered} rows were refused (last: {refused[-1].message}), so the map does not "
            "fit the destination; correct it and run again. From here on no row was rejected"
        )
