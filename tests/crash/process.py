"""Runs of memsync as processes of their own, in milliseconds: one process imports everything and then only forks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PAUSES = 0.05
"""Pauses are this much shorter than in life. What happens before and after them is not changed."""


@dataclass(frozen=True)
class Job:
    """One run: where, with which variables, how it ends early, and in which way memsync is broken."""

    folder: str
    variables: dict[str, str]
    arguments: list[str]
    failpoint: str = ""
    hit: int = 1
    mutant: str = ""


@dataclass
class Forks:
    """The process that forks. `running` is the run of the moment."""

    running: int = 0
    _process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Forks:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crash.process"],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=20)

    def run(self, job: Job, after: float | None = None, number: int = signal.SIGKILL) -> int:
        """Run to the end, killed `after` so many seconds if given; returns the exit code, negative for a signal."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        self.running = int(self._process.stdout.readline())
        timer = threading.Timer(after, self.kill, (number,)) if after is not None else None
        if timer is not None:
            timer.start()
        code = int(self._process.stdout.readline())
        self.running = 0
        if timer is not None:
            timer.cancel()
            timer.join()
        return code

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the run of the moment."""
        running = self.running
        if running:
            try:
                os.kill(running, number)
            except ProcessLookupError:
                return


def serve() -> None:
    """Fork for every job on standard input; two lines are printed for each: the process, and how it ended."""
    import connectors

    connectors.__path__.append(str(Path(__file__).parent / "sources"))
    _import_what_a_run_needs()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be(Job(**json.loads(line)))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _import_what_a_run_needs() -> None:
    for name in (
        "sqlalchemy.dialects.postgresql.psycopg",
        "sqlalchemy.dialects.sqlite.pysqlite",
        "connectors.shelf",
        "crash.mutants",
        "sync.commands.run",
        "sync.commands.backfill",
    ):
        import_module(name)


def _be(job: Job) -> None:
    """Become the run; never returns."""
    code = 1
    try:
        os.chdir(job.folder)
        os.environ.update(job.variables)
        out = os.open("out.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        err = os.open("err.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, err)):
            os.dup2(source, target)
        code = _run(job)
    finally:
        os._exit(code)


def _run(job: Job) -> int:
    from crash.failpoints import arm
    from crash.mutants import MUTANTS
    from sync.__main__ import main

    _shorten_pauses()
    if job.mutant:
        MUTANTS[job.mutant]()
    if job.failpoint:
        arm(job.failpoint, job.hit)
    try:
        main(job.arguments)
    except SystemExit as end:
        sys.stdout.flush()
        return end.code if isinstance(end.code, int) else 1
    return 1


def _shorten_pauses() -> None:
    from crash.failpoints import wrap

    constants: dict[str, Any] = {
        "sync.memory.writer:AMBIGUOUS_PAUSE": 0.5,
        "sync.memory.writer:LONGEST_PAUSE": 1.0,
        "sync.follow:FIRST": 0.02,
        "sync.follow:LONGEST": 0.1,
        "sync.follow:VANISHED_AFTER": 0.3,
        "state.delivery:FIRST_POLL": 0.0,
        "sync.aside:SHARE": 0.5,
        "sync.aside:_NOTHING_DUE": 0.01,
    }
    for name, value in constants.items():
        module, _, attribute = name.partition(":")
        wrap(module, attribute, lambda _, value=value: value)  # type: ignore[misc]
    wrap("sync.stop", "Stop.pause", lambda pause: lambda self, seconds: pause(self, seconds * PAUSES))
    wrap("state.store", "Store.postpone", lambda wait: lambda self, name, seconds: wait(self, name, seconds * PAUSES))


if __name__ == "__main__":
    serve()
