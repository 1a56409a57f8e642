"""`.env` is changed line by line, read back exactly, and readable by its owner alone."""

from __future__ import annotations

import stat
import subprocess

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from sync.discover.env_file import EnvFileUnusable, is_exposed, quoted, with_variables, write

HARD = ["plain", "", "a b", "it's", 'say "x"', "$HOME", "${HOME}", "${A:-b}", "a#b", " # no remark", "back\\slash",
        "\\'", "\\n", "two\nlines", "-----BEGIN KEY-----\nabc+/=\n-----END KEY-----\n", "ünï", "p@ss:w/ord?&",
        "'", "\\", " blanks "]  # fmt: skip


@pytest.mark.parametrize("value", HARD)
def test_hard_values_are_read_back_exactly(tmp_path, value):
    write(tmp_path / ".env", {"A_SECRET": value, "ANOTHER": "x"})
    assert dotenv_values(tmp_path / ".env") == {"A_SECRET": value, "ANOTHER": "x"}


@given(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))
)
def test_any_value_is_read_back_exactly_or_refused(value):
    try:
        text = with_variables("KEPT=1\n", {"NAME": value})
    except EnvFileUnusable:
        return
    import io

    assert dotenv_values(stream=io.StringIO(text)) == {"KEPT": "1", "NAME": value}


def test_a_carriage_return_which_no_file_brings_back_is_refused(tmp_path):
    with pytest.raises(EnvFileUnusable, match=r"A_SECRET holds a carriage return"):
        write(tmp_path / ".env", {"A_SECRET": "-----BEGIN KEY-----\r\nabc"})
    assert not (tmp_path / ".env").exists()


def test_other_lines_stay_as_they_are_and_a_changed_one_stays_in_its_place(tmp_path):
    file = tmp_path / ".env"
    file.write_text('# mine\nexport A="1"\n\nB=2 # why\nB=3\nC=4')
    write(file, {"B": "new", "D": "more"})
    assert file.read_text() == '# mine\nexport A="1"\n\nB=new\nC=4\nD=more\n'


def test_the_file_is_readable_by_its_owner_alone_even_if_it_was_not_before(tmp_path):
    file = tmp_path / ".env"
    file.write_text("A=1\n")
    file.chmod(0o644)
    write(file, {"B": "2"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(EnvFileUnusable, match=r"nowhere/\.env: cannot be written"):
        write(tmp_path / "nowhere" / ".env", {"A": "1"})


def test_simple_values_stand_bare():
    assert quoted("postgresql://u:p@h:5432/d") == "postgresql://u:p@h:5432/d"


def test_a_file_that_git_would_take_up_is_noticed(tmp_path):
    file = tmp_path / ".env"
    assert not is_exposed(file)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert is_exposed(file)
    (tmp_path / ".gitignore").write_text(".env\n")
    assert not is_exposed(file)
