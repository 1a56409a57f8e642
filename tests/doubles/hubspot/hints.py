"""How to change the records from a terminal: lines to copy, for what is there and what the token may do."""

from __future__ import annotations

from collections.abc import Iterator

from .sample import CARS
from .server import HubSpot

_HEAD = """
To change records while it runs:
  A="Authorization: Bearer {token}"; C={url}/crm/v3/objects"""
_MISSING = "\nThe token may change nothing of them; for lines that do, add to --scopes: {scopes}"
_CONTACT = """\
  curl -H "$A" $C/contacts/{0} -X PATCH --json '{{"properties": {{"firstname": "Zoe"}}}}'
  curl -H "$A" $C/contacts --json '{{"properties": {{"email": "new@example.com"}}}}'"""
_OTHERS = """\
  curl -H "$A" $C/contacts/{1} -X DELETE    # archive
  curl -H "$A" $C/contacts/merge --json '{{"primaryObjectId": "{0}", "objectIdToMerge": "{2}"}}'"""
_ERASE = """\
  curl -H "$A" $C/contacts/gdpr-delete --json '{{"objectId": "{3}"}}'    # erase"""
_NOTE = """\
  curl -H "$A" $C/notes/{note} -X PATCH --json '{{"properties": {{"hs_note_body": "Wants a call in May."}}}}'"""
_LINK = """\
  curl -H "$A" {url}/crm/v4/objects/notes/{note}/associations/default/contacts/{contact} -X PUT    # {what}"""
_CAR = """\
  curl -H "$A" $C/{type}/{car} -X PATCH --json '{{"properties": {{"remarks": "Sold in May."}}}}'"""
_YOUNG = 13 * 86_400_000
"""Milliseconds: readers look at older notes rarely, or not at all."""


def hints(crm: HubSpot) -> str:
    """Commands that work as they stand; empty where there is nothing to change."""
    wanted = [one for one in ("contacts", "notes", CARS) if crm.account.catalog.find(one) and crm.ids(one, 1)]
    may = [one for one in wanted if _may(crm, one)]
    if not may:
        scopes = sorted({_scope(crm, one) for one in wanted})
        return _MISSING.format(scopes=", ".join(scopes)) + "\n" if scopes else ""
    lines = [_HEAD.format(token=crm.token, url=crm.url), *_lines(crm, may)]
    return "\n".join(lines) + "\n"


def _lines(crm: HubSpot, may: list[str]) -> Iterator[str]:
    contacts = crm.ids("contacts", 4) if "contacts" in may else []
    for text, needed in ((_CONTACT, 1), (_OTHERS, 3), (_ERASE, 4)):
        if len(contacts) >= needed:
            yield text.format(*contacts)
    if "notes" in may:
        yield _NOTE.format(note=crm.ids("notes", 1)[0])
        if contacts:
            note, alone = _note_to_link(crm)
            what = "a note about nobody gets its contact" if alone else "one more contact of a note"
            yield _LINK.format(url=crm.url, note=note, contact=contacts[0], what=what)
    if CARS in may:
        yield _CAR.format(type=CARS, car=crm.ids(CARS, 1)[0])


def _note_to_link(crm: HubSpot) -> tuple[str, bool]:
    """A note young enough that new associations are looked for; and whether it is about nobody."""
    notes, contacts = (crm.account.catalog.known(one).id for one in ("notes", "contacts"))
    rows = [row for one in crm.ids("notes", 5_000) if (row := crm.record("notes", one))]
    young = [row for row in rows if row.created > crm.account.now() - _YOUNG]
    alone = next((row for row in young if not crm.account.store.links(notes, row.id, contacts)), None)
    return str((alone or max(rows, key=lambda row: row.created)).id), alone is not None


def _scope(crm: HubSpot, name: str) -> str:
    return crm.account.catalog.known(name).write_scope


def _may(crm: HubSpot, name: str) -> bool:
    return crm.options.scopes is None or _scope(crm, name) in crm.options.scopes
