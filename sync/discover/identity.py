"""By what a record is known in memory: a person's e-mail address, a company's website, or a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from connectors.base import SourceMisconfigured
from sync.discover.judgement import Judged
from sync.discover.looking import Look
from sync.discover.words import singular, words_of
from sync.maps.paths import parse_path
from sync.maps.problem import did_you_mean

Kind = Literal["email", "website", "customKey"]

PEOPLE = frozenset("contact lead person people customer user member client subscriber employee patient student".split())
COMPANIES = frozenset("company account organization organisation business firm merchant vendor supplier".split())
_ALSO_CALLED = {"opportunity": "deal", "case": "ticket"}
_OF_OTHERS = frozenset(
    "owner manager assistant created updated modified by cc bcc from to sender recipient reply referrer".split()
)
"""Words of an address that is somebody else's."""
_LESSER = frozenset("billing support sales alternate alternative secondary second other backup old previous".split())
"""Words of an address that is not the first one to reach a person by."""
_OWN = frozenset("work personal private primary main business user customer member lead person login e address".split())
"""Words that leave an address the person's own."""
_THINGS = frozenset(
    "deal ticket company order invoice payment product event subscription project task quote contract shipment booking "
    "transaction item line campaign message".split()
)
"""Records that are no person, though they may name somebody's address."""
_KEY_WORDS = [["id"], ["key"], ["uuid"], ["code"], ["no"], ["number"]]
_DIFFERENT = 0.8
"""The share of different values from which an address can tell records apart."""
_ENOUGH = 5
"""Filled values from which a sample says something of an address."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which field identifies a record in memory."""

    kind: Kind
    path: str
    entity: str
    reason: str
    key_name: str | None = None
    """The identifier's name in memory, for a key of one's own."""
    filled: float = 1.0
    """The share of sampled records that have it."""
    doubtful: bool = False


def identity_of(look: Look, judged: Sequence[Judged]) -> Identity:
    """Choose; raises SourceMisconfigured where nothing tells the records apart."""
    if look.activity is not None:
        return Identity("email", look.activity.person, "contact", "the person whom a record is about")
    found = next(iter(candidates(look, judged)), None)
    if found is None:
        raise SourceMisconfigured(_nothing(look))
    return found


def candidates(look: Look, judged: Sequence[Judged]) -> list[Identity]:
    """Every usable identity, the best first."""
    usable = [one for one in judged if one.field.readable and _is_path(one.field.name)]
    emails = sorted((one for one in usable if _is_email(one)), key=_nearness)
    emails = [one for one in emails if one.profile.filled] or emails
    sites = [one for one in usable if _is_website(one, look)]
    addresses = [_by_email(one, emails) for one in emails]
    entity, keys = entity_of(look), _keys(look, usable)
    websites = [_by_website(one) for one in sites if entity == "company"]
    if _first_is_theirs(emails, entity):
        return [*addresses, *websites, *keys]
    # A deal that names somebody's address is not that person.
    return [*websites, *keys, *addresses]


def _first_is_theirs(emails: Sequence[Judged], entity: str) -> bool:
    """Whether the best address is that of the one whom a record is."""
    if not emails:
        return False
    words = set(words_of(emails[0].field.name))
    if entity == "contact" or words in ({"email"}, {"email", "address"}, {"e", "mail"}):
        return True
    seen = emails[0].profile.filled >= _ENOUGH and not words & _LESSER
    return entity.rpartition("_")[2] not in _THINGS and seen


def given(look: Look, judged: Sequence[Judged], field: str) -> Identity:
    """The identity that a person named; raises SourceMisconfigured."""
    known = {one.field.name: one for one in judged}
    if field not in known:
        raise SourceMisconfigured(f"{look.place.object}: there is no field {field!r}{did_you_mean(field, known)}")
    one = known[field]
    if _is_email(one, strict=False):
        return Identity("email", field, "contact", "as you said", filled=_share(one))
    if _is_website(one, look, strict=False):
        return Identity("website", field, entity_of(look), "as you said", filled=_share(one))
    return _by_key(look, field, "as you said")


def entity_of(look: Look) -> str:
    """The entity type for an object's records: contact, company, or its name for one of them."""
    words = words_of((look.place.object or "record").rpartition(".")[2])
    word = singular(words[-1]) if words else "record"
    if word in PEOPLE:
        return "contact"
    return "company" if word in COMPANIES else _ALSO_CALLED.get(word, "_".join([*words[:-1], word]))


def _is_email(one: Judged, *, strict: bool = True) -> bool:
    words = words_of(one.field.name)
    named = one.field.type == "email" or (bool(words) and (words[-1] in {"email", "mail"} or words[:1] == ["email"]))
    named = named or words[-2:] == ["e", "mail"] or words in (["email", "address"], ["e", "mail", "address"])
    seen = one.profile.emails >= 0.8
    if not strict:
        return named or seen
    if one.profile.records >= _ENOUGH and not one.profile.filled:
        return False
    if one.profile.filled and not (seen and _tells_apart(one)):
        return False
    if _OF_OTHERS & set(words) or one.verdict.kind == "text" or one.field.values:
        return False
    return (named or seen) and one.verdict.kind != "out" and "bool" not in one.field.type


def _tells_apart(one: Judged) -> bool:
    return one.profile.distinct >= _DIFFERENT or one.profile.filled < _ENOUGH


def _nearness(one: Judged) -> tuple[bool, int, int, float, str]:
    """How near a field is to being *the* address: by how many records have one of their own, then by its name."""
    profile, words = one.profile, words_of(one.field.name)
    own = profile.emails * profile.distinct * profile.share
    by_name = 0 if words == ["email"] else 1 + len(words) + 2 * bool(set(words) - _OWN - {"email", "mail"})
    return bool(_LESSER & set(words)), -round(own * 5), by_name, -own, one.field.name


def _by_email(one: Judged, all_: Sequence[Judged]) -> Identity:
    words = words_of(one.field.name)
    doubtful = len(all_) > 1 or words not in (["email"], ["email", "address"], ["e", "mail"])
    profile = one.profile
    reason = "an e-mail address"
    if profile.filled:
        reason += f"; {100 * profile.share:.0f} % filled, {100 * profile.distinct:.0f} % different"
        reason += f", {100 * profile.emails:.0f} % are addresses" if profile.emails < 1 else ""
    elif profile.records:
        reason += "; 0 % filled"
    others = [each.field.name for each in all_ if each is not one]
    reason += f"; there is also {', '.join(others[:3])}" if others and one is all_[0] else ""
    return Identity("email", one.field.name, "contact", reason, filled=_share(one), doubtful=doubtful)


def _share(one: Judged) -> float:
    return one.profile.share if one.profile.records else 1.0


def _is_website(one: Judged, look: Look, *, strict: bool = True) -> bool:
    words = words_of(one.field.name)
    named = bool(words) and words[-1] in {"website", "domain", "homepage"}
    if not strict:
        return named or one.profile.websites >= 0.8
    if not named or one.verdict.kind == "out" or not one.profile.filled:
        return named and words == ["domain"] and not look.records
    return one.profile.websites >= 0.8 and one.profile.distinct >= 0.95 and one.profile.share >= 0.8


def _by_website(one: Judged) -> Identity:
    return Identity("website", one.field.name, "company", "a company is known by its website", filled=_share(one))


def _keys(look: Look, usable: Sequence[Judged]) -> list[Identity]:
    """The primary key; where there is none, fields that are filled and different in every sampled record."""
    if look.reading is not None:
        key = look.reading.primary_key
        return [_by_key(look, key[0], "its primary key")] if len(key) == 1 and _is_path(key[0]) else []
    keys = [one.field.name for one in usable if one.field.is_key]
    if len(keys) == 1:
        return [_by_key(look, keys[0], "its primary key")]
    sole = [one for one in usable if one.profile.records >= 20 and one.profile.share == one.profile.distinct == 1.0]
    return [
        replace(_by_key(look, one.field.name, "different in every sampled record"), doubtful=True)
        for one in sole
        if one.profile.longest <= 64 and words_of(one.field.name)[-1:] in _KEY_WORDS
    ]


def _by_key(look: Look, field: str, reason: str) -> Identity:
    entity = entity_of(look)
    return Identity("customKey", field, entity, reason, key_name=f"{look.place.connector}_{entity}_id")


def _is_path(name: str) -> bool:
    try:
        parse_path(name)
    except ValueError:
        return False
    return True


def _nothing(look: Look) -> str:
    what = look.place.object
    if look.reading is not None and len(look.reading.primary_key) > 1:
        key = ", ".join(look.reading.primary_key)
        return (
            f"{what}: no e-mail address tells its records apart, and its key has several fields ({key}), of which "
            "memory takes one: join them in a view or a `query`, or name a field that is different in each with "
            "--identity"
        )
    return (
        f"{what}: nothing tells its records apart: no e-mail address, no website, no primary key. Name the field that "
        "does with --identity FIELD (and the key of a view with --key FIELD)"
    )
