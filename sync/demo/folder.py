"""The demo's folder: maps, variables and data, laid out as a user's own would be."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import click

MARK = ".memsync-demo"
KEY = "sk_test_sandbox"
STREAM = "demo-customers"
MAP = """\
# A property map: which field of the source becomes which property in memory.
stream: demo-customers
source:
  connector: postgres
  object: public.customers            # primary key and updated_at are found by themselves
mapping:
  entityType: contact
  email: email                        # what identifies a person in memory
  properties:
    full_name: {value: "{first_name} {last_name}", collectionName: Contacts}
    company: {sourceField: company, collectionName: Contacts}
    job_title: {sourceField: job_title, collectionName: Contacts}
    plan: {sourceField: plan, collectionName: Contacts, transform: [strip, lower]}
    score: {sourceField: score, collectionName: Contacts}
    signed_up: {sourceField: signed_up, collectionName: Contacts}
    # Free text: facts are extracted from it, and only from it. Each row sent costs about a credit; text may cost more.
    notes: {sourceField: notes, collectionName: Notes, extractMemories: true}
"""
ENV = """\
# Read by every memsync command that is started in this folder; real variables win over these lines.
DATABASE_URL={database}
PERSONIZE_BASE_URL={memory}
PERSONIZE_SECRET_KEY={key}
PERSONIZE_API_VERSION=v1.1
"""


def is_demo(folder: Path) -> bool:
    """Whether the folder was made by a demo."""
    return (folder / MARK).is_file()


def is_in_use(folder: Path) -> bool:
    """Whether the demo's Postgres runs."""
    try:
        os.kill(int((folder / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0]), 0)
    except (OSError, ValueError, IndexError):
        return False
    return True


def port_of(folder: Path) -> int | None:
    """The port of the memory service that the demo's `.env` names."""
    found = re.search(
        r"^PERSONIZE_BASE_URL=http://127\.0\.0\.1:(\d+)", (folder / ".env").read_text(encoding="utf-8"), re.M
    )
    return int(found[1]) if found else None


def make_folder(folder: Path) -> None:
    """Make the folder afresh; an earlier demo in it is replaced, anything else is refused."""
    if folder.exists() and any(folder.iterdir()) and not is_demo(folder):
        raise click.UsageError(f"{folder} exists and is not an earlier demo; choose another with --folder")
    if is_in_use(folder):
        raise click.UsageError(f"{folder} is in use: stop the `memsync sandbox` there, or choose another with --folder")
    if folder.exists():
        click.echo(f"The demo that was in {folder} is replaced.\n")
        shutil.rmtree(folder)
    (folder / "mappings").mkdir(parents=True)
    (folder / MARK).write_text("Made by `memsync demo`.\n", encoding="utf-8")
    (folder / "mappings" / "customers.yaml").write_text(MAP, encoding="utf-8")


def write_variables(folder: Path, database: str, memory: str) -> None:
    """Write `.env`."""
    path = folder / ".env"
    path.touch(mode=0o600)
    path.write_text(ENV.format(database=database, memory=memory, key=KEY), encoding="utf-8")
