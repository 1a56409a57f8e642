"""A proposed map as YAML for people: commented, in a readable order, and read back exactly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sync.discover.line import Line
from sync.discover.proposal import Proposal
from sync.maps.document import resolve
from sync.maps.problem import printable

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_OTHER_YAML = frozenset("y n yes no on off true false null nan inf".split())
"""Words that other readers of YAML take for something else than text."""
_WIDTH = 118
_WIDEST = 100
"""Columns up to which comments are set below each other."""
MOST_NAMES = 20
"""Names of fields that are listed for one reason."""


def write(made: Proposal) -> str:
    """The text of a map file."""
    schedule = ["", '# schedule: {cron: "17 * * * *", timezone: UTC}  # for `memsync serve`: when it runs']
    return "\n".join([*_heading(made), *_source(made), *_mapping(made), *schedule, *_left_out(made)]) + "\n"


def scalar(value: Any) -> str:
    """One value as YAML that every reader takes for the same."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return "null" if value is None else str(value)
    harmless = _PLAIN.fullmatch(value) and value.lower() not in _OTHER_YAML and isinstance(resolve(value), str)
    if harmless:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in quoted)


def _escaped(sign: str) -> str:
    """A sign that cannot be seen, as YAML writes it in double quotes."""
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def flow(value: Any) -> str:
    """A value, a list or a mapping on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(name)}: {flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def _heading(made: Proposal) -> list[str]:
    place, look = made.look.place, made.look
    count = "" if look.count is None else f", about {look.count:,} records"
    seen = f"{len(look.records):,} of them were looked at" if look.records else "none of them was looked at"
    lines = ["# yaml-language-server: $schema=./schema.json"]
    lines += _comment(f"{place.object} of {place.connector}{count}; {seen}. Every key: docs/property-maps.md.")
    lines += _comment("Lines with extractMemories cost credits; delete what you do not want in memory.")
    for remark in (*made.remarks, *look.notes):
        lines += _comment(f"Note: {remark}")
    return [*lines, f"stream: {scalar(made.stream)}", ""]


def _source(made: Proposal) -> list[str]:
    look = made.look
    lines = ["source:", f"  connector: {look.place.connector}"]
    if look.place.connection:
        lines.append(f"  connection: {look.place.connection}")
    lines.append(f"  object: {scalar(look.place.object)}")
    lines += [_said(f"  {name}: {flow(value)}", made.why.get(name, "")) for name, value in made.keys.items()]
    if look.reading is not None:
        lines += _reading(made)
    if made.where is not None:
        lines.append(_said(f"  where: {flow(made.where)}", made.why.get("where", "")))
    return [*lines, ""]


def _reading(made: Proposal) -> list[str]:
    reading = made.look.reading
    if reading is None:
        return []
    key = reading.primary_key[0] if len(reading.primary_key) == 1 else list(reading.primary_key)
    moving = (
        "moves when a record changes" if reading.cursor_field else "nothing moves with changes: every run reads all"
    )
    lines = [_said(f"  cursorField: {flow(reading.cursor_field)}", moving)]
    return [*lines, _said(f"  primaryKey: {flow(key)}", "identifies a record")]


def _mapping(made: Proposal) -> list[str]:
    one = made.identity
    lines = ["mapping:", f"  entityType: {scalar(one.entity)}"]
    if one.kind == "customKey":
        lines.append(f"  customKeyName: {scalar(one.key_name)}")
    lines.append(_said(f"  {one.kind}: {scalar(one.path)}", one.reason))
    lines.append("  properties:")
    width = min(max((len(scalar(line.name)) for line in made.facts), default=0), 30) + 1
    facts = [_fact(line, width) for line in made.facts]
    behind = min(max(map(len, facts), default=0), _WIDEST)
    lines += [_said(text.ljust(behind), line.reason) for text, line in zip(facts, made.facts, strict=True)]
    for line in made.texts:
        lines += _text(line)
    return lines


def _collection(line: Line) -> dict[str, str]:
    named = {"collectionName": line.shelf.name}
    return named | ({"collectionId": line.shelf.id} if line.shelf.id else {})


def _fact(line: Line, width: int) -> str:
    reads = {"sourceField": line.source} if line.source is not None else {"value": line.value}
    said = flow({**reads, **_collection(line)})
    if line.transform:
        said = f"{said[:-1]}, transform: [{', '.join(line.transform)}]}}"
    return f"    {(scalar(line.name) + ':').ljust(width)} {said}"


def _text(line: Line) -> list[str]:
    reads = ("sourceField", line.source) if line.source is not None else ("value", line.value)
    lines = [f"    {scalar(line.name)}:", f"      {reads[0]}: {scalar(reads[1])}"]
    lines += [f"      {name}: {scalar(value)}" for name, value in _collection(line).items()]
    lines.append(_said("      extractMemories: true", line.reason))
    if line.transform:
        lines.append(f"      transform: [{', '.join(line.transform)}]")
    return lines


def _left_out(made: Proposal) -> list[str]:
    if not made.left_out:
        return []
    lines = ["", "# Left out:"]
    for reason, names in made.left_out.items():
        more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
        lines += _comment(f"- {reason} ({len(names):,}): {', '.join(names[:MOST_NAMES])}{more}", hang="  ")
    return lines


def _said(line: str, reason: str) -> str:
    """A line with its reason behind it."""
    return f"{line}  # {_harmless(reason)}" if reason else line


def _comment(text: str, hang: str = "") -> list[str]:
    """A remark, broken into lines."""
    lines: list[str] = []
    line = "#"
    for word in _harmless(text).split():
        if len(line) + len(word) + 1 > _WIDTH and line not in ("#", f"#{hang}"):
            lines.append(line)
            line = f"#{hang}"
        line += f" {word}"
    return [*lines, line]


def _harmless(text: str) -> str:
    """Somebody else's text in a comment: one line, nothing that steers a terminal."""
    return printable(" ".join(text.split()))
