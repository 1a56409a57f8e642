"""How well free text is told from facts: by metadata alone, on recorded fields of real objects, against hand labels.

`python -m benchmarks.free_text` prints a line per object and the exceptions by name; the files are tests/fields/*.json.
Postgres has no such metadata: made-up tables with rows stand for it, and what is chosen there needs a sample.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.base import Field
from connectors.hubspot.metadata import Property
from connectors.hubspot.metadata import field_of as hubspot_field
from connectors.hubspot.objects import object_type
from connectors.salesforce.metadata import FieldInfo
from connectors.salesforce.metadata import field_of as salesforce_field
from sync.discover.judgement import Judged, judge

FOLDER = Path(__file__).parent.parent / "tests" / "fields"


@dataclass(frozen=True)
class Case:
    """The fields of one object, and those of them that hold people's words, by hand."""

    name: str
    fields: tuple[Field, ...]
    text: frozenset[str]
    doubtful: dict[str, str]
    """Labels that another person might give otherwise, and why they are as they are."""


@dataclass(frozen=True)
class Outcome:
    """The choice beside the labels."""

    fields: int
    text: int
    missed: tuple[str, ...]
    """Labelled as words, and not chosen."""
    wrong: tuple[str, ...]
    """Chosen, and labelled otherwise."""

    @property
    def exact(self) -> bool:
        return not self.missed and not self.wrong


def cases() -> Iterator[Case]:
    """Every recorded object."""
    for path in sorted(FOLDER.glob("*.json")):
        yield case_of(json.loads(path.read_text(encoding="utf-8")))


def case_of(document: dict[str, Any]) -> Case:
    """Read one file; its fields are parsed as the connector parses what its source answers."""
    connector, name = document["connector"], document["object"]
    if connector == "hubspot":
        of = object_type(name)
        fields = tuple(hubspot_field(Property.of(one), of) for one in document["fields"])
    else:
        fields = tuple(salesforce_field(FieldInfo.of(one)) for one in document["fields"])
    return Case(f"{connector} {name}", fields, frozenset(document["text"]), document["doubtful"])


def compare(judged: list[Judged], text: frozenset[str]) -> Outcome:
    """Hold a choice against labels."""
    chosen = {one.field.name for one in judged if one.verdict.kind == "text"}
    return Outcome(len(judged), len(text), tuple(sorted(text - chosen)), tuple(sorted(chosen - text)))


def main() -> int:
    """Print all; 1 when a choice differs from its label."""
    print(f"{'object':28}{'fields':>8}{'text':>6}{'missed':>8}{'wrong':>7}")
    found = [(case.name, compare(judge(case.fields, ()), case.text)) for case in cases()]
    found += list(_tables())
    for name, outcome in found:
        print(f"{name:28}{outcome.fields:8}{outcome.text:6}{len(outcome.missed):8}{len(outcome.wrong):7}")
        for kind, names in (("missed", outcome.missed), ("wrong", outcome.wrong)):
            for one in names:
                print(f"    {kind}: {one}")
    fields, exact = sum(one.fields for _, one in found), sum(one.exact for _, one in found)
    print(f"{len(found)} objects, {fields:,} fields; {exact} objects exactly as labelled")
    doubtful = [(case.name, name, why) for case in cases() for name, why in case.doubtful.items()]
    print(f"\nDoubtful labels, {len(doubtful)}:")
    for case, name, why in doubtful:
        print(f"  {case} {name}: {why}")
    return 0 if exact == len(found) else 1


def _tables() -> Iterator[tuple[str, Outcome]]:
    from benchmarks.tables import TABLES, fill_tables
    from sync.demo.postgres import embedded_postgres
    from sync.discover.looking import look_at
    from sync.discover.opening import Place

    with tempfile.TemporaryDirectory(prefix="memsync-fields-") as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres(Path(folder)) as url:
            os.environ["DATABASE_URL"] = url
            fill_tables(url)
            for table, text in TABLES.items():
                look = look_at(Place("postgres", f"public.{table}"), 300)
                yield f"postgres {table}", compare(judge(look.fields, look.records, look.cursor), text)


if __name__ == "__main__":
    sys.exit(main())
