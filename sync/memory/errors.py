"""What can go wrong at the destination, named by what the caller does next.

DestinationError            root
  DestinationMisconfigured  change a variable or the map
    NotFound                the server does not know this path or this thing
  DestinationRefused        change the key: the server does not let it in
  RateLimited               wait `retry_after` seconds and call again
  QuotaExhausted            stop cleanly and go on in another month, or with more credits
    CallsSpent              the run may make no more calls: the next one goes on
  ChunkRefused              the rows are at fault: split them
  DestinationUnavailable    wait and call again; `ambiguous` says whether the call may have been carried out
    AnswerTooLarge          ask for less at once
"""

from __future__ import annotations


class DestinationError(Exception):
    """Something about the destination."""


class DestinationMisconfigured(DestinationError):
    """A variable or the map does not fit the destination."""


class NotFound(DestinationMisconfigured):
    """The server answered 404 or 410."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
        """The server's own name for it: `RECORD_NOT_FOUND` is about a record, not about a path."""


class DestinationRefused(DestinationError):
    """The server does not accept the key, or the key may not do this."""


class RateLimited(DestinationError):
    """The per-minute limit was hit: wait `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float | None, limit: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds; None when the server did not say anything usable."""
        self.limit = limit


class QuotaExhausted(DestinationError):
    """The month's calls or the credits are used up: waiting is useless."""


class CallsSpent(QuotaExhausted):
    """The run made all the calls that it was given."""


class ChunkRefused(DestinationError):
    """The server refused the body of a call; the same body will be refused again."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class DestinationUnavailable(DestinationError):
    """The call did not get a usable answer."""

    def __init__(self, message: str, *, ambiguous: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous
        """Whether the server may have carried the call out."""
        self.retry_after = retry_after


class AnswerTooLarge(DestinationUnavailable):
    """The answer is longer than any that is taken: ask for less at once."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ambiguous=True)
