"""What a command imports: a library is loaded by those that work with it, and by nobody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hubspot_streams import OLD as LONG_AGO
from salesforce_streams import OLD
from workplace import MAP, TABLE, at

from sync.__main__ import COMMANDS
from sync.sandbox import Sandbox, SandboxOptions

MAPPINGS = Path(__file__).parent.parent / "mappings"
WATCHED = frozenset(
    """aiohttp anyio apprise apscheduler asyncio certifi dotenv email_validator h11 httpcore httpx hubspot jwt
    phonenumbers psycopg pydantic pydantic_settings requests rich ruamel simple_salesforce sqlalchemy ssl structlog
    urllib3 zeep""".split()
)
"""What takes long to import, or much memory."""
ALONE = """
import json, os, sys
sys.argv[0] = "memsync"
report = os.fdopen(int(sys.argv.pop(1)), "w")
from sync.__main__ import main
try:
    main()
except SystemExit as end:
    json.dump([end.code, sorted(sys.modules)], report)
    report.close()
"""
EACH_HELP = """
import json, os, sys
import click
from sync.__main__ import COMMANDS, memsync
loaded = {}
for name in COMMANDS:
    before = set(sys.modules)
    memsync.main([name, "--help"], standalone_mode=False)
    loaded[name] = sorted(set(sys.modules) - before)
with os.fdopen(int(sys.argv[1]), "w") as report:
    json.dump([0, loaded], report)
"""
HELP = {"sandbox": {"ssl"}}
"""The standard library's HTTP server brings it along."""
LOGS = {"structlog", "asyncio", "ssl"}
"""structlog brings asyncio along, and that ssl."""
MAPS = {"pydantic", "pydantic_settings", "dotenv", "ruamel"}
STATE = {"sqlalchemy"}
MEMORY = {"httpcore", "h11", "certifi", "anyio"}
SOAP = {"zeep", "httpx"}
"""What simple_salesforce brings along, whatever it is used for."""
RUN = LOGS | MAPS | STATE | MEMORY


def reported(code, folder, *arguments, **variables):
    """The exit code of a process, and what it tells of the modules that it loaded."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MEMSYNC_", "PERSONIZE_"))}
    read, write = os.pipe()
    with os.fdopen(read) as report:
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", code, str(write), *arguments],
                cwd=folder,
                env=outside | variables,
                pass_fds=[write],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        finally:
            os.close(write)
        told = report.read()
    errors = process.communicate()[1].decode()
    assert told, errors
    return json.loads(told)


def watched(modules):
    """The libraries among modules."""
    return {name.partition(".")[0] for name in modules} & WATCHED


def after(folder, *arguments, **variables):
    """The libraries that are loaded once a command ended well."""
    code, modules = reported(ALONE, folder, *arguments, **variables)
    assert code == 0
    return watched(modules)


def folder_with(tmp_path, name):
    (tmp_path / "mappings").mkdir(parents=True, exist_ok=True)
    shutil.copy(MAPPINGS / f"{name}.yaml", tmp_path / "mappings")
    return tmp_path


@pytest.fixture
def sandbox(tmp_path):
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one


def test_the_help_of_no_command_waits_for_a_library(tmp_path):
    assert after(tmp_path, "--help") == set()
    _, loaded = reported(EACH_HELP, tmp_path)
    assert {name: watched(modules) for name, modules in loaded.items()} == {
        name: HELP.get(name, set()) for name in COMMANDS
    }


def test_looking_at_the_state_takes_the_database_library_and_neither_a_source_nor_the_destination(tmp_path):
    folder = folder_with(tmp_path, "postgres-customers")
    assert after(folder, "validate", "--offline") == LOGS | MAPS
    sqlite = {"MEMSYNC_STATE_URL": "sqlite:///state.db"}
    assert after(folder, "status", **sqlite) == LOGS | MAPS | STATE


def test_health_takes_the_scheduler_s_library_to_know_when_a_stream_is_due(tmp_path):
    folder = folder_with(tmp_path, "postgres-customers")
    code, modules = reported(ALONE, folder, "health")
    assert code == 1  # nothing ran yet
    assert watched(modules) == LOGS | MAPS | STATE | {"apscheduler"}


def test_a_run_over_a_table_loads_the_driver_of_postgres_and_no_library_of_a_crm(tmp_path, database, sandbox):
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "customers.yaml").write_text(MAP)
    database.do(TABLE)
    database.do("INSERT INTO customers VALUES (1, 'ana@example.com', 'Ana', 'pro', 'Likes boats')")
    found = after(tmp_path, "run", "--wait", "0s", **at(sandbox), DATABASE_URL=database.url)
    assert found == RUN | {"psycopg"}


def test_a_run_over_hubspot_loads_its_library_and_no_other_source_s(tmp_path, crm, sandbox):
    folder = folder_with(tmp_path, "hubspot-contacts")
    crm.add("contacts", [{"email": "ana@acme.example", "firstname": "Ana"}], at=LONG_AGO)
    variables = {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
    assert after(folder, "run", "--wait", "0s", **at(sandbox), **variables) == RUN | {"hubspot", "urllib3"}


def test_a_run_over_salesforce_loads_its_library_and_no_other_source_s(tmp_path, org, sandbox):
    folder = folder_with(tmp_path, "salesforce-contacts")
    org.add("Contact", [{"LastName": "Roe", "FirstName": "Ana", "Email": "ana@acme.example"}], OLD)
    variables = {"SF_LOGIN_URL": org.url, "SF_CLIENT_ID": org.client_id, "SF_CLIENT_SECRET": org.client_secret}
    found = after(folder, "run", "--wait", "0s", **at(sandbox), **variables)
    assert found == RUN | {"simple_salesforce", "requests", "urllib3", "jwt"} | SOAP
