"""What one channel was told of each stream, and what it is to be told next; remembered across restarts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from state.errors import StateError
from state.store import Store
from sync.notify import conditions
from sync.notify.message import Message

UseStore = Callable[[], AbstractContextManager[Store]]
ENDED_BY_RECOVERY = frozenset({conditions.FAILED, conditions.LATE})


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """The conditions that hold of a stream now, and what to say of each that is news."""

    words: frozenset[str]
    messages: Mapping[str, Message]


class ChannelDesk:
    """The state store keeps what was told, under the channel's name; `lock` is shared by all channels."""

    def __init__(self, channel: str, store: UseStore, lock: threading.RLock) -> None:
        self._mark, self._store, self._lock = f"{channel}:", store, lock
        self._found: dict[str, Finding] = {}
        """What is under way to the channel."""
        self._told: dict[str, frozenset[str]] = {}
        """What it was told, as last known: a store that is away is worth a message, and only one."""
        self._unsaved: set[str] = set()

    def before(self, stream: str) -> frozenset[str]:
        """The conditions that the channel knows of, or is about to know."""
        with self._lock:
            return self._found[stream].words if stream in self._found else self._told_of(stream)

    def put(self, stream: str, found: Finding) -> bool:
        """Note what holds now; returns whether there is anything to tell."""
        with self._lock:
            told = self._told_of(stream)
            news = conditions.changes(told, found.words)
            over = told - found.words - (ENDED_BY_RECOVERY if conditions.RECOVERED in news else frozenset())
            if over:
                self._remember(stream, told - over)
            is_under_way = stream in self._found
            if news or is_under_way:
                earlier = self._found[stream].messages if is_under_way else {}
                self._found[stream] = Finding(found.words, {**earlier, **found.messages})
            return bool(news) or is_under_way

    def due(self, stream: str) -> Message | None:
        """What to tell now; None when the channel is up to date."""
        with self._lock:
            found = self._found.get(stream)
            if found is None:
                return None
            for word in conditions.changes(self._told_of(stream), found.words):
                if word in found.messages:
                    return found.messages[word]
            del self._found[stream]
            return None

    def delivered(self, message: Message) -> None:
        """The channel took a message."""
        with self._lock:
            told = self._told_of(message.stream)
            recovered = message.state == conditions.RECOVERED
            self._remember(message.stream, told - ENDED_BY_RECOVERY if recovered else told | {message.state})

    def gave_up(self, stream: str) -> None:
        """The channel is away: after the stream's next run it is compared with what the channel knows."""
        with self._lock:
            self._found.pop(stream, None)

    def _told_of(self, stream: str) -> frozenset[str]:
        if stream in self._unsaved:
            self._remember(stream, self._told[stream])
            return self._told[stream]
        try:
            with self._store() as store:
                words = store.told(stream)
        except StateError:
            return self._told.get(stream, frozenset())
        self._told[stream] = frozenset(word.removeprefix(self._mark) for word in words if word.startswith(self._mark))
        return self._told[stream]

    def _remember(self, stream: str, words: frozenset[str]) -> None:
        self._told[stream] = words
        try:
            with self._store() as store:
                others = {word for word in store.told(stream) if ":" in word and not word.startswith(self._mark)}
                store.note_told(stream, others | {self._mark + word for word in words})
            self._unsaved.discard(stream)
        except StateError:
            self._unsaved.add(stream)
