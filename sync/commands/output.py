"""Standard output and error output that stop no run: when nobody can read them any more, they are thrown away."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class Output(io.TextIOWrapper):
    """A text stream on a file descriptor; after the first write that fails, everything goes to nowhere."""

    problem: OSError | None = None
    """Why a write failed."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as problem:
            self._give_up(problem)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as problem:
            self._give_up(problem)

    def _give_up(self, problem: OSError) -> None:
        self.problem = self.problem or problem
        # What is still in the buffer is written once more, at the latest when the process ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def take_over() -> None:
    """Put such streams in the place of the process's own, and open those that were closed when it started."""
    # A file that got the number of a closed stream, such as the state store, would be written over by messages.
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(number)
    sys.stdout = sys.__stdout__ = _taken_over(sys.stdout, sys.__stdout__, 1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _taken_over(sys.stderr, sys.__stderr__, 2)  # type: ignore[misc]


def _taken_over(stream: Any, own: Any, number: int) -> Any:
    if stream is None:
        return Output(io.FileIO(number, "w", closefd=False), encoding="utf-8")
    if stream is not own or not isinstance(stream, io.TextIOWrapper) or isinstance(stream, Output):
        return stream
    encoding, errors, line_buffering = stream.encoding, stream.errors, stream.line_buffering
    return Output(stream.detach(), encoding, errors, line_buffering=line_buffering)


def unwritten() -> str | None:
    """Why what a command had to say did not get out; None when it did, or when its reader has left."""
    problem = getattr(sys.stdout, "problem", None)
    return None if problem is None or isinstance(problem, BrokenPipeError) else str(problem.strerror)
