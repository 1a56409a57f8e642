"""What a property map makes of a record: a row to send, or a reject with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

HASH_SIZE, MARK_SIZE = 12, 4
PLAIN_SIZE = HASH_SIZE + MARK_SIZE
TEXT_SIZE = 8

IdentityKind = Literal["email", "website", "recordId", "customKey"]


class Row(NamedTuple):
    """A record mapped for the batch call, already encoded (a tuple: it is made once per record)."""

    key: str
    """The record's primary key."""
    identity: str
    """The value of the identity, as sent."""
    body: bytes
    """A JSON object: the identity and every plain value, then the texts. Never empty."""
    texts: tuple[bytes, ...]
    """One JSON member (`"notes":"..."`) per text to extract that is present."""
    fingerprint: bytes
    """HASH_SIZE bytes over identity and plain values, MARK_SIZE over the identity alone, then TEXT_SIZE bytes per text
    in the order of `texts`."""

    @property
    def plain(self) -> bytes:
        """The body without its texts."""
        return self.body[: -1 - sum(len(text) + 1 for text in self.texts)] + b"}" if self.texts else self.body


def body_with(plain: bytes, texts: Sequence[bytes]) -> bytes:
    """A JSON object, these members added."""
    return b"%b,%b}" % (plain[:-1], b",".join(texts)) if texts else plain


class Reject(NamedTuple):
    """A row that could not be made or delivered. The message never holds a value of the record."""

    key: str
    code: str
    """MISSING_IDENTIFIER, CONTENT_TOO_LARGE, INVALID_TEXT, TRANSFORM_FAILED, or the server's own code."""
    message: str


def mark_of(fingerprint: bytes) -> bytes:
    """The mark of the identity."""
    return fingerprint[HASH_SIZE:PLAIN_SIZE]


def identity_moved(before: bytes | None, now: bytes) -> bool:
    """Whether a record has another identity than when it was delivered, from its two fingerprints."""
    return before is not None and mark_of(before) != mark_of(now)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which row key identifies the record in memory."""

    kind: IdentityKind
    row_key: str
    custom_key_name: str | None = None


@dataclass(frozen=True, slots=True)
class MappedProperty:
    """One property as the API's `mapping` object describes it; its row key is what `sourceField` names there."""

    name: str
    row_key: str
    extract: bool
    collection_name: str | None = None
    collection_id: str | None = None
