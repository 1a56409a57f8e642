"""What `memsync trace` does: one record is looked up, sent if it is due, followed, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from connectors.base import Record
from state.tracing import RowState
from sync.codes import OK, REJECTS
from sync.commands import screen, traced
from sync.commands.refusal import Refused
from sync.commands.session import saying_when_stopped, surroundings
from sync.lookup import by_search
from sync.maps.compile import CompiledMap, compile_map
from sync.maps.model import PropertyMap
from sync.request import Request, Surroundings, open_source
from sync.run import run_stream
from sync.settings import Settings
from sync.settle import settle_first
from sync.summary import Summary
from sync.trace import (
    MOST,
    Mapped,
    Traced,
    fetch_meant,
    gone_before,
    held_of,
    keys_meant,
    known_rows,
    map_record,
)


def trace(
    property_map: PropertyMap,
    key: str,
    settings: Settings,
    *,
    dry_run: bool,
    resend: bool,
    wait: float,
    as_json: bool,
    debug: bool,
) -> int:
    """Follow one record end to end and show it; returns the exit code."""
    shown = screen.Progress()
    with surroundings(settings, dry_run=dry_run, debug=debug, progress=shown.show) as around:
        rows = _look(property_map, around, key, resend=resend)
        if not rows:
            return _say_gone(property_map, around, key, as_json=as_json)
        with saying_when_stopped(around.stop, "stopped; what was accepted is recorded, and the next run follows it"):
            summary = None if dry_run else _send(property_map, around, rows, resend=resend)
            ended = [_end(property_map, around, one, summary, 0.0 if dry_run else wait, resend=resend) for one in rows]
        shown.clear()
    code = _code(ended, summary)
    traced.show(property_map, ended, summary, code, as_json=as_json, dry_run=dry_run)
    return code


def _compiled(property_map: PropertyMap, around: Surroundings) -> CompiledMap:
    salt = around.store.salt(property_map.stream) if around.store else None
    return compile_map(property_map, salt or b"trace")


def _look(property_map: PropertyMap, around: Surroundings, text: str, *, resend: bool) -> list[Mapped]:
    """The rows of the record as the source has it now, each beside what was delivered of it."""
    compiled, store, stream = _compiled(property_map, around), around.store, property_map.stream
    records = _read(property_map, around, compiled, text)
    marks = store.fingerprints(stream, [one.key for one in records]) if store else {}
    return [map_record(property_map, compiled, one, marks.get(one.key), resend=resend) for one in records]


def _read(property_map: PropertyMap, around: Surroundings, compiled: CompiledMap, text: str) -> Sequence[Record]:
    keys, _ = keys_meant(text)
    with closing(open_source(property_map, None, compiled.source_fields, around.stop.pause)) as connector:
        if found := fetch_meant(connector, keys):
            return found
        known = known_rows(around.store, property_map.stream, text)[:MOST]
        return list(connector.fetch(known)) if known else []


def _say_gone(property_map: PropertyMap, around: Surroundings, text: str, *, as_json: bool) -> int:
    """Tell of a record that the source does not have: known from earlier, or raise Refused."""
    stream, store = property_map.stream, around.store
    gone = {one.key: one for one in gone_before(store, stream, text)}
    known = list(dict.fromkeys([*known_rows(store, stream, text), *gone]))
    if store is None or not known:
        raise Refused(
            f"{stream}: the key {text!r} is not in the source (or outside the map's where), and the state store knows "
            f"nothing of it (any more): never delivered, gone, or misspelt; {_key_hint(property_map, around)}"
        )
    traced.show_gone(stream, [(store.row_state(stream, key), gone.get(key)) for key in known[:MOST]], as_json=as_json)
    return REJECTS


def _key_hint(property_map: PropertyMap, around: Surroundings) -> str:
    """What a key of this stream looks like."""
    fields = _compiled(property_map, around).source_fields
    with closing(open_source(property_map, None, fields, around.stop.pause)) as connector:
        names = connector.check().primary_key
    if len(names) == 1:
        return f"a key is a value of {names[0]}"
    return f"""a key is a JSON list of the values of {", ".join(names)}, such as '["42","7"]'"""


def _send(property_map: PropertyMap, around: Surroundings, rows: Sequence[Mapped], *, resend: bool) -> Summary | None:
    """Bring what is due of these rows to the server, as a run does; None when nothing is."""
    due = [one.record.key for one in rows if resend or one.verdict != "unchanged"]
    return run_stream(property_map, Request("trace", resend=resend, wait=0.0, keys=due), around) if due else None


def _end(
    property_map: PropertyMap,
    around: Surroundings,
    mapped: Mapped,
    summary: Summary | None,
    wait: float,
    *,
    resend: bool,
) -> Traced:
    """What became of a row: its event followed to its end, and memory read back."""
    stream, store, key = property_map.stream, around.store, mapped.record.key
    before = state = store.row_state(stream, key) if store else RowState(key)
    went_well = summary is None or summary.exit in (OK, REJECTS)
    if store is not None and state.following and went_well:
        events = {one.event_id for one in state.following}
        settle_first(stream, around, wait, events)
        state = store.row_state(stream, key)
    compiled = _compiled(property_map, around)
    made = map_record(property_map, compiled, mapped.record, mapped.delivered, resend=False)
    held = held_of(made, compiled, by_search(around.destination, around.pacer, compiled)) if went_well else None
    last = before.following[-1] if before.following else None
    salted = replace(mapped, row=made.row)  # before its stream's first run a row has another fingerprint
    was_due = resend or mapped.verdict != "unchanged"
    sent = was_due and summary is not None and summary.accepted > 0 and last is not None
    accepted = None if last is None else last.accepted_at
    return Traced(salted, state, held, sent, last.event_id if last else "", accepted)


def _code(rows: Sequence[Traced], summary: Summary | None) -> int:
    if summary is not None and summary.exit not in (OK, REJECTS):
        return summary.exit
    return OK if all(one.is_well for one in rows) else REJECTS
