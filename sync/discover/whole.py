"""A whole proposal: of an activity or of a record, under memory's names, with every field accounted for."""

from __future__ import annotations

from collections.abc import Sequence

from sync.discover.activities import of_activity
from sync.discover.fates import complete
from sync.discover.fitting import Shelf
from sync.discover.identity import Identity
from sync.discover.judgement import Judged
from sync.discover.looking import Look
from sync.discover.naming import named
from sync.discover.proposal import Proposal, propose


def whole_map(
    look: Look, judged: Sequence[Judged], identity: Identity, facts: Shelf, words: Shelf, stream: str
) -> Proposal:
    """Make the map of an object; its properties have the names that collections or the ready maps give them."""
    activity = look.activity
    if activity is not None and identity.path == activity.person:
        made = of_activity(look, activity, judged, identity, words, stream)
    else:
        made = propose(look, judged, identity, facts, words, stream)
    return complete(named(made), judged)
