"""Records the terminal sessions of docs/first-steps.md by having them: `python tests/record_first_steps.py [--check]`.

Real commands on a pseudo terminal, against an embedded Postgres, the stand-ins of HubSpot and Salesforce, and a
sandbox. What differs from one time to the next (ports, seconds) is written as it would be for a reader.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from doubles.hubspot import HubSpot  # noqa: E402
from doubles.hubspot.sample import fill as fill_hubspot  # noqa: E402
from doubles.salesforce import Salesforce  # noqa: E402
from doubles.salesforce.sample import Amounts, Sample  # noqa: E402
from terminal import Terminal  # noqa: E402
from workplace import MEMSYNC  # noqa: E402

from sync.demo.postgres import embedded_postgres, fill  # noqa: E402
from sync.sandbox import SandboxOptions  # noqa: E402
from sync.sandbox.process import sandbox_process  # noqa: E402

PAGE = ROOT / "docs" / "first-steps.md"
DATABASE = "postgresql://reader:secret@db.example.com:5432/app"
SANDBOX = "http://127.0.0.1:8765"
_BLOCK = re.compile(r"(<!-- recorded: (\w+) -->\n```text\n)(.*?)(```\n)", re.DOTALL)
_OURS = ("MEMSYNC_", "PERSONIZE_", "DATABASE_URL", "HUBSPOT_", "SF_")


@dataclass
class Session:
    """One folder, its commands, and what the screen showed."""

    folder: Path
    variables: dict[str, str]
    said: dict[str, str]
    """What is shown instead of addresses of this time."""
    lines: list[str] = field(default_factory=list)

    def type(self, command: str, *answers: tuple[str, str]) -> None:
        """Run a command on a terminal, answering its questions; it must end well."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        variables = clean | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"} | self.variables
        with Terminal([MEMSYNC, *command.split()[1:]], self.folder, variables) as terminal:
            for question, answer in answers:
                terminal.answer(question, answer)
            code = terminal.end()
            screen = terminal.screen
        if code:
            raise SystemExit(f"{command}: exit code {code}\n{screen}")
        self.lines += [f"$ {command}", *self._settled(screen).splitlines(), ""]

    def _settled(self, screen: str) -> str:
        for found, shown in self.said.items():
            screen = screen.replace(found, shown)
        screen = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8765", screen)
        screen = re.sub(r"org_sandbox_\w+", "org_sandbox", screen)
        screen = re.sub(r"(?m)^(seconds\s+)\d+\.\d", lambda found: found[1] + "0.4", screen)
        screen = re.sub(r"(?m)^(.*\d)[0-9.]* rows/s.*\n", "", screen)
        screen = re.sub(r"(\d+) of \1 rows with texts", "8 of 8 rows with texts", screen)  # verify draws anew each time
        if "would send" not in screen:  # how often events are asked for depends on the machine
            screen = re.sub(r"(?m)^(calls\s+)\d+$", lambda found: found[1] + "6", screen)
        return re.sub(r"[ \t]+\n", "\n", screen)

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip() + "\n"


def of_postgres(session: Session, url: str) -> None:
    session.type(
        "memsync init",
        ("Source [1]", "postgres"),
        ("(not shown)", url),
        ("(not shown)", "sandbox"),
        ("Its address, when it runs", ""),
        ("Which object?", ""),
        ("Collection for facts", ""),
        ("Collection for free text", ""),
        ("Write the map to", ""),
    )
    session.type("memsync run postgres-customers")
    session.type("memsync verify postgres-customers")


def of_hubspot(session: Session) -> None:
    session.type("memsync discover hubspot contacts")
    session.type("memsync init hubspot contacts --yes")
    session.type("memsync run hubspot-contacts --dry-run")
    session.type("memsync run hubspot-contacts")
    session.type("memsync verify hubspot-contacts")


def of_salesforce(session: Session) -> None:
    session.type("memsync init salesforce Contact --yes")
    session.type("memsync run salesforce-contacts")
    session.type("memsync verify salesforce-contacts")


@contextmanager
def _sandbox() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        options = SandboxOptions(database=Path(folder) / "sandbox.db")
        with sandbox_process(options) as url:
            yield {"PERSONIZE_BASE_URL": url, "PERSONIZE_API_VERSION": "v1.1"}


def recordings() -> Iterator[tuple[str, str]]:
    """The name of each session and its text."""
    with tempfile.TemporaryDirectory(prefix="memsync-steps-") as name, _sandbox() as memory:
        top = Path(name)
        top.chmod(0o755)
        key = {"PERSONIZE_SECRET_KEY": "sk_test_sandbox"}
        with embedded_postgres(top / "postgres") as url:
            fill(url, 300)
            yield "postgres", _of(top / "one", memory, {url: DATABASE}, lambda one: of_postgres(one, url))
        with HubSpot() as crm:
            with crm.transaction():
                fill_hubspot(crm, {"contacts": 120}, now=1_780_000_000_000, seed=1)
            crm.index()
            variables = memory | key | {"HUBSPOT_BASE_URL": crm.url, "HUBSPOT_ACCESS_TOKEN": crm.token}
            yield "hubspot", _of(top / "two", variables, {}, of_hubspot)
        with Salesforce() as org:
            Sample(org, 1).fill(Amounts.around(120, {}))
            login = {"SF_LOGIN_URL": org.url, "SF_CLIENT_ID": org.client_id, "SF_CLIENT_SECRET": org.client_secret}
            yield "salesforce", _of(top / "three", memory | key | login, {}, of_salesforce)


def _of(folder: Path, variables: dict[str, str], said: dict[str, str], script: Callable[[Session], None]) -> str:
    folder.mkdir()
    session = Session(folder, variables, said)
    script(session)
    return session.text


def main() -> int:
    """Write the sessions into the page; with --check say whether it holds them already."""
    found = dict(recordings())
    before = PAGE.read_text(encoding="utf-8")
    after = _BLOCK.sub(lambda block: f"{block[1]}{found[block[2]]}{block[4]}", before)
    if "--check" in sys.argv[1:]:
        print("as recorded" if after == before else f"{PAGE.name} shows other sessions: run {sys.argv[0]}")
        sys.stdout.writelines(unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), n=0))
        return int(after != before)
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
