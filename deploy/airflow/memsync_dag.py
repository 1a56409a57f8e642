"""Airflow 3: one DAG that runs every stream of the property maps, and one that backfills a stream in parts.

Put this file into the DAGs folder. The workers need memsync, the maps and the variables of docs/settings.md; the state
must be in Postgres (MEMSYNC_STATE_URL), because tasks run on any worker. Two variables say where things are:
MEMSYNC_BIN (default `memsync`) and MEMSYNC_MAPPINGS (default `/opt/airflow/mappings`).
"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from airflow.sdk import Param, dag, task

MEMSYNC = os.environ.get("MEMSYNC_BIN", "memsync")
MAPPINGS = Path(os.environ.get("MEMSYNC_MAPPINGS", "/opt/airflow/mappings"))
PARTS = 8
"""Parts of a backfill; parts that were begun with another number start over."""
FOR_GOOD = {2: "something to correct", 3: "rows were rejected", 6: "the month's quota is used up"}
"""Exit codes after which another attempt changes nothing."""
HELD = 7


def streams_in(folder: Path) -> list[str]:
    """The streams of a folder of property maps, in order of their files."""
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    return [yaml.safe_load(file.read_text(encoding="utf-8"))["stream"] for file in files]


def memsync(*arguments: str) -> None:
    """Run one command to its end; what it prints is the task's log."""
    code = subprocess.run([MEMSYNC, *arguments], check=False).returncode  # noqa: S603
    if code == HELD:
        raise AirflowSkipException("another run holds the stream")
    if code in FOR_GOOD:
        raise AirflowFailException(f"memsync ended with exit code {code}: {FOR_GOOD[code]}")
    if code:
        raise AirflowException(f"memsync ended with exit code {code}")


settings = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,  # a run reads everything since the last one, however long ago that was
    "default_args": {"retries": 2, "retry_delay": timedelta(minutes=5), "execution_timeout": timedelta(hours=6)},
    "tags": ["memsync"],
}


@dag(dag_id="memsync", schedule="17 * * * *", max_active_runs=1, **settings)
def every_stream():
    """One task for each stream; they share the plan's limit through the state store."""
    for stream in streams_in(MAPPINGS):

        @task(task_id=stream)
        def run(name):
            memsync("run", f"--mappings={MAPPINGS}", name)

        run(stream)


@dag(
    dag_id="memsync_backfill",
    schedule=None,
    params={"stream": Param(type="string"), "since": Param(default=None, type=["null", "string"])},
    **settings,
)
def backfill():
    """One stream in parts side by side, each of which goes on where it was when it is tried again."""

    @task
    def part(number, params=None):
        since = [f"--since={params['since']}"] if params["since"] else []
        memsync("backfill", f"--mappings={MAPPINGS}", f"--shard={number}/{PARTS}", *since, params["stream"])

    part.expand(number=list(range(PARTS)))


every_stream()
backfill()
