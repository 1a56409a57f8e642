"""The scheduler: which stream is started when, never twice at once. APScheduler is met here and in `timing` only."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from sync.maps.delivery import Schedule
from sync.serve.timing import StreamTrigger, stagger


class Timetable:
    """Starts streams when they are due, at most `parallel` at once; the others wait in a queue."""

    def __init__(
        self, run: Callable[[str], None], parallel: int, jitter: float, skipped: Callable[[str], None]
    ) -> None:
        self._run, self._jitter, self._skipped = run, jitter, skipped
        self._pool, self._ending = _Pool(parallel), False
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it tells of every job; runs tell of themselves
        self._scheduler = BackgroundScheduler(
            executors={"default": _Executor(self._pool)},
            # A run that is late, however much, is better than none; several that were missed are one.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._scheduler.add_listener(self._on_skip, EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        """Begin to start what is due."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start nothing more, and wait until the runs under way have ended."""
        self._ending = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._pool.shutdown(wait=True)

    def put(self, stream: str, schedule: Schedule, *, at_once: bool = False) -> None:
        """Start a stream on its schedule from now on, and at once if it missed a time."""
        trigger, now = self.trigger(stream, schedule), datetime.now(UTC)
        first = now if at_once else trigger.after(now)
        self._scheduler.add_job(
            self._start, trigger, args=[stream], id=stream, name=stream, replace_existing=True, next_run_time=first
        )

    def remove(self, stream: str) -> None:
        """Do not start a stream any more; a run under way goes on."""
        if self._scheduler.get_job(stream) is not None:
            self._scheduler.remove_job(stream)

    def trigger(self, stream: str, schedule: Schedule) -> StreamTrigger:
        """The times of a stream, with its share of the jitter."""
        return StreamTrigger(schedule, stagger(stream, self._jitter))

    def next_runs(self) -> dict[str, float]:
        """When each stream is due next, as seconds since 1970."""
        jobs = self._scheduler.get_jobs()
        return {job.id: job.next_run_time.timestamp() for job in jobs if getattr(job, "next_run_time", None)}

    def wake(self) -> None:
        """Look at the clock again: it may have jumped, and a machine that slept counted no seconds."""
        if self._scheduler.running:
            self._scheduler.wakeup()

    @property
    def queued(self) -> int:
        """How many streams are due and wait for a free place."""
        return self._pool.waiting

    def _start(self, stream: str) -> None:
        # Those that wait are not cancelled: APScheduler cannot stand that.
        if not self._ending:
            self._run(stream)

    def _on_skip(self, event: JobSubmissionEvent) -> None:
        self._skipped(event.job_id)


class _Executor(BasePoolExecutor):  # type: ignore[misc]
    """APScheduler's way to a pool of ours."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        super().__init__(pool)


class _Pool(ThreadPoolExecutor):
    """Threads for runs, and how many runs wait for one."""

    def __init__(self, places: int) -> None:
        super().__init__(places, thread_name_prefix="run")
        self.waiting = 0
        self._count_lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self._add(1)

        def begin() -> Any:
            self._add(-1)
            return fn(*args, **kwargs)

        return super().submit(begin)

    def _add(self, number: int) -> None:
        with self._count_lock:
            self.waiting += number
