"""The sandbox in a process of its own, so that its work is not counted as somebody else's."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from sync.sandbox.options import SandboxOptions
from sync.sandbox.server import Sandbox


@contextmanager
def sandbox_process(options: SandboxOptions) -> Iterator[str]:
    """Run a sandbox in another process; yields its URL, and ends it afterwards."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(options, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("stop")
        process.join(timeout=5)
        process.terminate()
        process.close()


def _serve(options: SandboxOptions, pipe: Connection) -> None:
    with Sandbox(options) as sandbox:
        pipe.send(sandbox.url)
        pipe.recv()
