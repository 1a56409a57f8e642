"""Running one stream because it is due: on shared surroundings, counted, logged and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from state.errors import StateError
from sync import exits
from sync.guards import BUDGET, UNCONFIRMED
from sync.maps.model import PropertyMap
from sync.notify.teller import Teller
from sync.request import Request, Surroundings
from sync.run import run_stream
from sync.serve.gate import Gate, GatedTransport, own_client
from sync.serve.shared import Shared
from sync.serve.tally import Tally
from sync.stop import Stop, Stopped
from sync.summary import Summary

WAIT, SHORT_WAIT = 120.0, 5.0
"""Seconds for which a run follows its events: alone, and while others wait for its place."""
_SHARED = {exits.DESTINATION: True, exits.STORE: True, exits.MISCONFIGURED: False, exits.QUOTA: False}
"""Ends of runs that may come from what all share, and whether they say that it cannot be used at all."""
_SHOWN = ("read", "filtered", "unchanged", "sent", "settled", "rejected", "failed", "gone", "waiting", "calls")


class Runner:
    """Runs streams by name; called from several threads."""

    def __init__(
        self,
        find: Callable[[str], PropertyMap | None],
        shared: Shared,
        gate: Gate,
        tally: Tally,
        teller: Teller | None,
        stop: Stop,
        queued: Callable[[], int],
        warn: Callable[[str], None],
    ) -> None:
        self._find, self._shared, self._gate, self._tally = find, shared, gate, tally
        self._teller, self._stop, self._queued, self._warn = teller, stop, queued, warn
        self._log = structlog.get_logger()

    def run(self, stream: str) -> None:
        """Run a stream to its end; never raises: others are to run after it."""
        try:
            self._run(stream)
        except Stopped:
            return
        except StateError as problem:
            self._log.error("run not possible", stream=stream, message=str(problem))
        except Exception as fault:
            # Nobody knows what its message holds, so only its kind is shown.
            self._log.error("unexpected fault around a run", stream=stream, kind=type(fault).__name__)

    def _run(self, stream: str) -> None:
        found = self._find(stream)
        if found is None or self._stop.is_set:
            return
        self._tally.begin(stream)
        with self._shared.borrow() as around:
            own = self._own(stream, around)
            request = Request(command="run", wait=SHORT_WAIT if self._queued() else WAIT)
            summary = run_stream(found, request, own)
            self._learn(around, own, summary)
        self._tally.end(summary)
        self._say(summary)
        if self._teller is not None:
            self._teller.after_run(summary)

    def _own(self, stream: str, around: Surroundings) -> Surroundings:
        """The surroundings with a client of this run's own, whose calls are counted and find their place."""
        shared = around.destination
        transport = GatedTransport(shared.http, self._gate, lambda status: self._tally.call(stream, status))
        client = own_client(shared.client, transport, self._warn)
        return replace(around, destination=replace(shared, client=client), progress=self._tally.see)

    def _learn(self, around: Surroundings, own: Surroundings, summary: Summary) -> None:
        """Hand on what this run found out about what all share."""
        shared, mine = around.destination.client, own.destination.client
        shared.exhausted = shared.exhausted or mine.exhausted
        shared.doubtful = shared.doubtful and mine.doubtful
        if summary.exit in _SHARED and summary.status not in (BUDGET, UNCONFIRMED):  # those are the stream's own
            self._shared.doubt(summary.message if _SHARED[summary.exit] else None)

    def _say(self, summary: Summary) -> None:
        numbers = {name: getattr(summary, name) for name in _SHOWN if getattr(summary, name)}
        well = summary.exit in (exits.OK, exits.REJECTS)
        tell = (
            self._log.info
            if well
            else self._log.warning
            if summary.status in ("held", "stopped", BUDGET)
            else self._log.error
        )
        said = {"message": summary.message} if summary.message else {}
        tell("run ended", stream=summary.stream, status=summary.status, exit=summary.exit, seconds=summary.seconds,
             **numbers, **said)  # fmt: skip
        skipped = self._tally.skipped_meanwhile(summary.stream)
        if skipped:
            self._log.warning("due again while its run was under way; left out", stream=summary.stream, times=skipped)
        for note in summary.notes:
            self._log.info("note", stream=summary.stream, message=note)
