"""The statements that are sent, beside those that are known to be good; an independent parser reads them all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import OLD, contacts, kept, read, stream

from connectors.salesforce import Source
from sync.maps.compile import compile_map
from sync.maps.load import load_maps

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden" / "soql"
PARSER = "@jetstreamapp/soql-parser-js@6.3.1"
CHECK = """
import { createRequire } from 'node:module';
const { parseQuery, isQueryValid } = createRequire(process.argv[1])('@jetstreamapp/soql-parser-js');
const wrong = [];
for (const one of JSON.parse(process.argv[2])) {
  try { parseQuery(one); } catch (error) { wrong.push(one + ' -- ' + error.message); }
}
if (!isQueryValid('SELECT Id FROM A')) wrong.push('a good one is refused');
if (isQueryValid('SELECT FROM WHERE')) wrong.push('a bad one is taken');
console.log(JSON.stringify(wrong));
"""
STREAMS = {found.stream: found for found in load_maps(ROOT / "mappings") if found.source.connector == "salesforce"}


def plain(statement: str, begun: str) -> str:
    """A statement without what differs from run to run: the stamps of now."""
    return re.sub(r"20(2[5-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\dZ", begun, statement)


def emitted(org: Salesforce, fields: tuple[str, ...], **source: object) -> list[str]:
    """Everything that a check, a first reading, a later one, a fetch, a count, by REST and by Bulk, ask for."""
    source.pop("connector", None)
    with stream(org, list(fields), **source) as connector:
        connector.check()
        next(connector.read(None))
    with stream(org, list(fields), **source) as connector:
        first = list(connector.read(None))
        records = [record for page in first for record in page.records]
        list(connector.fetch([record.key for record in records]))
    with stream(org, list(fields), **source) as connector:
        connector.count(kept(first))
    middle = first[0].cursor
    if middle["part"] is not None:
        read(org, middle, fields=list(fields), **source)
    read(org, first, fields=list(fields), **{**source, "api": "bulk"})
    read(org, fields=list(fields), **{**source, "api": "bulk"})
    found = [plain(statement, "<NOW>") for statement in org.soql]
    org.soql.clear()
    return list(dict.fromkeys(found))


def keys_of(source: Source) -> dict[str, object]:
    given = source.model_dump(by_alias=True, exclude_unset=True)
    if isinstance(given.get("refresh"), timedelta):
        given["refresh"] = "weekly"
    return given


def fill(org: Salesforce) -> None:
    (ann,) = contacts(org, 1)
    org.define("Task", "WhoCount int")
    (task,) = org.add("Task", [{"Subject": "Call", "WhoId": ann, "TaskSubtype": "Call", "WhoCount": 2}], OLD)
    org.add("TaskRelation", [{"TaskId": task, "RelationId": ann, "IsWhat": False}], OLD)
    org.add("Case", [{"Subject": "Help", "ContactId": ann}], OLD)
    (mail,) = org.add("EmailMessage", [{"Subject": "Hi", "Status": "3"}], OLD)
    org.add("EmailMessageRelation", [{"EmailMessageId": mail, "RelationId": ann, "RelationType": "ToAddress"}], OLD)
    org.add("Lead", [{"LastName": "L", "Company": "C", "Email": "l@mail.example", "IsConverted": False}], OLD)
    org.add("Account", [{"Name": "Acme"}], OLD)
    org.add("Opportunity", [{"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-01-01"}], OLD)


def statements_of(name: str) -> list[str]:
    with Salesforce() as org:
        fill(org)
        if name == "where-and-start":
            where = "(Title LIKE '%\\'s' OR Title IN ('A', 'B'))\n  AND Email != null"
            return emitted(org, ("Email", "Account.Owner.Email"), where=where, start="2024-01-01T00:00:00Z")
        if name == "people-with-parents":
            return emitted(org, ("Who.Email", "Who.Account.Name", "What.Name"), object="Task")
        property_map = STREAMS[name]
        fields = compile_map(property_map, b"").source_fields
        return emitted(org, fields, **keys_of(property_map.source))


NAMES = [*sorted(STREAMS), "where-and-start", "people-with-parents"]


@pytest.mark.parametrize("name", NAMES)
def test_the_statements_are_the_known_ones(name):
    found = "".join(f"{statement}\n" for statement in statements_of(name))
    file = GOLDEN / f"{name}.soql"
    assert file.exists(), f"{file} is missing; if these are good, save them there:\n{found}"
    assert found == file.read_text(encoding="utf-8")


def test_no_known_statement_is_left_over():
    assert {file.stem for file in GOLDEN.glob("*.soql")} == set(NAMES)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_an_independent_parser_takes_every_statement(tmp_path):
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", PARSER], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    if installed.returncode:
        pytest.skip("the parser cannot be installed here")
    every = [line for file in GOLDEN.glob("*.soql") for line in lines_of(file)]
    (tmp_path / "check.mjs").write_text(CHECK)
    given = [str(tmp_path / "package.json"), json.dumps(every)]
    script = (tmp_path / "check.mjs").read_text()
    checked = subprocess.run(
        ["node", "--input-type=module", "-e", script, *given], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout) == []
    assert len(every) > 40


def lines_of(file: Path) -> list[str]:
    """The statements of a file, their stamps filled in; one with a line break within stands on two lines."""
    text = file.read_text(encoding="utf-8").replace("<NOW>", "2026-01-02T03:04:05Z")
    return [one.strip() for one in re.split(r"\n(?=SELECT)", text) if one.strip()]
