"""Making a map with a person, or without one: look, judge, ask what is doubtful, propose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.base import SourceMisconfigured, SourceRefused
from sync.commands import asking
from sync.commands.asking import tell

if TYPE_CHECKING:
    from sync.discover.fitting import Known, Shelf
    from sync.discover.identity import Identity
    from sync.discover.judgement import Judged
    from sync.discover.looking import Look
    from sync.discover.opening import Place
    from sync.discover.proposal import Proposal

MOST_ASKED = 12
"""Doubtful fields that a person is asked about; of more, the proposals are taken."""
SHOWN = 30
"""Objects that are listed for a choice."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    identity: str | None = None
    key: tuple[str, ...] = ()
    stream: str | None = None
    sample: int = 200
    interactive: bool = False


def propose_map(place: Place, wishes: Wishes, known: Sequence[Known] | None) -> Proposal:
    """Look at an object and propose its map; raises ConnectorError."""
    from sync.discover.judgement import judge
    from sync.discover.looking import look_at, nearest_object
    from sync.discover.whole import whole_map

    place = replace(nearest_object(place), key=wishes.key)
    try:
        look = look_at(place, wishes.sample)
    except SourceRefused as problem:
        raise SourceRefused(
            f"{problem}; a map cannot be proposed without the metadata of {place.object}: grant that, or start from a "
            "map that is ready (docs/property-maps.md)"
        ) from None
    judged = judge(look.fields, look.records, look.cursor)
    if wishes.interactive:
        tell(_seen(look, len(judged)))
    identity = _identity(look, judged, wishes)
    look = _settled(look, identity, wishes)
    if wishes.interactive:
        judged = _asked_about(judged)
    facts, words = _shelves(identity.entity, known, wishes)
    stream = wishes.stream or stream_name(place)
    return whole_map(look, judged, identity, facts, words, stream)


def stream_name(place: Place) -> str:
    """The usual name of an object's stream: `hubspot-contacts`."""
    from sync.discover.words import plural, words_of

    name = (place.object or "").removeprefix("public.")
    said = [part for part in words_of(name) if part.isascii()] or ["records"]
    if name[:1].isupper():  # Salesforce names one, the others several
        said = said[:-1] if said[-2:] == ["email", "message"] else said  # as the ready map
        said[-1] = plural(said[-1])
    prefix = f"{place.connection.lower()}-" if place.connection else ""
    return f"{place.connector}-{prefix}{'-'.join(said)}"[:100].replace("_", "-")


def choose_object(place: Place) -> Place:
    """Ask which object; raises ConnectorError."""
    from sync.discover.looking import objects_of

    found = objects_of(place)
    if not found:
        raise SourceMisconfigured(f"{place.connector}: these credentials see no object; grant them one")
    options = [(one.name, one.label if one.label != one.name else "") for one in found]
    for name, remark in options[:SHOWN]:
        tell(f"  {name}{f'  ({remark})' if remark else ''}")
    if len(options) > SHOWN:
        tell(f"  ... and {len(options) - SHOWN:,} more (memsync discover {place.connector})")
    usual = [
        name for name, _ in options if name.lower() in ("contacts", "contact", "public.contacts", "public.customers")
    ]
    while True:
        wanted = asking.ask_text("Which object?", usual[0] if usual else options[0][0])
        near = [name for name, _ in options if name.lower() in (wanted.lower(), f"public.{wanted.lower()}")]
        if near:
            return replace(place, object=near[0])
        from sync.maps.problem import did_you_mean

        tell(f"there is no {wanted!r}{did_you_mean(wanted, [name for name, _ in options])}")


def _seen(look: Look, fields: int) -> str:
    about = "" if look.count is None else f" of about {look.count:,}"
    return f"{look.place.object}: {fields:,} fields, {len(look.records):,} records{about} looked at"


# Identity


def _identity(look: Look, judged: Sequence[Judged], wishes: Wishes) -> Identity:
    from sync.discover import identity

    if wishes.identity is not None:
        return identity.given(look, judged, wishes.identity)
    if look.activity is not None:
        return identity.identity_of(look, judged)
    found = identity.candidates(look, judged)
    if not wishes.interactive or (found and not found[0].doubtful):
        return identity.identity_of(look, judged)
    tell("By which field is a record known in memory? An e-mail address, a website, or a key of its own.")
    if not found:
        return identity.given(look, judged, _a_field(judged))
    options = [(one.path, f"{one.kind}: {one.reason}") for one in found]
    chosen = asking.choose("Identity", options, found[0].path)
    return next(one for one in found if one.path == chosen)


def _a_field(judged: Sequence[Judged]) -> str:
    names = [one.field.name for one in judged]
    while (name := asking.ask_text("Field")) not in names:
        tell(f"there is no field {name!r}; there are: {', '.join(names[:20])}")
    return name


def _settled(look: Look, identity: Identity, wishes: Wishes) -> Look:
    """How the object would be read: where the source knows no key, with one that was named or found."""
    from sync.discover.looking import settled

    if look.reading is not None:
        return look
    place = replace(look.place, key=wishes.key or (identity.path,))
    try:
        reading = settled(place)
    except SourceMisconfigured as problem:
        raise SourceMisconfigured(f"{problem}; name the key with --key FIELD") from None
    except SourceRefused:  # not even one record may be read: the note of the look says so
        return look
    notes = [note for note in look.notes if "primaryKey" not in note]
    return replace(look, place=place, reading=reading, notes=(*notes, *reading.notes))


# Free text


def _asked_about(judged: list[Judged]) -> list[Judged]:
    """Every doubtful field, settled by the person."""
    from sync.discover.judgement import Verdict

    doubtful = [one for one in judged if one.verdict.doubtful]
    if len(doubtful) > MOST_ASKED:
        tell(f"{len(doubtful):,} fields are in doubt; for all but {MOST_ASKED} of them the proposals are taken.")
        doubtful = doubtful[:MOST_ASKED]
    if doubtful:
        tell("Free text is what people wrote: facts are drawn from it, and a row with text may cost more credits.")
    answers = {}
    for one in doubtful:
        profile = one.profile
        seen = (
            f", filled in {100 * profile.share:.0f} %, {profile.longest:,} characters at most" if profile.filled else ""
        )
        is_text = one.verdict.kind == "text"
        tell(f"  {one.field.name} ({one.field.type}): {one.verdict.reason}{seen}")
        said = asking.confirm("  Is it free text?", default=is_text)
        answers[one.field.name] = Verdict(
            "text" if said else "plain", one.verdict.reason, html=said and profile.html > 0
        )
    return [replace(one, verdict=answers.get(one.field.name, one.verdict)) for one in judged]


# Collections


def _shelves(entity: str, known: Sequence[Known] | None, wishes: Wishes) -> tuple[Shelf, Shelf]:
    from sync.discover.fitting import of, shelf_for_facts, shelf_for_words

    facts = shelf_for_facts(entity, known)
    if wishes.interactive and known:
        options = [(one.name, one.description) for one in known]
        names = {one.name: one for one in known}
        facts = of(names[asking.choose("Collection for facts", options, facts.name)])
        words = shelf_for_words(entity, known, facts)
        return facts, of(names[asking.choose("Collection for free text", options, words.name)])
    return facts, shelf_for_words(entity, known, facts)
