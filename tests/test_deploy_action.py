"""The GitHub action's own script, as the runner starts it: arguments, exit codes, cancelling, a state that was lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deploy_files import ROOT, document_of, steps_of
from fixtures_postgres import Database
from workplace import MAP, MEMSYNC, TABLE

from sync.sandbox import Sandbox, SandboxOptions

ACTION, WORKFLOW = "action.yml", "deploy/github-action.yml"
RECORDER = """\
#!/usr/bin/env bash
printf '%s\\n' "$@" > "$RUNNER_TEMP/arguments"
if [[ -n "${STAY:-}" ]]; then
  trap 'echo stopped >> "$RUNNER_TEMP/arguments"; exit 143' TERM
  touch "$RUNNER_TEMP/ready"
  while true; do sleep 0.05; done
fi
exit "${CODE:-0}"
"""


def variables_for(step: Any, folder: Path, **given: str) -> dict[str, str]:
    """What the runner puts into a step's environment, with inputs as given and else their defaults."""
    inputs = {name: str(one["default"]) for name, one in document_of(ACTION)["inputs"].items()}
    inputs |= {name.replace("_", "-"): value for name, value in given.items()}
    filled = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], value)
        for name, value in step.get("env", {}).items()
    }
    runner = {"RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "output"), "GITHUB_ACTION_PATH": str(ROOT)}
    return dict(os.environ) | runner | filled


def script_of(number: int) -> list[str]:
    return ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps_of(document_of(ACTION))[number]["run"]]


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """The runner's folder, with a program in memsync's place that writes down its arguments."""
    program = tmp_path / "memsync" / "bin" / "memsync"
    program.parent.mkdir(parents=True)
    program.write_text(RECORDER)
    program.chmod(0o755)
    return tmp_path


def ran(runner: Path, code: int = 0, **given: str) -> tuple[int, list[str]]:
    """Run the action's second step; its exit code, and the arguments that memsync was started with."""
    step = steps_of(document_of(ACTION))[1]
    variables = variables_for(step, runner, **given) | {"CODE": str(code)}
    ended = subprocess.run(script_of(1), env=variables, cwd=runner, capture_output=True, text=True, timeout=30)
    assert f"exit-code={code}" in (runner / "output").read_text()
    return ended.returncode, (runner / "arguments").read_text().splitlines()


def test_by_default_it_runs_every_stream(runner: Path) -> None:
    assert ran(runner) == (0, ["run", "--mappings=mappings", "--"])


def test_streams_options_and_a_dry_run_become_arguments(runner: Path) -> None:
    _, arguments = ran(runner, streams="contacts\n deals ", dry_run="true", options="--wait 10m", mappings="my maps")
    assert arguments == ["run", "--dry-run", "--mappings=my maps", "--wait", "10m", "--", "contacts", "deals"]


def test_a_backfill_takes_the_place_of_the_run(runner: Path) -> None:
    _, arguments = ran(runner, backfill="contacts", since="2024-01-01", until="2025-01-01")
    begun = ["backfill", "--since=2024-01-01", "--until=2025-01-01"]
    assert arguments == [*begun, "--mappings=mappings", "--", "contacts"]


@pytest.mark.parametrize("text", ['"; touch pwned; "', "$(touch pwned)", "`touch pwned`", "--yes", "*"])
def test_an_input_is_never_more_than_an_argument(runner: Path, text: str) -> None:
    (runner / "some file").touch()
    _, arguments = ran(runner, backfill=text, since=text)
    assert arguments == ["backfill", f"--since={text}", "--mappings=mappings", "--", text]
    assert not (runner / "pwned").exists()


@pytest.mark.parametrize(("code", "fails", "ends"), [(3, "true", 3), (3, "false", 0), (2, "false", 2), (0, "true", 0)])
def test_the_step_ends_as_memsync_did_unless_rejects_are_allowed(
    runner: Path, code: int, fails: str, ends: int
) -> None:
    assert ran(runner, code, fail_on_rejects=fails)[0] == ends


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_job_stops_memsync_cleanly(runner: Path, number: int) -> None:
    variables = variables_for(steps_of(document_of(ACTION))[1], runner) | {"STAY": "1"}
    process = subprocess.Popen(script_of(1), env=variables, cwd=runner, start_new_session=True)
    until = time.monotonic() + 30
    while not (runner / "ready").exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(number)  # to the shell alone, as the runner does
    assert process.wait(timeout=30) == 143
    assert (runner / "arguments").read_text().splitlines()[-1] == "stopped"
    assert (runner / "output").read_text() == "exit-code=143\n"


@pytest.mark.slow
def test_the_action_installs_what_it_runs(tmp_path: Path) -> None:
    install, run = steps_of(document_of(ACTION))
    subprocess.run(script_of(0), env=variables_for(install, tmp_path), cwd=tmp_path, check=True, timeout=600)
    variables = variables_for(run, tmp_path, mappings=str(ROOT / "mappings"), options="--help")
    ended = subprocess.run(script_of(1), env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "memsync run" in ended.stdout


@pytest.fixture
def hosted(tmp_path: Path, database: Database, sandbox_url: str) -> Callable[..., tuple[int, str, str]]:
    """The workflow's sync step on a runner, with memsync itself: its exit code, its log and its page."""
    database.do(TABLE)
    database.do("INSERT INTO customers (id, email, name) VALUES (1, 'a@example.com', 'A'), (2, NULL, 'B')")
    (tmp_path / "memsync" / "bin").mkdir(parents=True)
    (tmp_path / "memsync" / "bin" / "memsync").symlink_to(MEMSYNC)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "customers.yaml").write_text(MAP)
    (step,) = [one for one in steps_of(document_of(WORKFLOW)) if one.get("uses") == "./"]
    state = re.findall(r"\|\| '(.+?)'", step["env"]["MEMSYNC_STATE_URL"])[0]

    def sync(*, first: bool = False, **given: str) -> tuple[int, str, str]:
        page = tmp_path / "page.md"
        page.write_text("")
        variables = variables_for(steps_of(document_of(ACTION))[1], tmp_path, **given) | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(page),
            "MEMSYNC_STATE_URL": state,
            "MEMSYNC_REQUIRE_STATE": str(not first).lower(),
            "PERSONIZE_BASE_URL": sandbox_url,
            "PERSONIZE_SECRET_KEY": "sk_test_1",
            "DATABASE_URL": database.url,
        }
        ended = subprocess.run(script_of(1), env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        return ended.returncode, ended.stdout + ended.stderr, page.read_text()

    return sync


@pytest.fixture
def sandbox_url(tmp_path: Path) -> Iterator[str]:
    with Sandbox(SandboxOptions(database=tmp_path / "sandbox.db")) as one:
        yield one.url


def test_a_schedule_whose_cached_state_was_lost_stops_until_a_first_run_is_asked_for(
    hosted: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    room = next(step["run"] for step in steps_of(document_of(WORKFLOW)) if "install -d" in step.get("run", ""))
    subprocess.run(["bash", "-ec", room], cwd=tmp_path, check=True)
    code, log, _ = hosted()
    assert code == 8
    assert "::error title=memsync failed%2C exit code 8::" in log
    assert "start the workflow by hand with its input first-run" in log

    code, log, page = hosted(first=True)
    assert code == 3
    assert "::warning title=customers has rejects::1 row rejected" in log
    assert "| customers | rejects | 2 |" in page

    assert hosted()[0] == 0  # the state is there now, and nothing is due
    shutil.rmtree(tmp_path / "memsync-state")
    assert hosted()[0] == 8


def test_a_dry_run_from_the_button_needs_no_state_and_leaves_none(
    hosted: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "memsync-state").mkdir()
    code, _, page = hosted(dry_run="true")
    assert code == 3
    assert "### memsync run (dry run)" in page
    assert not list((tmp_path / "memsync-state").iterdir())
