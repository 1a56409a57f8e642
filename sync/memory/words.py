"""What a server says, without what may be a piece of a record: the words that stay, and how the others are found."""

from __future__ import annotations

import html
import re
from collections.abc import Container
from typing import Any
from urllib.parse import unquote

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
_WORD = re.compile(r"\w+")
_CODE = re.compile(r"[A-Z]+([_.-]([A-Z]+|[0-9]{1,3}))*|[a-z]+([_.-]([a-z]+|[0-9]{1,3}))*")
_LONGEST_CODE = 60
_SHORT_NUMBER = re.compile(r"[0-9]{1,3}")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})|\\+[nrtbf]?")
_ROWS = b'"rows":['
HIDDEN = "..."

PLAIN = frozenset(
    """
    a able about above accept accepted access account across action active actual add added additional address after
    again age agent all allowed already also amount an and another any api app applied are argument array as ask at
    attempt attempts auth authentication authorization authorized available back bad balance base batch be because
    been before below between billing blank body boolean both bucket but by byte bytes call called calls came can
    cancelled cannot cap case category certificate change changed character characters check city clear client close
    closed code collection collections column come common company complete completed condition conflict connect
    connected connection contact contacts contain contains content control correct could count country create
    created credit credits current custom data database date datetime day days deadline default delete deleted denied
    deprecated description detail details did different digest disabled does domain done down dry dryrun due duplicate
    during e each early edit either element else email emails empty enabled encoded encoding end ended enough
    entity entitytype entry equal error errors event eventid events every exactly example exceed exceeded exceeds
    exist existing exists expected expired extra extract extracted extraction fail failed failure false few field
    fields file filter final first float for forbidden form format found from full gateway get given goes gone good
    greater group had has have header headers help here high host hour hours http https id identifier identifiers
    identity if in include incomplete incorrect index input insufficient integer internal into invalid is it item
    items its join json key keys kind known large larger last later latest least length less like limit limited
    limits line link list lists load long longer lost low made mail make many mapping maps match matches max maximum
    may me member members memorize memory message method min minimum minute minutes misconfigured missing mismatch
    mode model month more most moved much must name named names need needs never new next no none not note notes
    nothing now null number numbers object odd of off offset ok old on once one only open operation option or order
    organization other our out over owner page param parameter parameters params parse partial partially path payload
    pending per permission permitted phone plan please port possible post present previous problem process processed
    processing property properties provide provided proxy put query queue queued quota range rate reached read reason
    received record recordid records redirect refused register rejected remove repeated replace request requests
    require required requires reset resource response result retry returned right row rows run same say scope search
    second seconds see send sent server service set setting should size skipped some something source specified start
    state status still stopped store stored string success such supported sync syntax system tag tags take taken
    temporarily temporary text than that the their them then there they this three through tier time timed timeout
    timestamp to token too top total transient true try twice two type unable unauthenticated unauthorized unavailable
    under unexpected unique unknown unprocessable unreadable unsupported until up update updated upgrade upstream url
    usage use used user valid validate validation value values version wait waiting was way we website week were what
    when where which while whole why will with within without word words workspace write wrong year yes yet you your
    zero zone
    """.split()
)
"""Words that say what went wrong, in small letters: whoever shares one with a record gives nothing away."""


_OF_CODES = frozenset(
    """
    abort aborted aborts bounced busy cancel consent disallowed exhausted failures fault faulty http ineligible
    inconsistent invalidated locked malformed nonexistent oversize oversized overflow overloaded precondition
    prohibited protected readonly retriable retry schema suppressed tenant throttle throttled tries unresolved
    unreachable unverified upsert violated violation
    """.split()
)
_OF_STATUSES = frozenset(
    """
    aborted accepted active applied archived blocked busy canceled cancelled cancelling closed committed complete
    completed completing created deferred delayed deleted delivered deploying done draft enqueued error expired
    extracting failed finalizing finished flushed halted held idle importing in indexed indexing ingested ingesting
    initialized initializing interrupted loaded loading locked memorized memorizing new not on hold open partial
    partially paused pending planned posted preparing processed processing progress published queued read ready
    received rejected replayed resumed resuming retried retrying review running saved saving scheduled sent settled
    skipped sleeping stale stalled started starting stopped stopping stored submitted succeeded success suspended
    synced syncing throttled timed timeout out uncertain undelivered unknown updating uploading validated validating
    verified verifying waiting for retry with errors warnings working written
    """.split()
)
_LONGEST_STATUS = 40
NO_STATUS, ODD_STATUS = "none", "a word of its own"


def known_code(*candidates: Any) -> str:
    """The first of these that is the name of an error in the API's own words; any other may be a piece of a record."""
    return next((text for text in candidates if isinstance(text, str) and is_code(text)), "")


def is_code(text: str) -> bool:
    """Whether a text is the name of an error: common words, all in capitals or all in small letters."""
    if len(text) > _LONGEST_CODE or not _CODE.fullmatch(text):
        return False
    return all(p.isdecimal() or p in PLAIN or p in _OF_CODES for p in re.split(r"[_.-]", text.lower()))


def status_word(word: str, known: Container[str]) -> str:
    """A status as it may be shown: a known one, or one made of words that a status is made of."""
    if not word:
        return NO_STATUS
    plain = len(word) <= _LONGEST_STATUS and all(part in _OF_STATUSES for part in word.split("_"))
    return word if plain or word in known else ODD_STATUS


def without_values(text: str, sent: bytes | None) -> str:
    """The text without the words that stand in what was sent; None: nobody knows what, so only plain words stay.

    Found in any case and however escaped, whole or cut. The names in a batch's own frame (properties, fields) stay.
    """
    if sent is None:
        return without_names(text)
    if not sent:
        return text
    frame, marker, rows = sent.partition(_ROWS)
    where = (rows if marker else sent).decode("utf-8", "replace").casefold()
    stay = PLAIN.union(_WORD.findall(frame.decode("utf-8", "replace").casefold())) if marker else PLAIN
    shown = _WORD.sub(lambda word: _shown(word[0], stay, where), _unescaped(text))
    return "".join(char if char.isprintable() else " " for char in shown)


def _shown(word: str, stay: frozenset[str], where: str) -> str:
    small = word.casefold()
    return word if small in stay or small not in where else HIDDEN


def _unescaped(text: str) -> str:
    """The text as people read it: JSON's, HTML's and URLs' ways of writing letters undone."""
    text = html.unescape(unquote(text))
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", text)


def without_names(text: str) -> str:
    """The text without quotations and with plain words only, for where the rows that it is about are not at hand."""
    return " ".join(word if _is_plain(word) else HIDDEN for word in _QUOTED.sub(HIDDEN, text).split(" "))


def _is_plain(word: str) -> bool:
    bare = word.strip(".,:;()!?<>")
    if is_code(bare) or _SHORT_NUMBER.fullmatch(bare):
        return True
    return all(part.casefold() in PLAIN for part in _WORD.findall(bare))
