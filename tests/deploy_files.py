"""The deployment files, read as those who use them read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent


def text_of(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def documents_in(text: str) -> list[Any]:
    """The documents of a YAML text; quoted texts keep their quotes, as `str` that know of them."""
    reader = YAML(typ="rt")
    reader.preserve_quotes = True
    return [one for one in reader.load_all(text) if one is not None]


def document_of(name: str) -> Any:
    """The only document of a YAML file."""
    (only,) = documents_in(text_of(name))
    return only


def steps_of(definition: Any) -> list[Any]:
    """The steps of a workflow, or of a composite action."""
    if "runs" in definition:
        return list(definition["runs"]["steps"])
    return [step for job in definition["jobs"].values() for step in job["steps"]]
