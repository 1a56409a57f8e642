"""Which fields hold people's words, which hold facts, and which a map leaves out: with the reason for each.

The source's own metadata comes first, then what names say, then the sample; a sample may also overrule a field that was
declared as long text and holds a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from connectors.base import Field
from sync.discover.profile import Profile, profile_of, repeats
from sync.discover.words import form, is_copy, is_reference, is_secret, says_fact, says_words

ENOUGH = 20
"""Sampled records that allow calling a field empty."""
FEW = 5
"""Filled values below which a sample says nothing of a field."""
SENTENCE, PHRASE = 8.0, 4.0
"""Words on average from which a line of text is free text, and below which it is none."""
_TEXT = re.compile(r"(text|character varying|varchar|citext|string|character|bpchar|json)", re.I)
_LENGTH = re.compile(r"(?:character varying|varchar|character)\((\d+)\)", re.I)
_MOVING = re.compile(
    r"(^|_)(updated|modified|changed|lastmodified|last_?modified|last_?seen|last_?login|synced)(_|$|at$|on$|date$)"
)
_MACHINE_MADE = re.compile(r"(^|_)(search_?vector|tsv|embedding|checksum|etag|raw_?(json|payload)|payload)(_|$)")

Kind = Literal["text", "plain", "out"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a field in a proposed map."""

    kind: Kind
    reason: str
    doubtful: bool = False
    """Whether a person should be asked."""
    html: bool = False
    """Whether a text may hold HTML."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A field, what the sample says of it, and what becomes of it."""

    field: Field
    profile: Profile
    verdict: Verdict


def judge(fields: Sequence[Field], records: Sequence[Mapping[str, Any]], cursor: str | None = None) -> list[Judged]:
    """Judge every field of an object; `records` are a sample, or nothing. `cursor` is the field that moves."""
    judged = []
    for field in fields:
        profile = profile_of(field.name, records)
        judged.append(Judged(field, profile, verdict_on(field, profile, cursor)))
    return _without_repetitions(judged, records)


def verdict_on(field: Field, profile: Profile, cursor: str | None = None) -> Verdict:
    """Judge one field by itself; the first rule that fits decides."""
    reason = _why_out(field, profile, cursor)
    if reason:
        return Verdict("out", reason)
    if field.is_key:
        return Verdict("plain", "the key")
    if field.values:
        return Verdict("plain", f"a list of {len(field.values):,} allowed value{'' if len(field.values) == 1 else 's'}")
    if field.free_text is False:
        return Verdict("plain", field.reason)
    if not _TEXT.match(field.type):
        return Verdict("plain", f"type {field.type}")
    if field.free_text:
        return _declared(field, profile)
    return _line(field, profile)


def _why_out(field: Field, profile: Profile, cursor: str | None) -> str:
    words = (field.name, field.label)
    if not field.readable:
        return "cannot be read"
    if field.noise:
        return field.noise
    if secret := is_secret(*words):
        return f"sensitive by its name ({secret})"
    if is_copy(field.name):
        return "a shortened copy of another field"
    if field.name == cursor or (_MOVING.search(field.name.lower()) and field.free_text is not True):
        return "moves with every change: each row would be sent again"
    if field.type in {"bytea", "tsvector", "tsquery", "xml"} or _MACHINE_MADE.search(field.name.lower()):
        return "written for machines"
    if not field.is_key and is_reference(field.name, field.type):
        return "the id of another record"
    if profile.records >= ENOUGH and not profile.filled:
        return "empty in the sample"
    return ""


def _declared(field: Field, profile: Profile) -> Verdict:
    """A field that the metadata calls text: unless its name, or what is in it, says otherwise."""
    fact = says_fact(field.label or field.name) if says_words(field.name, field.label) is None else None
    if fact and field.reason != "people's own words":
        return Verdict("plain", f"{field.reason}, but its name says {fact}", doubtful=profile.filled < FEW)
    if profile.filled >= FEW and profile.words < PHRASE and profile.longest < 120:
        return Verdict("plain", f"{field.reason}, but {_amount(profile)} in the sample", doubtful=True)
    seen = f"; {_amount(profile)}" if profile.filled else ""
    return Verdict("text", f"{field.reason}{seen}", html=_may_be_html(field, profile))


def _line(field: Field, profile: Profile) -> Verdict:
    """A field of which the metadata says only that it is text."""
    length = _LENGTH.match(field.type)
    if length and int(length[1]) <= 100:
        return Verdict("plain", f"{length[1]} characters at most")
    said = says_words(field.name, field.label)
    if profile.filled < FEW:
        if said:
            return Verdict("text", f"its name says {said}", doubtful=True, html=_may_be_html(field, profile))
        return Verdict("plain", "a line of text")
    if profile.emails >= 0.5 or profile.websites >= 0.5:
        return Verdict("plain", "addresses")
    return _measured(field, profile, said)


def _measured(field: Field, profile: Profile, said: str | None) -> Verdict:
    amount = _amount(profile)
    if profile.distinct < 0.3:
        return Verdict("plain", amount)
    fact = None if said else says_fact(field.name, field.label)
    wordy = profile.words >= SENTENCE and profile.average >= 40
    if wordy and not fact:
        doubtful = not said and profile.words < 2 * SENTENCE and not profile.breaks
        return Verdict("text", amount, doubtful=doubtful, html=_may_be_html(field, profile))
    if said and profile.words >= PHRASE:
        return Verdict("text", f"its name says {said}; {amount}", html=_may_be_html(field, profile))
    doubtful = wordy or (profile.words >= PHRASE and not fact)
    return Verdict("plain", f"{amount}, its name says {fact}" if wordy else amount, doubtful=doubtful)


def _amount(profile: Profile) -> str:
    words = f"{profile.words:.0f} word{'' if round(profile.words) == 1 else 's'} on average"
    return f"{words}, {100 * profile.distinct:.0f} % different"


def _may_be_html(field: Field, profile: Profile) -> bool:
    """Whether HTML was seen, or cannot be ruled out."""
    declared = "html" in field.type or "rich" in field.reason
    return declared or profile.html > 0 or (field.free_text is True and profile.filled < ENOUGH)


def _without_repetitions(judged: list[Judged], records: Sequence[Mapping[str, Any]]) -> list[Judged]:
    """Text is paid for once: of fields that hold the same words, one stays; the plain one before HTML."""
    texts = [one for one in judged if one.verdict.kind == "text"]
    dropped: dict[str, str] = {}
    for one in sorted(texts, key=_worth):
        kept = [other for other in texts if other.field.name not in dropped and other is not one]
        twin = next((other for other in kept if _worth(other) > _worth(one) and _same(one, other, records)), None)
        if twin is not None:
            dropped[one.field.name] = twin.field.name
    return [
        replace(one, verdict=Verdict("out", f"the same words as {dropped[one.field.name]}"))
        if one.field.name in dropped
        else one
        for one in judged
    ]


def _worth(one: Judged) -> tuple[float, bool, float, str]:
    """Which of two texts with the same words is kept: the fuller, the one without HTML, the longer."""
    return round(one.profile.share, 1), form(one.field.name)[1] != "html", one.profile.average, one.field.name


def _same(one: Judged, other: Judged, records: Sequence[Mapping[str, Any]]) -> bool:
    first, second = form(one.field.name), form(other.field.name)
    named = first[0] == second[0] and first[1] != second[1] and "html" in (first[1], second[1])
    return named or repeats(one.field.name, other.field.name, records)
