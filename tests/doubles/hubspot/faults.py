"""Failures as a test scripts them: the next matching calls get another answer, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .answers import Answer


@dataclass
class Fault:
    """What happens to the next `times` calls that match, after `skip` of them were answered as usual."""

    pattern: str
    """"POST /crm/v3/objects/contacts/search", with * for any text, or the kind of call such as "search"."""
    answer: Answer | None = None
    drop: bool = False
    """The connection ends without an answer."""
    cut: bool = False
    """The answer ends in the middle of its body."""
    silent: bool = False
    """No answer comes, and the connection stays open."""
    action: Callable[[], object] | None = None
    """Done before the usual answer is made, such as a change by somebody else."""
    late: float = 0.0
    """Seconds until the usual answer is begun."""
    times: int = 1
    """-1 is for ever."""
    skip: int = 0

    def matches(self, method: str, path: str, kind: str) -> bool:
        return self.pattern == kind or fnmatchcase(f"{method} {path}", self.pattern)


class Faults:
    """The faults that are still to come, in their order."""

    def __init__(self) -> None:
        self.coming: list[Fault] = []

    def next(self, method: str, path: str, kind: str) -> Fault | None:
        """What befalls this call; a fault that is used up is forgotten."""
        for fault in self.coming:
            if not fault.matches(method, path, kind):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times == 0:
                self.coming.remove(fault)
            return fault
        return None
