"""Addresses to kinds of calls, and each kind's answer."""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .answers import Answer, Refusal, decoded, document, refusal
from .describing import describe, describe_global
from .replication import blob, deleted, period_of, updated
from .server import Request

if TYPE_CHECKING:
    from .org import Salesforce

FIRST_VERSION = 31
_V = r"/services/data/v(?P<version>\d+\.\d)"
_ROUTES = [
    ("token", "POST", r"/services/oauth2/token"),
    ("soap", "POST", r"/services/Soap/[uc]/[\d.]+(?:/.*)?"),
    ("versions", "GET", r"/services/data"),
    ("describe_global", "GET", rf"{_V}/sobjects"),
    ("describe", "GET", rf"{_V}/sobjects/(?P<object>\w+)/describe"),
    ("deleted", "GET", rf"{_V}/sobjects/(?P<object>\w+)/deleted"),
    ("updated", "GET", rf"{_V}/sobjects/(?P<object>\w+)/updated"),
    ("create", "POST", rf"{_V}/sobjects/(?P<object>\w+)"),
    ("record", "GET", rf"{_V}/sobjects/(?P<object>\w+)/(?P<id>\w{{15,18}})"),
    ("change", "PATCH", rf"{_V}/sobjects/(?P<object>\w+)/(?P<id>\w{{15,18}})"),
    ("delete", "DELETE", rf"{_V}/sobjects/(?P<object>\w+)/(?P<id>\w{{15,18}})"),
    ("blob", "GET", rf"{_V}/sobjects/(?P<object>\w+)/(?P<id>\w{{15,18}})/(?P<field>\w+)"),
    ("query", "GET", rf"{_V}/(?P<operation>query|queryAll)"),
    ("query_more", "GET", rf"{_V}/(?:query|queryAll)/(?P<locator>[^/]+)"),
    ("limits", "GET", rf"{_V}/limits"),
    ("bulk_create", "POST", rf"{_V}/jobs/query"),
    ("bulk_list", "GET", rf"{_V}/jobs/query"),
    ("bulk_status", "GET", rf"{_V}/jobs/query/(?P<id>\w+)"),
    ("bulk_abort", "PATCH", rf"{_V}/jobs/query/(?P<id>\w+)"),
    ("bulk_delete", "DELETE", rf"{_V}/jobs/query/(?P<id>\w+)"),
    ("bulk_results", "GET", rf"{_V}/jobs/query/(?P<id>\w+)/results"),
    ("batch", "POST", rf"{_V}/composite/batch"),
]
ROUTES = [(kind, method, re.compile(pattern)) for kind, method, pattern in _ROUTES]
WITHOUT_SESSION = {"token", "soap", "versions"}


def kind_of(method: str, path: str) -> tuple[str, dict[str, str]]:
    """What a call asks for, and the named parts of its address."""
    for kind, wanted, pattern in ROUTES:
        match = pattern.fullmatch(path.rstrip("/")) if method == wanted else None
        if match:
            return kind, {name: value for name, value in match.groupdict().items() if value is not None}
    return "unknown", {}


def answer(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    """The answer to a call that has a session, or needs none."""
    if "version" in parts:
        check_version(org, parts["version"])
    handler = _HANDLERS.get(request.kind)
    if handler is None:
        raise refusal("NOT_FOUND")
    return handler(org, request, parts)


def check_version(org: "Salesforce", version: str) -> None:
    """Refuse versions that are gone and versions that are not there yet."""
    if float(version) < FIRST_VERSION:
        raise Refusal(410, "UNSUPPORTED_API_VERSION", f"API version {version} is no longer available")
    if float(version) > float(org.latest):
        raise refusal("NOT_FOUND")


def base(parts: dict[str, str]) -> str:
    return f"/services/data/v{parts['version']}"


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that came with a call."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "the body must be sent as application/json")
    try:
        found = json.loads(request.body or b"{}")
    except ValueError:
        raise Refusal(400, "JSON_PARSER_ERROR", "Unexpected character in the request body") from None
    if not isinstance(found, dict):
        raise Refusal(400, "JSON_PARSER_ERROR", "The request body is not an object")
    return found


def _versions(org: "Salesforce", *_: object) -> Answer:
    seasons = ("Winter", "Spring", "Summer")
    shown = []
    for number in range(FIRST_VERSION, int(float(org.latest)) + 1):
        years, season = divmod(number - 31, 3)
        label = f"{seasons[(season + 2) % 3]} '{14 + years + (season > 0)}"
        shown.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return document(shown)


def _describe_global(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    return document(describe_global(org.schema, base(parts)))


def _describe(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    if request.headers.get("if-modified-since") and not org.schema_changed_since(request.headers["if-modified-since"]):
        return Answer(304)
    found = describe(org.schema, org.changes.object(parts["object"]), base(parts))
    return document(found, Last_Modified=org.schema_stamp())


def _query(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    statement = request.query.get("q", "")
    if not statement:
        raise Refusal(400, "MALFORMED_QUERY", "A query string has to be specified")
    org.soql.append(statement)
    options = request.headers.get("sforce-query-options", "")
    everything = parts["operation"] == "queryAll"
    return org.queries.first(statement, org.now(), base(parts), everything=everything, options=options)


def _query_more(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    return org.queries.more(parts["locator"], org.now(), base(parts))


def _limits(org: "Salesforce", *_: object) -> Answer:
    jobs = org.jobs.rules.jobs_a_day
    shown = {
        "DailyApiRequests": (org.daily_calls, org.daily_calls - org.used),
        "DailyBulkV2QueryJobs": (jobs, jobs - org.jobs.made),
        "DailyBulkV2QueryFileStorageMB": (976_562, 976_560),
        "ConcurrentAsyncGetReportInstances": (200, 200),
        "DataStorageMB": (5, 4),
    }
    return document({name: {"Max": most, "Remaining": max(0, left)} for name, (most, left) in shown.items()})


def _bulk_create(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    wanted = body_of(request)
    org.soql.append(str(wanted.get("query")))
    return org.jobs.create(wanted, org.now(), parts["version"])


def _bulk_results(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    return org.jobs.results(org.jobs.find(parts["id"], org.now()), request.query)


def _bulk_abort(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    return org.jobs.change(org.jobs.find(parts["id"], org.now()), body_of(request))


def _create(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    (made,) = org.changes.add(parts["object"], [body_of(request)], org.now())
    return document({"id": made, "success": True, "errors": []}, 201)


def _change(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    org.changes.change(parts["object"], parts["id"], body_of(request), org.now())
    return Answer(204)


def _delete(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    org.changes.delete(parts["object"], parts["id"], org.now())
    return Answer(204)


def _record(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    sobject = org.changes.object(parts["object"])
    names = request.query.get("fields", "").split(",") if request.query.get("fields") else list(sobject.visible)
    selected = ", ".join(dict.fromkeys(["Id", *names]))
    statement = f"SELECT {selected} FROM {sobject.name} WHERE Id = '{parts['id']}'"
    found = decoded(org.queries.first(statement, org.now(), base(parts), everything=False))["records"]
    if not found:
        raise refusal("NOT_FOUND")
    return document(found[0])


def _batch(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    wanted = body_of(request).get("batchRequests", [])
    if len(wanted) > 25:
        raise Refusal(400, "LIMIT_EXCEEDED", "at most 25 requests in a batch")
    results = []
    for each in wanted:
        path = "/services/data/" + str(each.get("url", "")).lstrip("/")
        kind, inner = kind_of(each.get("method", "GET"), path)
        try:
            found = answer(org, Request("GET", path, {}, {}, b"", kind), inner)
        except Refusal as refused:
            found = refused.answer
        results.append({"statusCode": found.status, "result": decoded(found)})
    return document({"hasErrors": any(each["statusCode"] >= 400 for each in results), "results": results})


def _updated(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    now = org.now()
    return updated(org.changes, parts["object"], period_of(request.query, now), now)


def _deleted(org: "Salesforce", request: Request, parts: dict[str, str]) -> Answer:
    now = org.now()
    return deleted(org.changes, parts["object"], period_of(request.query, now), now)


_HANDLERS: dict[str, Callable[..., Answer]] = {
    "versions": _versions,
    "describe_global": _describe_global,
    "describe": _describe,
    "deleted": _deleted,
    "updated": _updated,
    "create": _create,
    "record": _record,
    "change": _change,
    "delete": _delete,
    "blob": lambda org, request, parts: blob(org.changes, parts["object"], parts["id"], parts["field"]),
    "query": _query,
    "query_more": _query_more,
    "limits": _limits,
    "bulk_create": _bulk_create,
    "bulk_list": lambda org, request, parts: org.jobs.listing(),
    "bulk_status": lambda org, request, parts: org.jobs.status(org.jobs.find(parts["id"], org.now())),
    "bulk_abort": _bulk_abort,
    "bulk_delete": lambda org, request, parts: org.jobs.delete(org.jobs.find(parts["id"], org.now())),
    "bulk_results": _bulk_results,
    "batch": _batch,
}
