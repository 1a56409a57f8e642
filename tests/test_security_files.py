"""Files: maps that are bombs, and who may read what a run leaves behind."""

from __future__ import annotations

import os
import resource
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.memory_api import MemoryApi
from fixtures_canary import PERSON, Cage
from workplace import Workplace

from sync.maps.document import MAX_BYTES

BOMBS = {
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "merge": "a: &a {x: 1}\nb: {<<: *a}\n",
    "itself": "a: &a [*a]\n",
    "lists": "[" * 100_000,
    "maps": "{a: " * 50_000,
    "dashes": "- " * 100_000,
    "question marks": "? " * 100_000,
    "indented": "\n".join(" " * n + "a:" for n in range(600)),
    "large": "a: " + "x" * MAX_BYTES,
    "keys": "".join(f"k{n}: 1\n" for n in range(2_000)),
    "twins": "stream: a\n" * 2_000,
    "object": "!!python/object/apply:os.system ['touch owned']\n",
    "name": "a: !!python/name:os.system\n",
    "directive": "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system ['touch owned']\n",
    "documents": "---\na: 1\n" * 5_000,
    "escapes": 'a: "' + "\\U0001F600" * 20_000 + '"',
    "block": "a: |\n" + " x\n" * 60_000,
    "number": "a: " + "9" * 200_000,
    "float": "a: 1e" + "9" * 100_000,
    "comments": "#\n" * 100_000,
    "nul": "a: \0",
}


@pytest.mark.parametrize("bomb", list(BOMBS))
def test_a_map_that_is_a_bomb_is_refused_in_seconds_and_little_memory(bomb: str, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.write_map(BOMBS[bomb])
    began = time.monotonic()
    ended = place.memsync("validate", "--offline")
    taken = time.monotonic() - began
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert "customers.yaml" in ended.err
    assert taken < 30
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1_500_000  # kilobytes
    assert not (tmp_path / "owned").exists()


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_the_state_of_a_run_is_its_owner_s_alone(cage: Cage, parrot: MemoryApi) -> None:
    modes: set[int] = set()

    def look(_: object) -> None:
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in cage.folder.glob("*memsync-state.db*"))

    parrot.judge = look
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    assert cage.memsync("run", "--wait", "0s").code == 0
    look(None)
    assert modes == {0o600}


def test_what_is_printed_for_a_file_holds_keys_and_no_contents(cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    assert cage.memsync("run", "--wait", "0s").code == 0
    exported = cage.memsync("state", "export", "customers")
    assert exported.json["tables"]
    assert not [value for value in (*PERSON.values(), "p8@x.example", "Eight") if value in exported.out]
    cage.look_everywhere()


def test_what_was_removed_from_the_state_is_gone_from_the_file(cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    cage.memsync("run", "--wait", "0s")
    assert cage.memsync("state", "reset", "customers", "--yes").code == 0
    cage.look_everywhere()
