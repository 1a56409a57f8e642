"""What there is to know about the account: properties, schemas, owners, its details, and what was used."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .account import Account, Call
from .answers import Answer, invalid, not_found
from .catalog import ObjectType
from .checks import flag, whole
from .rendering import readable_with
from .stamps import iso, milliseconds

_ONLY_V3 = ("textDisplayHint", "numberDisplayHint", "currencyPropertyName")
"""Members that the date versions dropped."""
_SENSITIVITIES = ("non_sensitive", "sensitive", "highly_sensitive")


def list_properties(account: Account, call: Call) -> Answer:
    """All properties of a type that the token may see, without pages."""
    kind = account.reads(call.names["type"])
    archived = flag(call.parameter("archived"), "archived")
    sensitivity = call.parameter("dataSensitivity") or "non_sensitive"
    if sensitivity not in _SENSITIVITIES:
        raise invalid(f"dataSensitivity must be one of {', '.join(_SENSITIVITIES)}")
    shown = [
        _property(one, call)
        for one in kind.properties.values()
        if one["dataSensitivity"] == sensitivity and readable_with(one, account.options.scopes, kind)
    ]
    return Answer(200, {"results": [] if archived else shown})


def get_property(account: Account, call: Call) -> Answer:
    kind = account.reads(call.names["type"])
    found = kind.properties.get(call.names["property"])
    if found is None or not readable_with(found, account.options.scopes, kind):
        raise not_found(f'Property "{call.names["property"]}" does not exist')
    return Answer(200, _property(found, call))


def _property(definition: dict, call: Call) -> dict:
    dropped = () if call.version == "v3" else _ONLY_V3
    return {name: value for name, value in definition.items() if name not in dropped}


def list_schemas(account: Account, call: Call) -> Answer:
    """All custom types in one page; `archived=true` lists the archived ones alone."""
    account.require("crm.schemas.custom.read")
    archived = flag(call.parameter("archived"), "archived")
    customs = [one for one in account.catalog.types.values() if one.schema and one.schema["archived"] == archived]
    return Answer(200, {"results": [_schema(one, call) for one in customs]})


def get_schema(account: Account, call: Call) -> Answer:
    account.require("crm.schemas.custom.read")
    kind = account.catalog.find(call.names["type"])
    if kind is None or kind.schema is None:
        raise not_found(f"Unable to find object type {call.names['type']}")
    return Answer(200, _schema(kind, call))


def _schema(kind: ObjectType, call: Call) -> dict:
    shown = call.parameter("includePropertyDefinitions") != "false"
    return kind.schema | {"properties": [_property(one, call) for one in kind.properties.values() if shown]}


def list_owners(account: Account, call: Call) -> Answer:
    account.require("crm.objects.owners.read")
    archived = flag(call.parameter("archived"), "archived")
    limit = whole(call.parameter("limit"), "limit", low=1, high=500, default=100)
    first = whole(call.parameter("after"), "after", low=0, high=10**12, default=0)
    email = call.parameter("email")
    found = [one for one in account.owners if one["archived"] == archived and email in (None, one["email"])]
    answer: dict = {"results": found[first : first + limit]}
    if first + limit < len(found):
        link = f"https://api.hubapi.invalid/crm/{call.version}/owners?after={first + limit}"
        answer["paging"] = {"next": {"after": str(first + limit), "link": link}}
    return Answer(200, answer)


def owner(number: int, first: str, last: str, *, archived: bool = False) -> dict:
    """An owner of records."""
    return {
        "id": str(number),
        "email": f"{first}.{last}@example.com".lower(),
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": number + 1000,
        "createdAt": "2023-01-01T00:00:00Z",
        "updatedAt": "2023-01-01T00:00:00Z",
        "archived": archived,
    }


def details(account: Account, call: Call) -> Answer:
    """Which account this is, and where its days begin."""
    offset = _local(account).utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    return Answer(
        200,
        {
            "portalId": account.options.portal,
            "accountType": "STANDARD",
            "timeZone": account.options.time_zone,
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}",
            "utcOffsetMilliseconds": minutes * 60_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )


def usage(account: Account, call: Call) -> Answer:
    """How much of the day's calls is used, and when the next day begins."""
    limits = account.options.limits
    return Answer(
        200,
        {
            "results": [
                {
                    "name": "private-apps-api-calls-daily",
                    "usageLimit": (limits and limits.per_day) or 1_000_000,
                    "currentUsage": account.used_today,
                    "resetsAt": iso(milliseconds(midnight(account))),
                    "collectedAt": iso(account.now()),
                    "fetchStatus": "SUCCESS",
                }
            ]
        },
    )


def midnight(account: Account) -> datetime:
    """The next beginning of a day in the account's time zone."""
    tomorrow = _local(account).date() + timedelta(days=1)
    return datetime.combine(tomorrow, datetime.min.time(), ZoneInfo(account.options.time_zone))


def _local(account: Account) -> datetime:
    return datetime.fromtimestamp(account.options.clock(), ZoneInfo(account.options.time_zone))
