"""The Render blueprints keep to Render's rules."""

from __future__ import annotations

from typing import Any

import pytest
from deploy_files import document_of, documents_in, text_of
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

FILES = ("render.yaml", "deploy/render-worker.yaml")
ROOT_KEYS = {"databases", "services", "envVarGroups", "projects", "ungrouped", "previews"}
DATABASE_KEYS = {
    "name", "plan", "previewPlan", "databaseName", "user", "region", "postgresMajorVersion", "diskSizeGB",
    "previewDiskSizeGB", "storageAutoscalingEnabled", "readReplicas", "highAvailability", "ipAllowList",
}  # fmt: skip
SERVICE_KEYS = {
    "type", "name", "runtime", "plan", "region", "branch", "rootDir", "buildCommand", "startCommand",
    "preDeployCommand", "schedule", "dockerfilePath", "dockerContext", "dockerCommand", "registryCredential", "image",
    "envVars", "disk", "autoDeployTrigger", "buildFilter", "maxShutdownDelaySeconds", "healthCheckPath",
    "numInstances", "scaling", "previews",
}  # fmt: skip
SOURCES = {"value", "generateValue", "sync", "fromDatabase", "fromService"}
QUOTED = (DoubleQuotedScalarString, SingleQuotedScalarString)


def faults_of(blueprint: Any) -> list[str]:
    """What Render would refuse, or do otherwise than meant."""
    services, databases = blueprint.get("services", []), blueprint.get("databases", [])
    found = [f"unknown key {key}" for key in set(blueprint) - ROOT_KEYS]
    found += [f"unknown key {key}" for one in databases for key in set(one) - DATABASE_KEYS]
    names = {one["name"] for one in databases}
    for service in services:
        found += [f"unknown key {key}" for key in set(service) - SERVICE_KEYS]
        found += _faults_of_kind(service) + _faults_of_variables(service.get("envVars", []), names)
    for group in blueprint.get("envVarGroups", []):
        found += ["sync: false in a group" for one in group["envVars"] if "sync" in one]
    return found


def _faults_of_kind(service: Any) -> list[str]:
    found = []
    if service["type"] == "cron":
        found += ["a cron job has no disk"] if "disk" in service else []
        found += [] if isinstance(service.get("schedule"), QUOTED) else ["a schedule must be there, in quotes"]
        files = [one["key"] for one in service["envVars"] if str(one.get("value", "")).startswith("sqlite:")]
        found += [f"{key} names a file, and a cron job has no disk" for key in files]
    else:
        found += ["only a cron job has a schedule"] if "schedule" in service else []
        mount = service.get("disk", {}).get("mountPath", "")
        state = [one["value"] for one in service["envVars"] if one["key"] == "MEMSYNC_STATE_URL"]
        found += [] if all(url.startswith(f"sqlite:///{mount}/") for url in state) else ["the state is not on the disk"]
    delay = service.get("maxShutdownDelaySeconds", 30)
    return found + ([] if 10 <= delay <= 300 else ["a shutdown must be given 10 to 300 seconds"])


def _faults_of_variables(variables: Any, databases: set[str]) -> list[str]:
    found = []
    for one in variables:
        given = set(one) - {"key"}
        if len(given) != 1 or not given <= SOURCES:
            found.append(f"{one['key']} must have one source")
        secret = any(word in one["key"] for word in ("KEY", "TOKEN", "SECRET", "DATABASE_URL"))
        if secret and one.get("sync", True) is not False:
            found.append(f"{one['key']} is a secret: sync: false")
        if "fromDatabase" in one and one["fromDatabase"]["name"] not in databases:
            found.append(f"{one['key']} is of a database that is not there")
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_blueprint_keeps_to_the_rules(name: str) -> None:
    assert faults_of(document_of(name)) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('schedule: "17 * * * *"', "schedule: 17 * * * *", "in quotes"),
        ("    plan: starter", "    disk: {name: d, mountPath: /data, sizeGB: 1}", "no disk"),
        ("    runtime: docker", "    env: docker", "unknown key env"),
        ("HUBSPOT_ACCESS_TOKEN, sync: false", "HUBSPOT_ACCESS_TOKEN, value: pat", "is a secret"),
        ("fromDatabase: {name: memsync-state", "fromDatabase: {name: other", "not there"),
        ("fromDatabase: {name: memsync-state, property: connectionString}", "value: sqlite:////data/s.db", "no disk"),
        ("databases:", "envVarGroups: [{name: g, envVars: [{key: K, sync: false}]}]\ndatabases:", "in a group"),
    ],
)
def test_a_broken_rule_is_found(before: str, after: str, fault: str) -> None:
    text = text_of("render.yaml")
    assert before in text
    (broken,) = documents_in(text.replace(before, after, 1))
    assert any(fault in one for one in faults_of(broken))


def test_each_variant_runs_the_command_that_fits_its_kind() -> None:
    cron, worker = (document_of(name)["services"][0] for name in FILES)
    assert (cron["type"], cron.get("dockerCommand")) == ("cron", None)
    assert text_of("Dockerfile").endswith('ENTRYPOINT ["memsync"]\nCMD ["run"]\n')
    assert (worker["type"], worker["dockerCommand"]) == ("worker", "memsync serve")
