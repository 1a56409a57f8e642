"""The map of an activity: one text about each person that it is about, and no facts."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.source import Activity
from sync.discover.fitting import Shelf
from sync.discover.identity import Identity
from sync.discover.judgement import Judged
from sync.discover.line import SIMPLE, Line
from sync.discover.looking import Look
from sync.discover.proposal import LONG, Proposal, left_out
from sync.discover.words import property_name, words_of

_REPLACED = "no facts of activities: those of one person share a record in memory, and each would replace the last"


def of_activity(
    look: Look, activity: Activity, judged: Sequence[Judged], identity: Identity, words: Shelf, stream: str
) -> Proposal:
    """One text about each person and no facts: records of one person share a record in memory."""
    texts = [one for one in judged if one.verdict.kind == "text"]
    known = {one.field.name for one in judged}
    moment = f" of {{{activity.moment}}}" if activity.moment in known else ""
    title = f": {{{activity.title}}}" if activity.title in known else ":"
    body = "".join(f"\n{{{one.field.name}}}" for one in texts if SIMPLE.fullmatch(one.field.name))
    name = property_name(f"{words_of(activity.noun)[0]} text", "", ())
    html = any(one.verdict.html for one in texts)
    reason = "; ".join(f"{one.field.name}: {one.verdict.reason}" for one in texts) or "its title"
    transform = (("html_to_text",) if html else ()) + (f"{{truncate: {LONG}}}",)
    line = Line(name, None, f"{activity.noun}{moment}{title}{body}", words, reason, transform, extract=True)
    keys = dict(activity.keys)
    why = dict.fromkeys(keys, activity.why)
    where = keys.pop("where", None)
    if where is None and len(texts) == 1 and keys and (where := look.model.filled(texts[0].field.name)):
        why["where"] = "where nobody wrote anything there is nothing to draw memories from"
    if "." in activity.person and look.model.with_parents:
        keys = dict(look.model.with_parents) | keys
        why |= dict.fromkeys(
            look.model.with_parents, "the person's address does not move this record: it is read again"
        )
    left = left_out(judged, [one for one in judged if one.verdict.kind == "plain"], _REPLACED)
    remarks = (words.remark,) if words.remark else ()
    if texts and title != ":" and "where" in activity.keys:
        remarks = (*remarks, f"a record without {texts[0].field.name} is sent for its {activity.title} alone")
    return Proposal(stream, look, identity, (), (line,), left, where, keys, why, remarks)
