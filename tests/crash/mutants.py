"""Memsync, broken on purpose in eight ways: the crash suite must notice each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crash.failpoints import wrap
from state.keyed import remember
from state.values import Entry
from sync.memory.errors import DestinationUnavailable
from sync.watermark import Watermark


def cursor_at_the_maximum() -> None:
    """The cursor goes to the newest page of which everything is done, whatever lies before it."""

    def advance(self: Watermark) -> Mapping[str, Any] | None:
        done = [page for page, (_, outstanding) in self._pages.items() if outstanding <= 0]
        return self._pages.pop(max(done))[0] if done else None

    wrap("sync.watermark", "Watermark.advance", lambda _: advance)


def settle_on_accept() -> None:
    """An accepted call counts as stored, whatever its items or its event say."""
    wrap("sync.follow", "failures_of", lambda _: lambda entries, found, hashed: [])


def in_flight_skipped() -> None:
    """The cursor moves behind what was read: a restart does not see what was in flight."""

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, page, cursor, outstanding: original(self, page, cursor, 0)

    wrap("sync.watermark", "Watermark.open", around)


def transport_error_swallowed() -> None:
    """A call without a usable answer counts as accepted."""

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, rows: Any, outcome: Any) -> Any:
            try:
                return original(self, rows, outcome)
            except DestinationUnavailable:
                return {"eventId": "event-0"}

        return call

    wrap("sync.memory.writer", "BatchWriter._call", around)
    wrap("sync.memory.writer", "ATTEMPTS", lambda _: 1)  # type: ignore[arg-type, return-value]


def fingerprint_before_acceptance() -> None:
    """What is about to be sent is entered as delivered."""

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        def launch(job: Any, chunk: Any, recorder: Any, flight: Any) -> None:
            if chunk is not None:
                store, lease = job.ledger._store, job.ledger._lease
                with store._transaction(lease) as connection:
                    remember(connection, lease.name, [Entry(row.key, row.fingerprint, "") for row in chunk.rows])
            original(job, chunk, recorder, flight)

        return launch

    wrap("sync.deliver", "_launch", around)


def doubt_forgotten() -> None:
    """A delivered version goes on counting while another one may have replaced it."""
    wrap("sync.deliver", "_doubt", lambda _: lambda job, chunk: None)


def texts_never_sent() -> None:
    """Texts are taken for delivered always."""
    wrap("sync.intake", "body_of", lambda _: lambda row, delivered: (row.plain, False))


def unnamed_failures_ignored() -> None:
    """An event that fails without naming rows fails nobody."""

    def around(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda entries, found, hashed: original(entries, found, hashed) if found.errors else []

    wrap("sync.follow", "failures_of", around)


MUTANTS: dict[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (
        cursor_at_the_maximum,
        settle_on_accept,
        in_flight_skipped,
        transport_error_swallowed,
        fingerprint_before_acceptance,
        doubt_forgotten,
        texts_never_sent,
        unnamed_failures_ignored,
    )
}
