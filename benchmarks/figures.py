"""Medians with their range, beside those of whom one is measured against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.contest import Outcome

WIDTHS = (22, 22, 7, 20, 20, 11, 8, 10)
TITLES = ("wall s", "CPU s", "MB", "wall ratio", "CPU ratio", "rows sent", "a call", "rows/s")
FEW = 1_000
"""Rows up to which their rate says nothing."""
HEAD = "".join(f"{title:>{width}}" for title, width in zip(TITLES, WIDTHS, strict=True))


class Figures:
    """What several repeats of the same rounds took, in the order in which they were first noted."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], list[Outcome]] = {}

    def note(self, round_: str, name: str, outcome: Outcome) -> None:
        """Keep one run."""
        self._of.setdefault((round_, name), []).append(outcome)

    def memory(self, round_: str, name: str) -> float:
        """Megabytes at most in any repeat."""
        return max(one.took.memory for one in self._of[round_, name])

    def lines(self, beside: str) -> Iterator[str]:
        """A line for each contestant in each round, with ratios to the contestant `beside` in the same repeat."""
        last = ""
        for (round_, name), found in self._of.items():
            if round_ != last:
                yield round_
            last = round_
            against = [] if name == beside else self._of[round_, beside]
            yield f"  {name:18}{_line(found, against)}".rstrip()


def _line(found: Sequence[Outcome], beside: Sequence[Outcome]) -> str:
    wall, cpu = [one.took.wall for one in found], [one.took.cpu for one in found]
    ratios = ["", ""]
    if beside:
        walls = [one.took.wall / other.took.wall for one, other in zip(found, beside, strict=True)]
        cpus = [one.took.cpu / other.took.cpu for one, other in zip(found, beside, strict=True)]
        ratios = [spread(walls, "x"), spread(cpus, "x")]
    last, sent = found[-1], found[-1].rows
    cells = (
        spread(wall),
        spread(cpu),
        f"{median(one.took.memory for one in found):.0f}",
        *ratios,
        f"{sent:,}",
        f"{sent / last.calls:,.1f}" if last.calls else "",
        f"{sent / median(wall):,.0f}" if sent > FEW else "",
    )
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True))


def spread(values: Sequence[float], unit: str = "") -> str:
    """The median, and the range where there is one."""
    text = f"{median(values):.2f}{unit}"
    return text if len(values) == 1 else f"{text} ({min(values):.2f}-{max(values):.2f})"
