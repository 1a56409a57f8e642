"""How a traced record looks on the screen: the one place that shows its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click
import orjson

from state.tracing import RowState
from sync.commands import screen
from sync.exits import REJECTS
from sync.maps.model import PropertyMap
from sync.summary import Summary
from sync.trace import Gone, Held, Step, Traced

LONGEST = 60
"""Characters of a value in the table; --json shows all."""
_NEXT = {
    "rejected": "not sent: it cannot be mapped",
    "new": "never delivered: {} sent",
    "changed": "changed since it was delivered: {} sent",
    "unchanged": "unchanged since it was delivered: not sent (--resend sends it all the same)",
}
_DELIVERY = {
    "never": "not delivered",
    "waiting": "accepted, not settled yet: the next run follows its event",
    "settled": "settled: stored as it is now",
    "failed": "failed: the next run sends it again",
    "rejected": "a reject: it could not be delivered",
    "stale": "an older version was delivered",
}


def show(
    property_map: PropertyMap,
    rows: Sequence[Traced],
    summary: Summary | None,
    code: int,
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Show rows of one record, end to end."""
    message = summary.message if summary is not None else ""
    if as_json:
        documents = [_document(property_map, one) for one in rows]
        head = {"ok": code == 0, "command": "trace", "exit": code, "stream": property_map.stream, "dry_run": dry_run}
        screen.show_json(head | {"message": message, "rows": documents})
    else:
        for one in rows:
            for line in _lines(property_map, one):
                screen.say(line)
            _table(one.mapped.steps)
            for line in _endings(one, dry_run=dry_run):
                screen.say(line)
    if message:
        click.echo(screen.one_line(f"memsync: {property_map.stream}: {message}"), err=True)


def show_gone(stream: str, found: Sequence[tuple[RowState, Gone | None]], *, as_json: bool) -> None:
    """Show what is known of rows whose record the source does not have any more."""
    if as_json:
        rows = [{"key": one.key, "found": False, "gone": _gone(gone), "state": _state(one)} for one, gone in found]
        screen.show_json({"ok": False, "command": "trace", "exit": REJECTS, "stream": stream, "rows": rows})
        return
    for one, gone in found:
        screen.say(screen.one_line(f"{stream} {one.key}"))
        screen.say("  read      not there: gone from the source, or outside `where`; memory may still have it")
        if gone is not None:
            when = screen.moment(gone.seen_at)
            screen.say(screen.one_line(f"  gone      {gone.word}; seen by the run of {when} UTC"))
        if one.fingerprint is not None:
            screen.say("  delivered once, as it was then")
        for line in _known(one):
            screen.say(line)


def _lines(property_map: PropertyMap, one: Traced) -> Iterator[str]:
    mapped, (kind, path) = one.mapped, property_map.mapping.identity
    version = f", version {mapped.record.version}" if mapped.record.version else ""
    yield screen.one_line(f"{property_map.stream} {mapped.record.key}")
    yield screen.one_line(f"  read      found by its key, {screen.count(len(mapped.record.fields), 'field')}{version}")
    if mapped.row is not None:
        name = property_map.mapping.custom_key_name or kind
        yield screen.one_line(f"  identity  {name} = {screen.value(mapped.row.identity, LONGEST)} (field {path})")
    if mapped.has_moved:
        yield "            another one than when it was delivered: memory keeps what it had under the old one"
    yield "  mapped"


def _table(steps: Sequence[Step]) -> None:
    rows = [["", step.name, step.source, screen.value(step.value, LONGEST), _remark(step)] for step in steps]
    screen.table(["   ", "property", "from", "value", "remarks"], rows)


def _remark(step: Step) -> str:
    remarks = [step.problem] if step.problem else []
    if step.is_text:
        remarks.append("text" + (", left out: delivered before" if step.left_out else ""))
    if step.changed_by:
        remarks.append(f"changed by {', '.join(step.changed_by)} from {screen.value(step.read, LONGEST)}")
    return "; ".join(remarks)


def _endings(one: Traced, *, dry_run: bool) -> Iterator[str]:
    mapped = one.mapped
    if mapped.reject is not None:
        yield screen.one_line(f"  reject    {mapped.reject.code}: {mapped.reject.message}")
    if mapped.row is not None:
        names = screen.one_line(", ".join(orjson.loads(mapped.body)))
        yield f"  row       {len(mapped.body):,} bytes: {names}"
        yield f"  hash      {mapped.row.fingerprint.hex()} now, {_hex(mapped.delivered) or 'none'} as delivered before"
    verb = "was" if one.sent else "would be" if dry_run else "is to be"
    again = one.sent and mapped.verdict == "unchanged"
    yield "  verdict   " + ("unchanged, and sent again" if again else _NEXT[mapped.verdict].format(verb))
    if one.event_id:
        yield screen.one_line(f"  event     {one.event_id}, accepted {screen.moment(one.accepted_at)} UTC")
    yield f"  delivery  {_DELIVERY[one.delivery]}"
    yield from _known(one.state)
    yield from _memory(one)


def _known(state: RowState) -> Iterator[str]:
    for following in state.following:
        when = screen.moment(following.accepted_at)
        told = f"status {following.status}, asked for {screen.count(following.polls, 'time')}"
        rows = screen.count(following.rows, "row")
        yield screen.one_line(f"  waiting   {following.event_id} of {rows}, since {when} UTC: {told}")
    if state.again is not None:
        yield screen.one_line(
            f"  failed    {screen.count(state.again.attempts, 'time')}, {state.again.code}: {state.again.message}"
        )
    if state.reject is not None:
        last = screen.moment(state.reject.last_at)
        yield screen.one_line(f"  on file   reject since {last} UTC, {state.reject.code}: {state.reject.message}")


def _memory(one: Traced) -> Iterator[str]:
    held = one.held
    if held is None:
        return
    if held.record_id is None:
        yield "  memory    has no such record"
        return
    yield screen.one_line(f"  memory    record {held.record_id}: {len(held.equal)} of {_number(held)} as mapped")
    for wrong in held.wrong:
        stored = screen.value(wrong.stored, LONGEST)
        yield screen.one_line(f"            {wrong.name} is {wrong.word}: memory has {stored}")
    if held.memories is None:
        yield "            the server does not tell its memories"
    else:
        yield f"            {screen.count(len(held.memories), 'memory').replace('memorys', 'memories')}"
    for text in (held.memories or ())[:3]:
        yield screen.one_line(f"              {screen.value(text, LONGEST)}")
    if one.delivery == "settled" and held.wrong:
        yield "            (another row with the same identity may have been sent later: memory keeps the newest)"


def _number(held: Held) -> str:
    number = len(held.equal) + len(held.wrong)
    return f"{number} plain {'property' if number == 1 else 'properties'}"


def _document(property_map: PropertyMap, one: Traced) -> dict[str, Any]:
    mapped, (kind, path) = one.mapped, property_map.mapping.identity
    row, reject = mapped.row, mapped.reject
    identity = {"kind": kind, "name": property_map.mapping.custom_key_name or kind, "field": path}
    return {
        "key": mapped.record.key,
        "found": True,
        "version": mapped.record.version,
        "record": dict(mapped.record.fields),
        "identity": identity | {"value": row.identity if row else None},
        "properties": [step._asdict() for step in mapped.steps],
        "reject": reject._asdict() if reject else None,
        "row": {"bytes": len(mapped.body), "keys": list(orjson.loads(mapped.body))} if row else None,
        "fingerprint": _hex(row.fingerprint) if row else None,
        "fingerprint_delivered": _hex(mapped.delivered),
        "verdict": mapped.verdict,
        "identity_changed": mapped.has_moved,
        "sent": one.sent,
        "event_id": one.event_id or None,
        "accepted_at": screen.iso(one.accepted_at),
        "delivery": one.delivery,
        "state": _state(one.state),
        "memory": _held(one.held),
    }


def _gone(gone: Gone | None) -> dict[str, Any] | None:
    return None if gone is None else {"word": gone.word, "seen_at": screen.iso(gone.seen_at)}


def _held(held: Held | None) -> dict[str, Any] | None:
    if held is None:
        return None
    wrong = [found._asdict() | {"word": found.word} for found in held.wrong]
    return {"found": held.record_id is not None, **held._asdict(), "wrong": wrong}


def _state(state: RowState) -> dict[str, Any]:
    waiting = [
        {"event_id": one.event_id, "accepted_at": screen.iso(one.accepted_at), "status": one.status, "rows": one.rows}
        for one in state.following
    ]
    again, reject = state.again, state.reject
    return {
        "fingerprint": _hex(state.fingerprint),
        "waiting": waiting,
        "failed": {"attempts": again.attempts, "code": again.code, "message": again.message} if again else None,
        "due_again": state.due,
        "reject": {"code": reject.code, "message": reject.message, "last_at": screen.iso(reject.last_at)}
        if reject
        else None,
    }


def _hex(mark: bytes | None) -> str | None:
    return None if mark is None else mark.hex()
