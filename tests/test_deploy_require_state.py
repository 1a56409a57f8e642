"""MEMSYNC_REQUIRE_STATE: a state store that was lost does not pass for a first run."""

from __future__ import annotations

from pathlib import Path

import pytest
from deploy_files import document_of
from workplace import MAP, Workplace

from state import open_store
from state.errors import StoreUnusable
from sync.commands.session import refuse_fresh_state
from sync.settings import Settings


def settings(url: str, *, required: bool = True) -> Settings:
    return Settings(memsync_state_url=url, memsync_require_state=required, _env_file=None)  # type: ignore[call-arg]


def test_without_a_store_a_run_is_refused_and_none_is_made(state_url: str) -> None:
    for _ in range(2):  # the first refusal left nothing behind that the second would take for a store
        with pytest.raises(StoreUnusable, match="MEMSYNC_REQUIRE_STATE=false"):
            refuse_fresh_state(settings(state_url))


def test_in_a_workflow_the_remedy_is_its_button(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (name,) = [
        one for one in document_of("deploy/github-action.yml")["on"]["workflow_dispatch"]["inputs"] if "first" in one
    ]
    with pytest.raises(StoreUnusable, match=f"start the workflow by hand with its input {name} "):
        refuse_fresh_state(settings(f"sqlite:///{tmp_path}/state.db"))


def test_with_a_store_nothing_is_refused(state_url: str) -> None:
    open_store(state_url).close()
    refuse_fresh_state(settings(state_url))


def test_unless_it_is_asked_for_nothing_is_refused(state_url: str) -> None:
    refuse_fresh_state(settings(state_url, required=False))


def test_a_folder_that_was_lost_with_the_store_is_the_same_loss(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="MEMSYNC_REQUIRE_STATE"):
        refuse_fresh_state(settings(f"sqlite:///{tmp_path}/gone/state.db"))


def test_a_store_in_memory_is_always_a_new_one() -> None:
    with pytest.raises(StoreUnusable, match="MEMSYNC_REQUIRE_STATE"):
        refuse_fresh_state(settings("sqlite:///:memory:"))


def test_another_program_s_file_is_refused_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("notes of mine")
    with pytest.raises(StoreUnusable, match="is not a SQLite database"):
        refuse_fresh_state(settings(f"sqlite:///{tmp_path}/state.db"))


def test_a_server_that_is_away_is_no_lost_store() -> None:
    with pytest.raises(StoreUnusable, match="its server cannot be reached"):
        refuse_fresh_state(settings("postgresql://nobody@127.0.0.1:9/none?connect_timeout=2"))


@pytest.mark.parametrize("command", [["run"], ["backfill", "customers"]])
def test_the_commands_that_send_end_with_exit_code_8_and_the_remedy(tmp_path: Path, command: list[str]) -> None:
    place = Workplace(tmp_path, {"MEMSYNC_REQUIRE_STATE": "true", "PERSONIZE_SECRET_KEY": "sk_test_1"})
    place.write_map(MAP)
    ended = place.memsync(*command)
    assert ended.code == 8
    assert "memsync-state.db: there is no state store" in ended.err
    assert "run once with MEMSYNC_REQUIRE_STATE=false" in ended.err
    assert not (tmp_path / "memsync-state.db").exists()


def test_a_dry_run_is_not_refused(tmp_path: Path) -> None:
    place = Workplace(tmp_path, {"MEMSYNC_REQUIRE_STATE": "true"})
    place.write_map(MAP)
    ended = place.memsync("run", "--dry-run")
    assert "PERSONIZE_SECRET_KEY is not set" in ended.err  # it went on to what comes next
