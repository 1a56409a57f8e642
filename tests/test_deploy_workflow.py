"""The GitHub action and workflow keep to rules that make them safe, and fit each other."""

from __future__ import annotations

import re
from typing import Any

import pytest
from deploy_files import document_of, documents_in, steps_of, text_of

ACTION, WORKFLOW = "action.yml", "deploy/github-action.yml"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def faults_of(definition: Any) -> list[str]:
    """What makes a workflow or an action unsafe, or lets it run for ever."""
    found = []
    for step in steps_of(definition):
        if "${{" in step.get("run", ""):
            found.append("an expression inside run")
        if "uses" in step and not step["uses"].startswith("./") and not PINNED.fullmatch(step["uses"]):
            found.append(f"{step['uses']} is not pinned to a commit")
        if (
            str(step.get("uses", "")).startswith("actions/checkout")
            and step["with"]["persist-credentials"] is not False
        ):
            found.append("checkout leaves its token behind")
    if "jobs" in definition:
        found += [] if definition.get("permissions") == {"contents": "read"} else ["permissions are not the least"]
        found += [] if all("timeout-minutes" in job for job in definition["jobs"].values()) else ["no time limit"]
        waits = definition.get("concurrency", {}).get("cancel-in-progress") is False
        found += [] if waits else ["a run may be cancelled by the next"]
        found += ["runs on foreign pull requests"] if "pull_request_target" in definition["on"] else []
    return found


@pytest.mark.parametrize("name", [ACTION, WORKFLOW])
def test_it_keeps_to_the_rules(name: str) -> None:
    assert faults_of(document_of(name)) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("run: install -d", "run: echo ${{ inputs.since }}; install -d", "inside run"),
        ("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "actions/checkout@v7", "not pinned"),
        ("persist-credentials: false", "persist-credentials: true", "token"),
        ("contents: read", "contents: write", "permissions"),
        ("    timeout-minutes: 55\n", "", "time limit"),
        ("cancel-in-progress: false", "cancel-in-progress: true", "cancelled"),
    ],
)
def test_a_broken_rule_is_found(before: str, after: str, fault: str) -> None:
    text = text_of(WORKFLOW)
    assert before in text
    (broken,) = documents_in(text.replace(before, after, 1))
    assert any(fault in one for one in faults_of(broken))


def test_credentials_are_no_inputs_and_every_input_has_a_default() -> None:
    inputs = document_of(ACTION)["inputs"]
    assert all({"description", "default"} <= set(one) for one in inputs.values())
    assert not [name for name in inputs if re.search("key|token|secret|password|url", name)]


def test_the_workflow_gives_only_inputs_that_the_action_has() -> None:
    (step,) = [one for one in steps_of(document_of(WORKFLOW)) if one.get("uses") == "./"]
    assert set(step["with"]) <= set(document_of(ACTION)["inputs"])


def test_a_lost_state_is_refused_unless_the_first_run_is_asked_for() -> None:
    (step,) = [one for one in steps_of(document_of(WORKFLOW)) if one.get("uses") == "./"]
    assert step["env"]["MEMSYNC_REQUIRE_STATE"] == "${{ !inputs.first-run }}"


def test_the_cache_is_read_and_written_in_the_same_place_under_a_new_name_each_time() -> None:
    back, kept = (one["with"] for one in steps_of(document_of(WORKFLOW)) if "actions/cache" in one.get("uses", ""))
    assert back["path"] == kept["path"]
    assert back["key"] == kept["key"]
    assert "github.run_id" in back["key"]
    assert "github.run_attempt" in back["key"]
    assert back["key"].startswith(back["restore-keys"])


def test_a_state_that_is_not_there_is_not_put_over_the_one_in_the_cache() -> None:
    (kept,) = [one for one in steps_of(document_of(WORKFLOW)) if "cache/save" in one.get("uses", "")]
    assert f"hashFiles('{kept['with']['path']}/memsync-state.db') != ''" in kept["if"]
    assert kept["if"].startswith("always()")  # a run that was cancelled has sent rows, too
