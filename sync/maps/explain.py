"""From the model's errors to problems with a place: what was found, what was expected."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from sync.maps.document import Document, Path
from sync.maps.problem import did_you_mean, shown

_EXPECTED = {
    "string_type": "text (put numbers, true, false and null in quotes)",
    "bool_type": "true or false: write true or false, without quotes",
    "int_type": "a whole number",
    "tuple_type": "a list, such as [one, two]",
    "dict_type": "names with their values, one per line",
    "model_type": "keys with their values, one per line",
    "datetime_type": "a date and time such as 2024-01-01T00:00:00Z",
    "string_too_short": "text that is not empty",
    "too_short": "at least one",
}
_WORDS_OF_LIMITS = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}

Error = dict[str, Any]


def explain(document: Document, model: type[BaseModel], error: ValidationError, prefix: Path = ()) -> None:
    """File every error of a validation as a problem of the document; no input of the model's own text is used."""
    found = error.errors(include_url=False, include_input=False)
    misspelt = {one["loc"][:-1] for one in found if one["type"] == "extra_forbidden"}
    for one in found:
        if one["type"] == "refused" and one["ctx"]["at"] == "" and one["loc"][:-1] in misspelt:
            continue  # what is missing is most likely the key that nobody knows
        local = tuple(part for part in one["loc"] if part != "[key]")
        path = (*prefix, *local)
        context = one.get("ctx", {})
        if one["type"] == "refused" and context["at"] is not None:
            path = (*path[:-1], context["at"]) if context["at"] else path[:-1]
        if path in document.unread:
            continue
        at_key = one["type"] in ("extra_forbidden", "missing") or "[key]" in one["loc"]
        place = None if at_key else document.values.get(path)
        document.refuse(path, _message(document, model, dict(one), path, local), place)


def value_at(document: Document, path: Path) -> Any:
    """The document's value at a path; None where there is none."""
    value = document.value
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _message(document: Document, model: type[BaseModel], error: Error, path: Path, local: Path) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_keys(model, local[:-1])
        return f"unknown key; expected one of {', '.join(known)}{did_you_mean(str(path[-1]), known)}"
    if kind == "missing":
        return f"missing; {_description(model, local)}"
    found = f"found {shown(value_at(document, path))}, expected "
    if kind == "refused":
        return _with_found(found, str(context["message"]))
    if kind == "value_error":
        return _with_found(found, str(error["msg"]).removeprefix("Value error, "))
    if kind == "literal_error":
        return _literal(document, found, str(context["expected"]), path)
    if kind in _WORDS_OF_LIMITS:
        limit, words = _WORDS_OF_LIMITS[kind]
        return f"{found}{words} {context[limit]}"
    if kind == "string_pattern_mismatch":
        return f"{found}the form {context['pattern']}"
    return found + _EXPECTED.get(kind, str(error["msg"]).lower())


def _with_found(found: str, message: str) -> str:
    if message.startswith("found"):
        return message
    return found + message.removeprefix("expected ") if message.startswith("expected ") else message


def _literal(document: Document, found: str, expected: str, path: Path) -> str:
    known = re.findall(r"'([^']*)'", expected)
    value = value_at(document, path)
    near = did_you_mean(value, known) if isinstance(value, str) else ""
    allowed = [*known, "null"] if path[-1] == "onError" else known
    return f"{found}{' or '.join(allowed) if len(allowed) < 3 else 'one of ' + ', '.join(allowed)}{near}"


def _model_at(model: type[BaseModel], local: Path) -> type[BaseModel] | None:
    for step in local:
        inner = next((field for name, field in model.model_fields.items() if (field.alias or name) == step), None)
        found = _models_in(inner.annotation) if inner else None
        model = found or model
    return model


def _models_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _models_in(part))), None)


def _known_keys(model: type[BaseModel], local: Path) -> list[str]:
    holder = _model_at(model, local)
    return [field.alias or name for name, field in holder.model_fields.items()] if holder else []


def _description(model: type[BaseModel], local: Path) -> str:
    holder = _model_at(model, local[:-1])
    fields = holder.model_fields.items() if holder else ()
    field = next((field for name, field in fields if (field.alias or name) == local[-1]), None)
    return f"expected {local[-1]}: {(field.description or '').rstrip('.')}" if field else f"expected {local[-1]}"
