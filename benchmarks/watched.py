"""A sandbox that notes every call with its times, and `memsync run` against it in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sync.sandbox import Sandbox, SandboxOptions
from sync.sandbox.answers import Answer, Request

TOO_MANY = 429
MEMSYNC = (str(Path(sys.executable).with_name("memsync")),)


class Call(NamedTuple):
    """One call as the server saw it; seconds of one clock, rows (0 where it was no batch), and bytes."""

    arrived: float
    ended: float
    path: str
    status: int
    rows: int
    size: int


class Watched(Sandbox):
    """A sandbox with a log of its calls, in the order of their answers."""

    def __init__(self, options: SandboxOptions) -> None:
        super().__init__(options)
        self.log: list[Call] = []

    def _respond(self, request: Request) -> Answer:
        arrived = time.monotonic()
        answer = super()._respond(request)
        rows = len(orjson.loads(request.body)["rows"]) if request.method == "POST" else 0
        self.log.append(Call(arrived, time.monotonic(), request.path, answer.status, rows, len(request.body)))
        return answer

    @property
    def batches(self) -> list[Call]:
        """The calls that carried rows and were accepted."""
        return [call for call in self.log if call.rows and call.status != TOO_MANY]

    @property
    def refused(self) -> int:
        """How many calls were answered 429."""
        return sum(call.status == TOO_MANY for call in self.log)


def most_within(moments: Sequence[float], seconds: float) -> int:
    """The most of these moments that lie within any such span."""
    ordered, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with maps and a state store, in which `memsync run` is started; `variables` go to the process."""

    folder: Path
    variables: dict[str, str]

    @staticmethod
    def at(folder: Path, sandbox: Sandbox, **variables: str) -> Place:
        """A new folder whose runs go to this sandbox."""
        folder.mkdir()
        (folder / "mappings").mkdir()
        to = {"PERSONIZE_BASE_URL": sandbox.url, "PERSONIZE_SECRET_KEY": "sk_test_bench"}
        to["PERSONIZE_API_VERSION"] = "v1.1"
        return Place(folder, to | variables)

    def write_map(self, text: str, name: str = "bench") -> None:
        """Put a property map into the folder."""
        (self.folder / "mappings" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def start(self, *arguments: str, memsync: Sequence[str] = MEMSYNC) -> subprocess.Popen[str]:
        """Start a run and do not wait for it."""
        command = [*memsync, "run", "--json", "--yes", "--wait", "0s", *arguments]
        pipe, variables = subprocess.PIPE, os.environ | self.variables
        return subprocess.Popen(command, cwd=self.folder, env=variables, stdout=pipe, stderr=pipe, text=True)


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a run and return its stream's summary; one that fails ends the benchmark."""
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"{process.args!r} ended with {process.returncode}: {err[-2000:]}")
    found: dict[str, Any] = json.loads(out)["streams"][0]
    return found
