"""Drawing a sample of delivered rows: uniform over all of them, in one look through the index."""

from __future__ import annotations

import random

from sqlalchemy import Connection, select

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
