"""A teller as the variables ask for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sync.notify.channels import open_channels

if TYPE_CHECKING:
    from sync.notify.desk import UseStore
    from sync.notify.teller import Teller
    from sync.settings import Settings


@contextmanager
def telling(
    settings: Settings, store: UseStore, warn: Callable[[str], None], patience: float
) -> Iterator[Teller | None]:
    """A teller, or None where no channel is named; at the end it has `patience` seconds. Raises VariablesInvalid."""
    channels = open_channels(settings)
    if not channels:
        yield None
        return
    from sync.notify.teller import Teller

    teller = Teller(channels, settings.memsync_notify_rejects, store, warn)
    try:
        yield teller
    finally:
        teller.close(patience)
