"""`memsync` with its threads sampled: `python -m benchmarks.sampled FILE run ...` writes what it found to FILE.

As JSON: `cpu`, seconds of the process; `before`, of its start; `rows`, each a Place, seconds of CPU and of waiting.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import NamedTuple

PERIOD = 0.005
ROOT = f"{Path(__file__).parent.parent}/"
IMPORTING = "<frozen importlib._bootstrap>"
_clock_of = getattr(time, "pthread_getcpuclockid", None)  # macOS has none: there, waiting counts as CPU


class Place(NamedTuple):
    """Where a thread was found."""

    thread: str
    file: str
    """Of the innermost function of memsync: relative; `<string>` is what maps are compiled to; empty: none."""
    function: str
    leaf: str


class Sampler(threading.Thread):
    """Looks at every other thread; what it gained since the last look goes to where it is found."""

    def __init__(self) -> None:
        super().__init__(name="sampler", daemon=True)
        self.found: defaultdict[Place, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.done = threading.Event()
        self._clocks: dict[int, int] = {}
        self._last: dict[int, float] = {}

    def run(self) -> None:
        last = time.perf_counter()
        while not self.done.wait(PERIOD):
            now = time.perf_counter()
            self._look(now - last)
            last = now

    def _look(self, passed: float) -> None:
        names = {one.ident: one.name for one in threading.enumerate()}
        for ident, frame in sys._current_frames().items():
            if ident == self.ident or ident not in names:
                continue
            gained = self._gain(ident, passed)
            entry = self.found[place_of(names[ident], frame)]
            entry[0] += gained
            entry[1] += max(0.0, passed - gained)

    def _gain(self, ident: int, passed: float) -> float:
        """Seconds of CPU since the thread was seen last; those before the first look are unknown."""
        if _clock_of is None:
            return passed
        try:
            if ident not in self._clocks:
                self._clocks[ident] = _clock_of(ident)
            now = time.clock_gettime(self._clocks[ident])
        except OSError:  # that thread has ended; another one has its number now
            self._clocks.pop(ident, None)
            self._last[ident] = 0.0
            return 0.0
        gained = now - self._last.get(ident, now)
        self._last[ident] = now
        return gained


def place_of(thread: str, frame: FrameType) -> Place:
    """The innermost function of all and of memsync on a stack."""
    leaf = f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"
    file = function = ""
    at: FrameType | None = frame
    while at is not None:
        code = at.f_code
        if code.co_filename == IMPORTING:
            return Place(thread, IMPORTING, "", "import")
        own = code.co_filename.startswith(ROOT) or (code.co_filename == "<string>" and code.co_name[0] not in "_<")
        if own and not file and "/site-packages/" not in code.co_filename:
            file, function = code.co_filename.removeprefix(ROOT), code.co_qualname
        at = at.f_back
    return Place(thread, file, function, leaf)


def main() -> None:
    """Run the command, then write down what was found."""
    file, started, sampler = Path(sys.argv.pop(1)), time.process_time(), Sampler()
    sampler.start()
    try:
        from sync.__main__ import main as memsync

        memsync()
    finally:
        sampler.done.set()
        sampler.join()
        rows = [[*place, *seconds] for place, seconds in sampler.found.items()]
        file.write_text(json.dumps({"before": started, "cpu": time.process_time(), "rows": rows}))


if __name__ == "__main__":
    main()
