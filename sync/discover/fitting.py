"""Which of an organisation's collections a map's properties go into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.discover.words import alike, plural, singular, words_of

_ALSO = {
    "contact": ("Contacts", "People", "Persons", "Leads", "Customers"),
    "company": ("Companies", "Accounts", "Organizations", "Organisations"),
    "deal": ("Deals", "Opportunities"),
    "ticket": ("Tickets", "Cases", "Support"),
}
_WORDS = ("Notes", "Activities", "Conversations", "Interactions", "Communications", "Memories")


@dataclass(frozen=True, slots=True)
class Known:
    """A collection that the organisation has."""

    id: str
    name: str
    description: str = ""
    properties: tuple[str, ...] = ()
    """The properties that it defines; empty where the server does not say."""
    ambiguous: bool = False
    """Whether another one has the same name, so that maps must give the id."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The collection that a map names, and how sure that is."""

    name: str
    id: str | None = None
    """Given where names are ambiguous."""
    properties: tuple[str, ...] = ()
    remark: str = ""
    """What a person should know of this choice."""


def known_from(actions: Iterable[Mapping[str, Any]]) -> list[Known]:
    """Read the answer of `collections`, tolerant of what is left out."""
    found = []
    for action in actions:
        payload = action.get("payload")
        payload = payload if isinstance(payload, Mapping) else action
        id_ = payload.get("collectionId") or payload.get("id") or action.get("id")
        name = payload.get("collectionName") or payload.get("name")
        if id_ and name:
            said = str(payload.get("description") or payload.get("collectionDescription") or "")
            found.append((str(id_), str(name), said, _names(payload.get("properties"))))
    names = [name.casefold() for _, name, _, _ in found]
    return [Known(id_, name, said, own, names.count(name.casefold()) > 1) for id_, name, said, own in found]


def _names(properties: Any) -> tuple[str, ...]:
    entries = properties if isinstance(properties, list) else []
    named = (one.get("propertyName") or one.get("systemName") for one in entries if isinstance(one, Mapping))
    return tuple(str(name) for name in named if name)


def shelf_for_facts(entity: str, known: Sequence[Known] | None) -> Shelf:
    """The collection for an entity's facts; `known` is None where the organisation was not asked."""
    return _shelf(_ALSO.get(entity, (" ".join(plural(entity).split("_")).title(),)), known)


def shelf_for_words(entity: str, known: Sequence[Known] | None, facts: Shelf) -> Shelf:
    """The collection for people's words: of contacts one for notes where there is one, else that of the facts."""
    if entity != "contact":
        return facts
    return _shelf(_WORDS, known) if known is None or _best(_WORDS, known) else facts


def _shelf(wanted: Sequence[str], known: Sequence[Known] | None) -> Shelf:
    if known is None:
        return Shelf(wanted[0], remark=f"{wanted[0]} must exist in your organisation (no key was given to look)")
    found = _best(wanted, known)
    if found is not None:
        return of(found)
    if not known:
        return Shelf(wanted[0], remark=f"your organisation has no collection yet: create {wanted[0]}")
    fallback = _best(_ALSO["contact"], known) or known[0]
    return of(fallback, f"no collection is called {wanted[0]} or alike, so {fallback.name} was taken: is that right?")


def of(one: Known, remark: str = "") -> Shelf:
    """A collection as a map names it."""
    return Shelf(one.name, one.id if one.ambiguous else None, one.properties, remark)


def _best(wanted: Sequence[str], known: Sequence[Known]) -> Known | None:
    """By name, then by a word of the name, then by a word of the description; the first wish first."""
    for name in wanted:
        for one in known:
            if alike(one.name, name):
                return one
    for name in wanted:
        word = singular(words_of(name)[0]) if words_of(name) else name
        for one in known:
            if word in [singular(part) for part in words_of(one.name)]:
                return one
    for name in wanted[:1]:
        word = singular(words_of(name)[0]) if words_of(name) else name
        for one in known:
            if word in [singular(part) for part in words_of(one.description)]:
                return one
    return None
