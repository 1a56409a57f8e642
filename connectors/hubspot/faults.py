"""What an answer that is no success means: wait and ask again, or an error that says what to do. Pure decisions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from connectors.base import ConnectorError, SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.hubspot.objects import CONTACTS_READ
from connectors.hubspot.transport import Answer
from connectors.hubspot.wording import Said

TRIES = 6
"""Pauses after temporary failures: 1, 2, 4 ... seconds."""
LIMITED_TRIES = 20
"""Pauses after `429`: others share the limit, and each pause is short."""
PATIENCE = 600.0
"""Seconds; what asks for a longer pause is left to the next run."""
_LONGEST = 60.0
_TEMPORARY = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527})
_MISSING_SCOPES = re.compile(
    r"hasn.t been granted all required scopes|do not have permissions? to|requires one of \[|is missing required|"
    r"does not have proper permissions|isn.t available for public use|USER_DOES_NOT_HAVE_PERMISSIONS",
    re.IGNORECASE,
)


class RequestRefused(SourceMisconfigured):
    """This very request is wrong, says the server; the same one will be again."""


class TokenRefused(SourceRefused):
    """The token itself is not accepted, whatever is asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as messages speak of it."""

    what: str
    """Such as `reading notes`."""
    host: str
    token_variable: str
    scopes: tuple[str, ...] = ()
    """What the call needs, as far as it is known without asking."""
    zone: str | None = None
    """The account's time zone; None while it is not known."""

    version: str = "v3"
    """Which paths are used."""

    @property
    def version_variable(self) -> str:
        """The variable that chooses the paths."""
        return f"{self.token_variable.removesuffix('HUBSPOT_ACCESS_TOKEN')}HUBSPOT_API_VERSION"

    @property
    def url_variable(self) -> str:
        """The variable that says where the API is."""
        return f"{self.token_variable.removesuffix('HUBSPOT_ACCESS_TOKEN')}HUBSPOT_BASE_URL"


@dataclass(frozen=True, slots=True)
class Again:
    """Ask again after so many seconds; after `tries` pauses, `error` ends it."""

    seconds: float
    tries: int
    error: ConnectorError


def judge(answer: Answer, asked: Asked, pauses: int, now: datetime) -> Again | ConnectorError:
    """Decide over an answer outside of 200 to 299; `pauses` were made before."""
    said = Said.of(answer)
    status = answer.status
    if status == 429:
        return _limited(answer, said, asked, now)
    if status == 477:
        return _moving(answer, asked, now)
    if status == 401:
        return Again(1.0, 1, _bad_token(asked, said))
    if status == 530:
        return _bad_token(asked, said)
    if status == 403:
        return _forbidden(asked, said)
    if status == 423:
        return Again(
            max(2.0, _retry_after(answer, now) or 0), TRIES, _unreachable(asked, "keeps the records locked", said)
        )
    if status in _TEMPORARY or status > 530:
        pause = _retry_after(answer, now)
        error = _unreachable(asked, f"answers {status}", said)
        return error if (pause or 0) > PATIENCE else Again(pause or backoff(pauses), TRIES, error)
    return _wrong_request(status, asked, said)


def backoff(pauses: int) -> float:
    """Seconds before asking again: 1, 2, 4 ... 60."""
    return min(_LONGEST, 2.0**pauses)


def unreachable(asked: Asked, reason: str) -> SourceUnreachable:
    """The error for a server that gives no answer."""
    return SourceUnreachable(f"{asked.what}: {asked.host}: {reason}. Nothing was lost: run again later")


def _limited(answer: Answer, said: Said, asked: Asked, now: datetime) -> Again | ConnectorError:
    if said.policy == "DAILY":
        return SourceUnreachable(
            f"{asked.what}: the account's daily limit of API calls is used up; it is renewed {_midnight(asked, now)}. "
            "Nothing was lost: the next run after that goes on from here"
        )
    told = _retry_after(answer, now)
    error = _unreachable(asked, "keeps answering 429 (too many calls; other applications share the limit)", said)
    if (told or 0) > PATIENCE:
        return error
    return Again(told or (10.0 if said.policy == "TEN_SECONDLY_ROLLING" else 1.0), LIMITED_TRIES, error)


def _midnight(asked: Asked, now: datetime) -> str:
    try:
        zone = ZoneInfo(asked.zone or "")
    except (ValueError, OSError, LookupError):
        return "at midnight in the account's time zone"
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    moment = datetime.combine(tomorrow, time(), tzinfo=zone)
    return f"at {moment.isoformat(timespec='minutes')} ({asked.zone})"


def _moving(answer: Answer, asked: Asked, now: datetime) -> ConnectorError:
    pause = _retry_after(answer, now)
    when = f"; it asks to come back in {_span(pause)}" if pause else ""
    return unreachable(asked, f"moves this account to another data centre (477){when}")


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.0f} minutes"


def _bad_token(asked: Asked, said: Said) -> TokenRefused:
    return TokenRefused(
        f"{asked.what}: {asked.host} does not accept {asked.token_variable}{said.quoted}: "
        "copy the token once more, or create a new one; it may have been rotated, revoked, or cut short"
    )


def _forbidden(asked: Asked, said: Said) -> SourceRefused:
    scopes = said.scopes or asked.scopes
    if "private to its owner" in said.message.lower():
        return SourceRefused(
            f"{asked.what}: a record is private to its owner{said.quoted}: let a super admin make the token, with "
            f"{', '.join(scopes) or CONTACTS_READ}"
        )
    missing = said.category == "MISSING_SCOPES" or _MISSING_SCOPES.search(said.message) or scopes
    if not missing:
        return SourceRefused(f"{asked.what}: {asked.host} refuses the call{said.quoted}: check the scopes of the token")
    several = (
        "one of the scopes" if said.scopes and len(scopes) > 1 else "the scopes" if len(scopes) > 1 else "the scope"
    )
    named = ", ".join(scopes) or CONTACTS_READ
    return SourceRefused(
        f"{asked.what}: the token in {asked.token_variable} may not do that: grant it {several} {named} "
        f"in HubSpot{said.quoted}"
    )


def _wrong_request(status: int, asked: Asked, said: Said) -> ConnectorError:
    if 300 <= status < 400:
        return SourceMisconfigured(
            f"{asked.what}: {asked.host} answers with a redirect ({status}), which is not followed because the token "
            f"travels with every call: correct {asked.url_variable}"
        )
    if status == 404:
        hint = "" if asked.version == "v3" else f": check {asked.version_variable} ({asked.version}) and the object"
        return RequestRefused(f"{asked.what}: {asked.host} knows no such object or path{said.quoted}{hint}")
    return RequestRefused(
        f"{asked.what}: {asked.host} refuses the request ({status}){said.quoted}: correct `source` in the map"
    )


def _unreachable(asked: Asked, reason: str, said: Said) -> SourceUnreachable:
    return unreachable(asked, f"{reason}{said.quoted}")


def _retry_after(answer: Answer, now: datetime) -> float | None:
    """The seconds that the answer asks to wait; None when it does not say."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text)) if text.replace(".", "", 1).isdigit() else _until(text, now)
    except (ValueError, TypeError, OverflowError):
        return None


def _until(text: str, now: datetime) -> float:
    moment = parsedate_to_datetime(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
