"""Looks at the fingerprints of delivered rows: a sample, uniform over all of them, and how many hold a part."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sqlalchemy import Connection, LargeBinary, func, select

from state.tables import fingerprints


def sample(connection: Connection, stream: str, size: int, seed: int) -> dict[str, bytes]:
    """So many delivered keys with their fingerprints, the same ones for the same seed while nothing changes.

    Fingerprints are keyed hashes, as good as drawn by lot: those that follow a random point are a uniform sample.
    """
    point = random.Random(seed).randbytes(16)  # noqa: S311  # nosec B311
    mine = select(fingerprints.c.key, fingerprints.c.fingerprint).where(fingerprints.c.stream == stream)
    order = (fingerprints.c.fingerprint, fingerprints.c.key)
    found = connection.execute(mine.where(fingerprints.c.fingerprint >= point).order_by(*order).limit(size)).all()
    if len(found) < size:
        rest = mine.where(fingerprints.c.fingerprint < point).order_by(*order).limit(size - len(found))
        found = [*found, *connection.execute(rest)]
    return {row.key: bytes(row.fingerprint) for row in found}


def count_parts(connection: Connection, stream: str, at: int, parts: Sequence[bytes]) -> dict[bytes, int]:
    """How many fingerprints hold each of these parts, all of one size, behind the first `at` bytes; in one look."""
    if not parts:
        return {}
    part = func.substr(fingerprints.c.fingerprint, at + 1, len(parts[0]), type_=LargeBinary)
    asked = (fingerprints.c.stream == stream) & part.in_(sorted(set(parts)))
    found = connection.execute(select(part, func.count()).where(asked).group_by(part))
    return {bytes(one): number for one, number in found}
