"""The proposed map as a value: what is read, by what records are known, and a property for each field worth keeping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sync.discover.fitting import Shelf
from sync.discover.identity import Identity
from sync.discover.judgement import Judged
from sync.discover.line import SIMPLE, Line, key_of, known_by
from sync.discover.looking import Look
from sync.discover.words import property_name, words_of
from sync.maps.paths import parse_path

MOST_FACTS = 40
"""Plain properties of a proposed map."""
LONG = 50_000
"""Characters above which a sampled text is cut: a row may have 100,000."""
_TELLING = (
    "name title salutation company account organization role position department phone mobile city state country "
    "region language industry type category segment plan tier product stage status pipeline priority amount value "
    "revenue budget currency quantity score rating employees size lifecycle source owner website domain birthday "
    "signed created close start end renewal last date"
).split()
"""Words of names that say something of a record to somebody who does not know it, the most telling first."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A map before it is written."""

    stream: str
    look: Look
    identity: Identity
    facts: tuple[Line, ...]
    texts: tuple[Line, ...]
    left_out: Mapping[str, tuple[str, ...]]
    """Names of fields by the reason for which they were left out."""
    where: Any = None
    keys: Mapping[str, Any] = field(default_factory=dict)
    """Further keys under `source`."""
    why: Mapping[str, str] = field(default_factory=dict)
    """The reason for such a key, as a comment."""
    remarks: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """All properties: facts first."""
        return (*self.facts, *self.texts)


def propose(
    look: Look, judged: Sequence[Judged], identity: Identity, facts: Shelf, words: Shelf, stream: str
) -> Proposal:
    """Make the map of an object; its properties have names of their own still."""
    plain, further = _chosen(judged, look, identity)
    lines = _facts(plain, identity, facts, look)
    taken = {line.name for line in lines}
    texts = _texts(judged, words, taken)
    left = left_out(judged, further, f"beyond the {MOST_FACTS} most telling and best filled")
    where, why, keys = None, dict[str, str](), dict[str, Any]()
    if any(line.source in look.model.parents.values() for line in lines):
        keys = dict(look.model.with_parents)
        why = dict.fromkeys(keys, "fields of other records do not move this one: they are read again")
    remarks = [shelf.remark for shelf in dict.fromkeys((facts, words)) if shelf.remark]
    if identity.filled < 1.0 and identity.kind != "customKey" and look.records:
        where = look.model.filled(identity.path)
        without = _without(look, identity, judged)
        why |= {"where": f"{without}; without this line they are rejects"}
        other = f": `--identity {key_of(look)[0]}` would keep them" if len(key_of(look)) == 1 else ""
        remarks.insert(0, f"{without}{other}; without the line `where` they are listed as rejects")
    made = Proposal(stream, look, identity, tuple(lines), tuple(texts), left, where, keys, why, tuple(remarks))
    return _with_one_property(made, judged, facts)


def _without(look: Look, identity: Identity, judged: Sequence[Judged]) -> str:
    """How many of the sampled records nothing can be known of, for want of their identity."""
    profile = next(one.profile for one in judged if one.field.name == identity.path)
    sampled = profile.records or len(look.records)
    lacking = sampled - profile.filled
    have = "has" if lacking == 1 else "have"
    stay = "stays" if lacking == 1 else "stay"
    return f"{lacking:,} of {sampled:,} sampled records {have} no {identity.path} and {stay} out"


def _chosen(judged: Sequence[Judged], look: Look, identity: Identity) -> tuple[list[Judged], list[Judged]]:
    """The plain fields worth keeping, in the source's order, and the others."""
    own = {identity.path, *(key_of(look) if len(key_of(look)) == 1 else ())}
    plain = [one for one in judged if one.verdict.kind == "plain" and usable(one) and one.field.name not in own]
    ranked = sorted(plain, key=_rank)
    kept = {one.field.name for one in ranked[:MOST_FACTS]}
    return [one for one in plain if one.field.name in kept], [one for one in plain if one.field.name not in kept]


def usable(one: Judged) -> bool:
    """Whether a map can name the field: its name must be a path."""
    try:
        parse_path(one.field.name)
    except ValueError:
        return False
    return one.field.name.isprintable()


def _rank(one: Judged) -> tuple[bool, float, bool, int, str]:
    """Telling names first where they are filled, short ones before long ones; the source's own extras last."""
    telling = _telling(one)
    filled = one.profile.share if one.profile.records else 1.0
    worth = -round(filled, 1) - (0.5 if telling < len(_TELLING) else 0)
    extra = one.field.name.startswith("hs_") or "read-only" in one.verdict.reason
    return extra, worth, len(words_of(one.field.name)) > 2, telling, one.field.name


def _telling(one: Judged) -> int:
    """The place of a field among the telling ones; behind them where its name tells nothing."""
    words = words_of(one.field.name)
    return min((at for at, word in enumerate(_TELLING) if _has(words, word)), default=len(_TELLING))


def _has(words: list[str], wanted: str) -> bool:
    """Whether a name has this word, alone or at the end of a longer one: `title` of `jobtitle`."""
    return any(word == wanted or (len(wanted) > 3 and word.endswith(wanted)) for word in words)


def _facts(plain: Sequence[Judged], identity: Identity, shelf: Shelf, look: Look) -> list[Line]:
    taken: set[str] = set()
    lines: list[Line] = []
    names, spoken_for = _full_name(plain)
    if len(names) == 1:
        lines.append(Line("full_name", names[0], None, shelf, reason="plain: a name"))
    elif names:
        lines.append(Line("full_name", None, " ".join(f"{{{one}}}" for one in names), shelf, reason="plain: a name"))
    taken.update(line.name for line in lines)
    for one in sorted(plain, key=_group):
        if one.field.name in spoken_for:
            continue
        name = property_name(one.field.name, one.field.label, taken)
        taken.add(name)
        strip = ("strip",) if one.profile.blanks else ()
        lines.append(Line(name, one.field.name, None, shelf, f"plain: {_why(one)}", strip))
    for reference, path in look.model.parents.items():
        if reference in {one.name for one in look.fields}:
            name = property_name(path, "", taken)
            taken.add(name)
            lines.append(Line(name, path, None, shelf, reason=f"plain: what {reference} leads to"))
    return [*lines, *known_by(identity, shelf, look, taken)]


def _why(one: Judged) -> str:
    profile = one.profile
    filled = f"; {100 * profile.share:.0f} % filled" if profile.records else ""
    blanks = f"; {100 * profile.blanks:.0f} % have blanks around them" if profile.blanks else ""
    mixed = "; the same value in capitals and in small letters: `transform: [lower]`?" if profile.mixed else ""
    return f"{one.verdict.reason}{filled}{blanks}{mixed}"


def _group(one: Judged) -> int:
    """Names first, then what is telling, then the rest, each in the source's order."""
    words = words_of(one.field.name)
    if words and _has(words[-1:], "name"):
        return 0
    return 1 if _telling(one) < len(_TELLING) else 2


def _full_name(plain: Sequence[Judged]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that make up a person's whole name, and those that need no property of their own then."""
    found = {"".join(words_of(one.field.name)): one.field.name for one in plain if SIMPLE.fullmatch(one.field.name)}
    for first, last in (("firstname", "lastname"), ("givenname", "familyname"), ("forename", "surname")):
        if first in found and last in found:
            whole = found.get("fullname") or found.get("name")
            parts = (found[first], found[last])
            return ((whole,), (*parts, whole)) if whole else (parts, parts)
    return (), ()


def _texts(judged: Sequence[Judged], shelf: Shelf, taken: set[str]) -> list[Line]:
    lines = []
    for one in judged:
        if one.verdict.kind != "text" or not usable(one):
            continue
        name = property_name(one.field.name, one.field.label, taken)
        taken.add(name)
        cut = (f"{{truncate: {LONG}}}",) if one.profile.longest > LONG // 2 else ()
        transform = (("html_to_text",) if one.verdict.html else ()) + cut
        lines.append(Line(name, one.field.name, None, shelf, f"text: {one.verdict.reason}", transform, extract=True))
    return lines


def left_out(judged: Sequence[Judged], further: Sequence[Judged], why: str) -> dict[str, tuple[str, ...]]:
    """Fields without a property, by the reason; `further` are those for the reason `why`."""
    groups: dict[str, list[str]] = {}
    unusable = [one for one in judged if one.verdict.kind != "out" and not usable(one)]
    for one in judged:
        if one.verdict.kind == "out":
            groups.setdefault(one.verdict.reason, []).append(one.field.name)
    if further:
        groups[why] = [one.field.name for one in further]
    if unusable:
        groups["their names cannot be written as a path"] = [one.field.name for one in unusable]
    return {reason: tuple(names) for reason, names in groups.items()}


def _with_one_property(made: Proposal, judged: Sequence[Judged], shelf: Shelf) -> Proposal:
    """A map needs one property at least: the identity itself, where nothing else is left."""
    if made.lines:
        return made
    name = property_name(made.identity.path, "", ())
    line = Line(name, made.identity.path, None, shelf, reason="plain: nothing else was worth a property")
    return replace(made, facts=(line,))
