"""The numbers in Prometheus's text format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from sync import __version__
from sync.serve.board import Picture, StreamView
from sync.serve.tally import BUCKETS, Counts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, Mapping[str, str], float]
"""What is put behind the metric's name, labels, value."""


def exposition(picture: Picture, started: float) -> bytes:
    """All metrics of a picture; `started`: when this process began, as seconds since 1970."""
    blocks = [
        _block("memsync_info", "gauge", "The version of memsync.", [("", {"version": __version__}, 1)]),
        _block("memsync_start_time_seconds", "gauge", "When this process began to serve.", [("", {}, started)]),
        _block("memsync_ready", "gauge", "Whether store, destination and maps can be used.",
               [("", {}, int(not picture.problems))]),
        _block("memsync_map_problems", "gauge", "Problems of property maps.", [("", {}, len(picture.map_problems))]),
        _block("memsync_queued_runs", "gauge", "Streams that are due and wait for a place.",
               [("", {}, picture.queued)]),
        *_counters(picture.counts),
        *_gauges(picture.streams),
    ]  # fmt: skip
    return "".join(blocks).encode()


def _counters(counts: Mapping[str, Counts]) -> list[str]:
    rows = [("", {"stream": s, "outcome": o}, n) for s, found in counts.items() for o, n in found.rows.items()]
    runs = [("", {"stream": s, "status": w}, n) for s, found in counts.items() for w, n in sorted(found.runs.items())]
    return [
        _block("memsync_rows_total", "counter", "Rows by what became of them.", rows),
        _block("memsync_runs_total", "counter", "Runs that ended, by status.", runs),
        _block("memsync_runs_skipped_total", "counter", "Runs left out because the one before was under way.",
               [("", {"stream": s}, found.skipped) for s, found in counts.items()]),
        _block("memsync_calls_total", "counter", "Calls to the memory API.",
               [("", {"stream": s}, found.calls) for s, found in counts.items()]),
        _block("memsync_rate_limited_total", "counter", "Calls that were answered 429.",
               [("", {"stream": s}, found.limited) for s, found in counts.items()]),
        _block("memsync_run_duration_seconds", "histogram", "How long runs took.",
               [sample for s, found in counts.items() for sample in _histogram(s, found)]),
    ]  # fmt: skip


def _histogram(stream: str, found: Counts) -> Iterable[Sample]:
    for bound, runs in zip((*(f"{bound:g}" for bound in BUCKETS), "+Inf"), found.durations, strict=True):
        yield "_bucket", {"stream": stream, "le": bound}, runs
    yield "_sum", {"stream": stream}, found.seconds
    yield "_count", {"stream": stream}, found.durations[-1]


def _gauges(views: Iterable[StreamView]) -> list[str]:
    views = list(views)

    def each(name: str, words: str, values: Iterable[float | None]) -> str:
        pairs = zip(views, values, strict=True)
        return _block(name, "gauge", words, [("", {"stream": v.name}, n) for v, n in pairs if n is not None])

    reasons = [("", {"stream": v.name, "reason": r}, n) for v in views for r, n in sorted(v.state.rejects.items())]
    return [
        each("memsync_lag_seconds", "Seconds since the start of the last run that read everything.",
             [v.lag for v in views]),
        each("memsync_last_success_timestamp_seconds", "When the last such run ended.",
             [v.state.success_ended for v in views]),
        each("memsync_next_run_timestamp_seconds", "When the stream is due next.", [v.next_run for v in views]),
        each("memsync_running", "Whether a run is under way.", [int(v.state.running is not None) for v in views]),
        each("memsync_late", "Whether the stream is less fresh than its schedule promises.",
             [int(v.late is not None) for v in views]),
        each("memsync_unsettled_events", "Accepted chunks whose event has not ended.",
             [v.state.unsettled_events for v in views]),
        each("memsync_unsettled_rows", "Rows of those chunks.", [v.state.unsettled_rows for v in views]),
        each("memsync_due_again_rows", "Rows that failed and are sent again.", [v.state.due_again for v in views]),
        _block("memsync_rejects", "gauge", "Rows that could not be delivered, by reason.", reasons),
    ]  # fmt: skip


def _block(name: str, kind: Literal["gauge", "counter", "histogram"], words: str, samples: Iterable[Sample]) -> str:
    lines = [f"{name}{suffix}{_labels(labels)} {_number(value)}" for suffix, labels, value in samples]
    return "\n".join([f"# HELP {name} {words}", f"# TYPE {name} {kind}", *lines]) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
