"""Loading property maps: defaults, text that stays text, files and folders."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.maps.load import load_files, load_maps, load_text
from sync.maps.problem import MapsInvalid

MAP = """\
stream: crm
source: {connector: postgres, object: public.crm}
mapping:
  entityType: contact
  email: email
  properties:
    plan: {sourceField: plan, collectionName: Contacts}
"""


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(MapsInvalid) as raised:
        load_text(text, "crm.yaml")
    return [str(problem) for problem in raised.value.problems]


def test_a_minimal_map_gets_the_documented_defaults():
    found = load_text(MAP, "crm.yaml")
    assert (found.file, found.stream, found.source_label) == ("crm.yaml", "crm", "Postgres")
    sending = found.destination
    assert (sending.tier, sending.rows_per_call, sending.chunk_size, sending.skip_unchanged) == ("pro", 100, 1, True)
    plan = found.mapping.properties["plan"]
    assert (plan.extract_memories, plan.transform, plan.on_error) == (False, (), "reject")
    assert found.schedule is None


def test_the_label_of_the_source_can_be_chosen():
    assert load_text(MAP + "destination: {source: Billing}\n").source_label == "Billing"


@pytest.mark.parametrize("text", ["no", "0123", "12:30:45", "2024-01-01", "on", "1_000", "0x1F"])
def test_scalars_that_older_yaml_would_change_stay_text(text):
    changed = MAP.replace("sourceField: plan", f"sourceField: {text}")
    assert load_text(changed).mapping.properties["plan"].source_field == text


def test_keys_that_look_like_numbers_are_names():
    found = load_text(MAP.replace("plan: {source", "2024: {source"))
    assert list(found.mapping.properties) == ["2024"]


def test_a_primary_key_may_be_one_name_or_a_list():
    def key(text):
        return load_text(MAP.replace("public.crm}", f"public.crm, primaryKey: {text}}}")).source.primary_key

    assert key("id") == ("id",)
    assert key("[tenant, id]") == ("tenant", "id")


def test_a_null_cursor_field_is_told_from_an_absent_one():
    assert load_text(MAP.replace("public.crm}", "public.crm, cursorField: null}")).source.reads_all
    assert not load_text(MAP).source.reads_all


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    assert load_text(b"\xef\xbb\xbf" + MAP.replace("\n", "\r\n").encode()).stream == "crm"


def test_a_folder_is_loaded_in_order_of_names_and_other_files_are_left_alone(tmp_path):
    (tmp_path / "b.yaml").write_text(MAP.replace("stream: crm", "stream: b"))
    (tmp_path / "a.yml").write_text(MAP.replace("stream: crm", "stream: a"))
    (tmp_path / "schema.json").write_text("{")
    (tmp_path / "notes.txt").write_text("{")
    assert [found.stream for found in load_maps(tmp_path)] == ["a", "b"]


def test_the_problems_of_all_files_come_at_once_in_order(tmp_path):
    (tmp_path / "b.yaml").write_text("stream: b\n")
    (tmp_path / "a.yaml").write_text(MAP.replace("email: email", "emial: email"))
    with pytest.raises(MapsInvalid) as raised:
        load_maps(tmp_path)
    files = [Path(problem.file).name for problem in raised.value.problems]
    assert files == sorted(files)
    assert set(files) == {"a.yaml", "b.yaml"}
    assert str(raised.value).count("\n") == len(files) - 1


def test_two_files_with_one_stream_name_are_refused_and_both_are_named(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(MAP)
    with pytest.raises(MapsInvalid) as raised:
        load_maps(tmp_path)
    (problem,) = raised.value.problems
    assert problem.file.endswith("b.yaml")
    assert (problem.line, problem.column, problem.path) == (1, 9, "stream")
    assert "a.yaml" in problem.message


@pytest.mark.parametrize("make", ["missing", "empty", "file"])
def test_a_folder_without_maps_is_refused_with_the_remedy(tmp_path, make):
    folder = tmp_path / "maps"
    if make == "empty":
        folder.mkdir()
    elif make == "file":
        folder.write_text(MAP)
    with pytest.raises(MapsInvalid, match="--mappings DIR") as raised:
        load_maps(folder)
    assert str(folder) in str(raised.value)


def test_files_that_cannot_be_read_are_problems_and_the_others_are_still_checked(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "wrong.yaml").write_text("strem: x\n")
    with pytest.raises(MapsInvalid) as raised:
        load_maps(tmp_path)
    names = {Path(problem.file).name for problem in raised.value.problems}
    assert names == {"folder.yaml", "loop.yaml", "gone.yaml", "pipe.yaml", "wrong.yaml"}


def test_a_named_file_that_is_absent_is_a_problem(tmp_path):
    with pytest.raises(MapsInvalid, match="No such file"):
        load_files([tmp_path / "absent.yaml"])


def test_an_ordinary_map_is_loaded_quickly():
    load_text(MAP)
    start = perf_counter()
    for _ in range(5):
        load_text(MAP)
    assert (perf_counter() - start) / 5 < 0.1  # measured: 2 ms; the bound leaves room for a busy machine


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=300), st.binary(max_size=300), st.text("[]{}:,-&*!|>'\"%@` \n\tab<?#", max_size=120)))
def test_no_text_makes_the_loader_crash(text):
    with pytest.raises(MapsInvalid) as raised:
        load_text(text)
    assert raised.value.problems
    assert all("\n" not in str(problem) for problem in raised.value.problems)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(MAP)), st.text("[]{}:,-&*!|>'\"%@` \n\tab<?#", min_size=1, max_size=4))
def test_no_slip_of_the_keyboard_makes_the_loader_crash(place, slip):
    with suppress(MapsInvalid):
        load_text(MAP[:place] + slip + MAP[place:])
