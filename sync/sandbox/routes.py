"""Which call a method and a path mean, in each dialect."""

from __future__ import annotations

from sync.sandbox.answers import Refused
from sync.sandbox.options import Dialect

_READS = {
    "/me": "me",
    "/collections": "collections",
    "/usage/current": "usage",
    "/events/{id}": "event",
    "/events/{id}/details": "event",
}
_WRITES: dict[Dialect, dict[str, str]] = {
    "v1": {
        "/batch-memorize": "import",
        "/search": "search",
        "/smart-memory-digest": "digest",
        "/smart-recall": "recall",
        "/memory/update-keys": "update_keys",
    },
    "v1.1": {
        "/memory/import": "import",
        "/memory/search": "search",
        "/memory/digest": "digest",
        "/memory/retrieve": "recall",
        "/memory/update-keys": "update_keys",
    },
}


def find_call(method: str, dialect: Dialect, template: str) -> str:
    """The call's name; `template` is the path under the dialect's root with `{id}` for an id; raises Refused."""
    for allowed, calls in (("GET", _READS), ("POST", _WRITES[dialect])):
        if template in calls:
            if method != allowed:
                text = f"/api/{dialect}{template} takes {allowed}, found {method[:20]}"
                raise Refused(405, "method_not_allowed", text)
            return calls[template]
    other: Dialect = "v1.1" if dialect == "v1" else "v1"
    hint = f"; {template} belongs to API {other}" if template in _WRITES[other] else ""
    raise Refused(404, "not_found_error", f"nothing is served at /api/{dialect}{template[:200]}{hint}")
