"""A terminal for commands that ask: a pseudo terminal on which questions are awaited and answers are typed."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OWNER = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the command's own, so that Ctrl-C reaches it, also where the tests themselves ignore it."""
INTERRUPT = "\x03"
AGAIN = 5.0
"""Seconds until Ctrl-C is typed again: between showing a question and reading, Python sleeps through the first one."""
PATIENCE = 60.0
"""Seconds for one question to come: only a command that hangs is waited for that long."""


class Terminal:
    """A command on a terminal; `screen` is what a person would have seen, answers included."""

    def __init__(self, command: list[str], folder: Path, variables: Mapping[str, str]) -> None:
        self._mine, theirs = pty.openpty()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OWNER, *command],
            cwd=folder,
            env=dict(variables),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.screen = self._typed = ""
        self._seen = 0

    def answer(self, question: str, text: str) -> None:
        """Wait until a question stands there, then type; raises AssertionError where it does not come."""
        self.wait_for(question)
        if "(not shown)" in question:
            self._until_hidden()
        os.write(self._mine, text.encode() + (b"" if text == INTERRUPT else b"\n"))
        self._typed = text

    def wait_for(self, text: str) -> None:
        """Wait until this text has come since the last answer."""
        limit = time.monotonic() + PATIENCE
        while text not in self.screen[self._seen :]:
            assert time.monotonic() < limit, f"{text!r} did not come; the screen shows:\n{self.screen}"
            assert self._read(0.1), f"the command ended before {text!r} came:\n{self.screen}"
        self._seen += self.screen[self._seen :].index(text) + len(text)

    def _until_hidden(self) -> None:
        """What is typed before the echo is off would be shown, or thrown away."""
        limit = time.monotonic() + PATIENCE
        while termios.tcgetattr(self._mine)[3] & termios.ECHO:
            assert time.monotonic() < limit, "the terminal still shows what is typed"
            time.sleep(0.01)

    def _read(self, seconds: float) -> bool:
        """Take in what was written; False once the command has ended and all was read."""
        ready, _, _ = select.select([self._mine], [], [], seconds)
        if not ready:
            return True
        try:
            found = os.read(self._mine, 65536)
        except OSError:  # the other end is closed
            return False
        self.screen += _STEERING.sub("", self._decoder.decode(found)).replace("\r\n", "\n")
        return bool(found)

    def end(self) -> int:
        """Read the rest; returns the exit code."""
        limit, again = time.monotonic() + PATIENCE, time.monotonic() + AGAIN
        while self._read(0.1):
            assert time.monotonic() < limit, f"the command did not end; the screen shows:\n{self.screen}"
            if self._typed == INTERRUPT and time.monotonic() > again:
                os.write(self._mine, INTERRUPT.encode())
                again += AGAIN
        return self._process.wait(timeout=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._mine)
