"""Marks of identities inside fingerprints: too little to find anybody by, enough to see that an identity changed."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from sync.maps.row import MARK_SIZE


@dataclass(frozen=True, slots=True)
class Marker:
    """Makes the marks of one store; `folds`: letter case means nothing, as in an address or a website."""

    start: int
    folds: bool

    def __call__(self, identity: str) -> bytes:
        text = identity.lower() if self.folds else identity
        return crc32(text.encode("utf-8", "surrogatepass"), self.start).to_bytes(MARK_SIZE)


def marker(kind: str, salt: bytes) -> Marker:
    """What marks identities of a kind."""
    return Marker(crc32(salt), folds=kind in ("email", "website"))
