"""Killed at any moment, nothing is lost: trials with a memory that keeps its own ledger."""

import itertools

import pytest
from crash.__main__ import main
from crash.failpoints import FAILPOINTS
from crash.mutants import MUTANTS
from crash.process import Forks
from crash.world import World


@pytest.fixture(scope="module")
def forks():
    with Forks() as running:
        yield running


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_whatever_happens(seed, tmp_path, forks, request):
    state_url = request.getfixturevalue("schema_url") if seed % 4 == 0 else ""
    World(seed, tmp_path, forks, state_url).live()


@pytest.mark.slow
def test_nothing_is_lost_in_two_hundred_trials(capfd):
    assert main(200, first=1000) == 0
    table = capfd.readouterr().out
    assert "| rows lost | 0 |" in table
    assert f"{len(FAILPOINTS)} of {len(FAILPOINTS)}" in table


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILPOINTS)
def test_a_run_may_be_killed_at_every_step(name, tmp_path, forks):
    for number in itertools.count(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(number, folder, forks)
        world.live(name, rounds=3)
        if world.killed_at[name]:
            return
        assert number < 110, f"no run ever comes to {name}"


@pytest.mark.parametrize(
    "mutant", [name if place < 5 else pytest.param(name, marks=pytest.mark.slow) for place, name in enumerate(MUTANTS)]
)
def test_a_broken_memsync_is_caught(mutant, tmp_path, forks):
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            World(seed, folder, forks, mutant=mutant).live()
        except AssertionError:
            return
    pytest.fail(f"{mutant} went unnoticed")
