"""Scopes, and the wordings in which a missing one is refused."""

from __future__ import annotations

from collections.abc import Collection

from .answers import Answer, problem

_LINK = {"scopes": "https://developers.hubspot.com/scopes"}


def missing_scope(wording: str, scopes: Collection[str], *, status: int = 403) -> Answer:
    """The refusal for want of one of these scopes, in one of `WORDINGS`."""
    return WORDINGS[wording](sorted(scopes), status)


def _granular(scopes: list[str], status: int) -> Answer:
    message = (
        "This app hasn't been granted all required scopes to make this call."
        " Read more about required scopes here: https://developers.hubspot.com/scopes."
    )
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": scopes},
    }
    return problem(status, "MISSING_SCOPES", message, errors=[detail], links=_LINK)


def _not_granted(scopes: list[str], status: int) -> Answer:
    """The message alone, without a category that says so and without naming the scopes apart."""
    message = f"This app hasn't been granted all required scopes to make this call. Required: {', '.join(scopes)}"
    answer = problem(status, "", message)
    return answer._replace(body={name: value for name, value in answer.body.items() if name != "category"})


def _permissions_to(scopes: list[str], status: int) -> Answer:
    message = f"You do not have permissions to view object type. This requires one of [{', '.join(scopes)}]"
    return problem(status, "USER_DOES_NOT_HAVE_PERMISSIONS", message)


def _is_missing(scopes: list[str], status: int) -> Answer:
    message = f"This oauth-token is missing required scopes: {', '.join(scopes)}"
    return Answer(status, {"status": "error", "message": message})


def _improper(scopes: list[str], status: int) -> Answer:
    message = f"This oauth-token (CL7) does not have proper permissions! (requires any of [{', '.join(scopes)}])"
    return Answer(status, {"status": "error", "message": message})


def _not_public(scopes: list[str], status: int) -> Answer:
    return Answer(status, {"status": "error", "message": "This API isn't available for public use."})


def _private(scopes: list[str], status: int) -> Answer:
    """Not a matter of scopes: the record belongs to somebody."""
    return Answer(status, {"status": "error", "message": "This record is private to its owner."})


WORDINGS = {
    "granular": _granular,
    "not_granted": _not_granted,
    "permissions_to": _permissions_to,
    "is_missing": _is_missing,
    "improper": _improper,
    "not_public": _not_public,
    "private": _private,
}
