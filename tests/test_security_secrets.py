"""Secrets in every slot, well and badly filled, and errors of every layer: nothing of them is ever shown."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from doubles.memory_api import MemoryApi
from fixtures_canary import KEY, Cage, traces

from connectors.base import SourceRefused
from sync.commands.trouble import frames_of, tell
from sync.settings import Settings

LINES = "sk_live_quokka\nX-Injected: dingo"
WRONG_KEYS = {
    "two lines": LINES,
    "carriage return": "sk_live_quokka\r\nX: dingo",
    "not ascii": "sk_live_quokka-ö-dingo",
    "full width": "ｓｋ＿quokka",
    "blank inside": "quokka dingo",
    "bearer": "Bearer quokka.dingo",
    "quotes": '"quokka" dingo',
    "invisible": "quokka\u200bdingo",
    "tab": "quokka\tdingo",
    "another variable": "PERSONIZE_SECRET_KEY = quokka",
}
WRONG_DATABASES = {
    "two @": "postgresql://u:quokka@dingo@127.0.0.1:1/x",
    "slash": "postgresql://u:quokka/dingo@127.0.0.1:1/x",
    "port": "postgresql://u:quokka@127.0.0.1:dingo/x",
    "percent": "postgresql://u:quok%ka%zz@127.0.0.1/x",
    "other scheme": "mysql://u:quokka@127.0.0.1/x",
    "word": "quokka",
    "keywords": "host=127.0.0.1 port=1 password=quokka user=u",
    "open quote": "host=h password='quokka",
    "option": "postgresql://u@127.0.0.1:1/x?pasword=quokka",
    "refused": "postgresql://u:quokka@127.0.0.1:1/x",
    "certificate password": "postgresql://u@127.0.0.1:1/x?sslpassword=quokka&sslmode=disable",
    "not ascii": "postgresql://u:quökka-quokka@127.0.0.1:1/x",
    "two lines": "postgresql://u:quokka\ndingo@127.0.0.1:1/x",
}
COMMANDS = (("run", "--wait", "0s"), ("validate",), ("verify", "customers"), ("rejects", "show", "customers"))


@pytest.mark.parametrize("wrong", list(WRONG_KEYS))
@pytest.mark.parametrize("way", ["variable", "file", ".env"])
def test_a_key_that_is_none_is_refused_without_being_shown(wrong: str, way: str, cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    if way != "variable":
        cage.unset("PERSONIZE_SECRET_KEY")
    if way == "file":
        (cage.folder / "secret").write_text(WRONG_KEYS[wrong], encoding="utf-8")
        cage.set(PERSONIZE_SECRET_KEY_FILE=str(cage.folder / "secret"))
    elif way == ".env":
        (cage.folder / ".env").write_text(f"PERSONIZE_SECRET_KEY={WRONG_KEYS[wrong]}\n", encoding="utf-8")
    else:
        cage.set(PERSONIZE_SECRET_KEY=WRONG_KEYS[wrong])
    codes = {one.code for one in cage.in_every_mode("run", "--wait", "0s")}
    assert codes == {2} or (way == ".env" and wrong in ("two lines", "carriage return", "quotes"))
    cage.look_everywhere()


def test_a_trailing_line_break_is_taken_off_and_the_key_not_shown(cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url, PERSONIZE_SECRET_KEY="sk_live_quokka\r\n")
    assert {one.code for one in cage.in_every_mode("run", "--wait", "0s")} == {0}
    cage.look_everywhere()


@pytest.mark.parametrize("name", ["PERSONIZE_SECRET_KEY", "DATABASE_URL", "MEMSYNC_STATE_URL"])
@pytest.mark.parametrize("value", ["sk_live_quokka", "quokka", "postgresql://u:quokka@h/x", "a/quokka+b=", "quo\tkka"])
def test_a_secret_in_the_variable_for_its_file_is_not_shown(
    name: str, value: str, cage: Cage, parrot: MemoryApi
) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    cage.unset(name)
    cage.set(**{f"{name}_FILE": value})
    for ended in cage.in_every_mode("run", "--wait", "0s"):
        assert ended.code == 2
        assert f"{name}_FILE" in ended.out + ended.err
    cage.look_everywhere()


@pytest.mark.parametrize("content", [b"", b"\n", b"quokka\xff\xfe", "quokka".encode("utf-16"), b"quokka\0dingo", None])
def test_a_file_without_a_usable_secret_is_named_and_nothing_of_it_shown(
    content: bytes | None, cage: Cage, parrot: MemoryApi
) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url, PERSONIZE_SECRET_KEY_FILE=str(cage.folder / "secret"))
    cage.unset("PERSONIZE_SECRET_KEY")
    if content is not None:
        (cage.folder / "secret").write_bytes(content)
    assert {one.code for one in cage.in_every_mode("run")} == {2}
    cage.look_everywhere()


@pytest.mark.parametrize(
    "line", ["PERSONIZE_SECRET_KEY quokka", "'quokka", "export =quokka", 'A="quokka', "PERSONIZE_SECRET_KEY: quokka"]
)
def test_a_wrong_line_of_the_env_file_is_placed_and_not_shown(line: str, cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    (cage.folder / ".env").write_text(f"\n{line}\n", encoding="utf-8")
    for ended in cage.in_every_mode("run", "--wait", "0s"):
        assert ended.code in (0, 2)
    cage.look_everywhere()


@pytest.mark.parametrize("wrong", list(WRONG_DATABASES))
def test_a_source_address_that_cannot_be_used_is_not_shown(wrong: str, cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url, DATABASE_URL=WRONG_DATABASES[wrong])
    for command in COMMANDS[:2]:
        assert {one.code for one in cage.in_every_mode(*command)} <= {2, 4}
    assert cage.memsync(*COMMANDS[3], "--debug").code in (2, 4)
    cage.look_everywhere()


@pytest.mark.parametrize("wrong", list(WRONG_DATABASES))
def test_a_state_address_that_cannot_be_used_is_not_shown(wrong: str, cage: Cage, parrot: MemoryApi) -> None:
    cage.set(PERSONIZE_BASE_URL=parrot.url, MEMSYNC_STATE_URL=WRONG_DATABASES[wrong])
    for command in (("run", "--wait", "0s"), ("status",), ("state", "export", "customers")):
        assert {one.code for one in cage.in_every_mode(*command)[1:2]} <= {2, 8}
    cage.look_everywhere()
    assert traces(repr(Settings.load())) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PERSONIZE_BASE_URL", "https://quokka:dingo@agent.personize.ai"),
        ("PERSONIZE_BASE_URL", "sk_live_quokka"),
        ("PERSONIZE_BASE_URL", "https://agent.personize.ai/?key=quokka"),
        ("MEMSYNC_LOG_LEVEL", "quokka"),
        ("MEMSYNC_IN_FLIGHT", "quokka"),
        ("PERSONIZE_API_VERSION", "quokka"),
    ],
)
def test_a_secret_in_another_variable_is_not_shown(name: str, value: str, cage: Cage) -> None:
    cage.unset("PERSONIZE_BASE_URL")
    for arguments in (("run",), ("run", "--json", "--debug"), ("validate", "--debug")):
        cage.set(**{name: value})
        assert cage.memsync(*arguments).code == 2
    cage.look_everywhere()


def _three_layers(secret: str) -> None:
    local = {"password": secret}
    try:
        try:
            raise KeyError(secret)
        except KeyError:
            raise ValueError(f"row {local}") from None
    except ValueError as error:
        error.add_note(secret)
        raise RuntimeError(secret) from error


@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_error_that_nobody_expects_shows_its_lines_and_no_message(
    debug: list[str], as_json: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError) as caught:
        _three_layers(KEY)
    assert "quokka" in "".join(traceback.format_exception(caught.value))
    assert tell(caught.value, ["run", *debug, *as_json]) == 1
    shown = "".join(capfd.readouterr())
    assert not traces(shown)
    assert ("_three_layers" in shown) == bool(debug)


def test_a_traceback_names_the_errors_behind_an_error() -> None:
    with pytest.raises(RuntimeError) as caught:
        _three_layers(KEY)
    text = frames_of(caught.value)
    assert [text.count(name) for name in ("RuntimeError, raised", "behind it: ValueError, raised")] == [1, 1]
    assert f'File "{__file__}"' in text
    looped = SourceRefused("quokka")
    looped.__cause__ = looped
    assert not traces(frames_of(looped))


def test_a_fault_of_memsync_itself_shows_no_row(cage: Cage, parrot: MemoryApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(rows: object, **_: object) -> None:
        raise ValueError(f"cannot handle {rows}")

    monkeypatch.setattr("sync.deliver.misfit", broken)
    cage.set(PERSONIZE_BASE_URL=parrot.url)
    assert {one.code for one in cage.in_every_mode("run", "--wait", "0s")} == {1}
    assert any("broken" in text for text in cage.said)
    cage.look_everywhere()


def test_the_name_of_a_file_that_looks_like_a_path_is_shown(cage: Cage, tmp_path: Path) -> None:
    cage.unset("PERSONIZE_SECRET_KEY")
    cage.set(PERSONIZE_SECRET_KEY_FILE=f"{tmp_path}/nowhere", PERSONIZE_BASE_URL="http://127.0.0.1:1")
    assert f"{tmp_path}/nowhere" in cage.memsync("run").err
