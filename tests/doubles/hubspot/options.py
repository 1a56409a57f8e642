"""How a stand-in behaves: what a test or a person may choose, and change while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Limits:
    """Calls that an account may make; None is without a limit."""

    per_ten_seconds: int | None = 190
    searches_per_second: int | None = 5
    per_day: int | None = 625_000


PLANS = {
    "free": Limits(100, 5, 250_000),
    "professional": Limits(190, 5, 625_000),
    "enterprise": Limits(190, 5, 1_000_000),
    "none": None,
}


@dataclass
class Options:
    """The account's facts and the service's oddities."""

    token: str = "stand-in-0f1e2d3c-4b5a-6978"
    portal: int = 8675309
    time_zone: str = "America/New_York"
    port: int = 0
    database: str = ":memory:"
    clock: Callable[[], float] = time.time
    """Seconds since 1970: stamps, the index, rate limits and days go by it."""
    index_lag: float = 0.0
    """Seconds until search sees what was written; reads by id see it at once."""
    order: Literal["shuffled", "sorted"] = "shuffled"
    """Whether search results come in the order that was asked for. HubSpot's do not, reliably."""
    fresh_values: bool = True
    """Search finds records by the index but answers with their present values, without those gone meanwhile."""
    ids_compare_as: Literal["number", "text"] = "number"
    """How search filters compare hs_object_id; as text "7198" < "719869649082" < "7199"."""
    scopes: Collection[str] | None = None
    """What the token was granted; None is everything."""
    wording: str = "granular"
    """Which of the wordings a missing scope is refused in: a key of `permissions.WORDINGS`."""
    limits: Limits | None = None
    """None: neither limits nor their headers."""
    links_per_page: int = 500
    """Associated records per input and page of an associations batch read."""
    repeated_links: bool = True
    """A record that is associated in two ways is listed twice, once for each, as happens."""
    unlinked: Literal["errors", "absent"] = "errors"
    """How a record without associations shows in an associations batch read."""
    log: Callable[[str], None] | None = None
    """Told of every request and the status of its answer, in one line."""
