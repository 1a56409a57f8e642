"""Everything that can be seen of the streams at one moment: what the page, the metrics and the checks show."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from state.overview import StreamState
from sync.maps.model import PropertyMap
from sync.serve.catalog import Catalog
from sync.serve.freshness import complaint
from sync.serve.glance import Glance
from sync.serve.shared import Shared
from sync.serve.tally import Counts, Tally
from sync.serve.timetable import Timetable
from sync.serve.timing import stagger


@dataclass(frozen=True, slots=True)
class StreamView:
    """One stream: its map, what the store knows, and when it is due."""

    map: PropertyMap
    state: StreamState
    next_run: float | None
    late: str | None
    """Why it is not as fresh as it should be; None when it is."""
    lag: float | None
    """Seconds since the start of the last run that read everything: older changes are in memory, or filed."""

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.map.stream

    @property
    def status(self) -> str:
        """How its newest run stands: running, ok, rejects, failed, quota, held, stopped, killed; or never."""
        return self.state.runs[0].status if self.state.runs else "never"


@dataclass(frozen=True, slots=True)
class Picture:
    """All streams at one moment."""

    at: float
    streams: Sequence[StreamView]
    counts: Mapping[str, Counts]
    map_problems: Sequence[str]
    trouble: str | None
    """Why store or destination cannot be used."""
    queued: int
    others: int
    """Streams that the store knows and that have no map."""

    @property
    def problems(self) -> list[str]:
        """Why this process is not ready."""
        return [*([self.trouble] if self.trouble else []), *(() if self.streams else ["no property map is loaded"])]


class Board:
    """Looks at maps, store, timetable and counters; a store that is away leaves its last known state."""

    def __init__(
        self,
        catalog: Catalog,
        shared: Shared,
        timetable: Timetable,
        tally: Tally,
        age: float,
        jitter: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._catalog, self._shared, self._timetable, self._tally = catalog, shared, timetable, tally
        self._age, self._jitter, self._clock = age, jitter, clock
        self._glance = Glance(shared.store, shared.doubt)

    def look(self) -> Picture:
        """The picture now."""
        seen = self._glance.look()
        states = seen.states
        now, loaded, due = self._clock(), self._catalog.loaded, self._timetable.next_runs()
        views = [self._view(one, states, due, now) for _, one in sorted(loaded.maps.items())]
        return Picture(
            at=now,
            streams=views,
            counts=self._tally.counts(),
            map_problems=loaded.problems,
            trouble=self._shared.problem or seen.away,
            queued=self._timetable.queued,
            others=len(set(states) - set(loaded.maps)),
        )

    def _view(
        self, one: PropertyMap, states: Mapping[str, StreamState], due: Mapping[str, float], now: float
    ) -> StreamView:
        state = states.get(one.stream) or StreamState(one.stream)
        later = stagger(one.stream, self._jitter).total_seconds()
        late = complaint(state, one.schedule, self._age, now, later) if one.schedule and states else None
        lag = None if state.success_started is None else max(0.0, now - state.success_started)
        return StreamView(one, state, due.get(one.stream), late, lag)
