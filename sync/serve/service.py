"""The scheduler as a whole: what happens at its start, every few seconds, and at its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from state.errors import StateError
from state.overview import StreamState
from sync.exits import KNOWN_ERRORS
from sync.maps.model import PropertyMap
from sync.notify.teller import Teller
from sync.positions import FULL, INCREMENTAL
from sync.serve.board import Board
from sync.serve.catalog import Catalog
from sync.serve.shared import Shared
from sync.serve.tally import Tally
from sync.serve.timetable import Timetable
from sync.serve.timing import MOST
from sync.stop import Stop, Stopped

TICK = 2.0
"""Seconds between looks at the maps, the clock and what is in doubt."""
LATE_EVERY = 60.0
"""Seconds between looks for streams that are late."""
CUT_SHORT = ("stopped", "killed")
"""How runs end that were not finished: they are made up for at the next start."""


class Service:
    """Keeps the timetable in line with the maps, from one thread, until it is asked to stop."""

    def __init__(
        self,
        catalog: Catalog,
        shared: Shared,
        timetable: Timetable,
        board: Board,
        tally: Tally,
        teller: Teller | None,
        stop: Stop,
    ) -> None:
        self._catalog, self._shared, self._timetable, self._board = catalog, shared, timetable, board
        self._tally, self._teller, self._stop = tally, teller, stop
        self._scheduled: dict[str, PropertyMap] = {}
        self._known: Mapping[str, PropertyMap] = {}
        self._problems: tuple[str, ...] | None = None
        self._looked_for_late = time.monotonic()
        self._log = structlog.get_logger()
        self.ticked = float("inf")
        """When the loop last came round, on the clock of `time.monotonic`; before it begins, it is not expected to."""

    def run(self) -> None:
        """Serve until the stop is set; raises what cannot be waited for at the start."""
        try:
            self._shared.open()
            self._timetable.start()
            self._tick()
            while True:
                self._stop.pause(TICK)
                self._tick()
        except Stopped:
            self._log.info("stopping: nothing new is begun, what was accepted is recorded")
        finally:
            self._timetable.stop()
            self._shared.close()

    def _tick(self) -> None:
        self.ticked = time.monotonic()
        try:
            self._catalog.look()
            if self._catalog.loaded.maps != self._known:
                self._keep_up()
            self._timetable.wake()
            self._shared.mend()
            self._tell_of_maps()
            self._look_for_late()
        except Stopped:
            raise
        except KNOWN_ERRORS as problem:
            self._log.warning(str(problem))
        except Exception as fault:  # the next round may do better; streams go on in any case
            self._log.error("unexpected fault of the scheduler", kind=type(fault).__name__)

    def _keep_up(self) -> None:
        """Bring the timetable in line with the maps; raises StateError, and is tried again then."""
        maps = self._catalog.loaded.maps
        due = {name: one for name, one in maps.items() if one.schedule is not None}
        with self._shared.store() as store:
            store.watch(list(due))
            states = store.overview((INCREMENTAL, FULL), 1)
        for name in sorted(set(self._scheduled) - set(due)):
            self._timetable.remove(name)
            self._log.info("no longer on a schedule", stream=name)
        for name, one in due.items():
            self._put(name, one, states)
        self._scheduled = due
        self._mention_unscheduled(sorted(set(maps) - set(due)))
        self._known = maps

    def _put(self, name: str, one: PropertyMap, states: Mapping[str, StreamState]) -> None:
        before, schedule = self._scheduled.get(name), one.schedule
        if schedule is None or (before is not None and before.schedule == schedule):
            return
        missed = 0 if before is not None else self._missed(one, states.get(name))
        self._tally.know(name)
        self._timetable.put(name, schedule, at_once=missed > 0)
        self._log.info("on its schedule", stream=name, cron=schedule.cron, timezone=schedule.timezone)
        if missed:
            times = f"{MOST} or more" if missed == MOST else str(missed)
            self._log.info("missed while this was not running; one run makes up for it", stream=name, times=times)

    def _missed(self, one: PropertyMap, state: StreamState | None) -> int:
        """How many times of a stream passed since it last began to run; a run that was cut short counts as missed."""
        if state is None or one.schedule is None:
            return 0
        last = state.runs[0] if state.runs else None
        if last is not None and last.status in CUT_SHORT:
            return 1
        since = last.started_at if last is not None else state.since
        if since is None:
            return 0
        trigger = self._timetable.trigger(one.stream, one.schedule)
        return trigger.missed(datetime.fromtimestamp(since, UTC), datetime.now(UTC))

    def _mention_unscheduled(self, names: list[str]) -> None:
        if names and names != [name for name, one in sorted(self._known.items()) if one.schedule is None]:
            hint = 'without `schedule:` in their maps, so never run here; add one such as {cron: "0 * * * *"}'
            self._log.warning(hint, streams=", ".join(names))

    def _tell_of_maps(self) -> None:
        problems = self._catalog.loaded.problems
        if self._teller is not None and problems != self._problems:
            self._problems = problems
            self._teller.maps(problems)

    def _look_for_late(self) -> None:
        if self._teller is None or time.monotonic() - self._looked_for_late < LATE_EVERY:
            return
        self._looked_for_late = time.monotonic()
        for view in self._board.look().streams:
            if view.late is not None:
                try:
                    self._teller.late(view.name, view.late)
                except StateError as problem:
                    self._log.warning(str(problem))
                    return
