"""The variables of the application, and what bad ones get."""

import pytest

from connectors.variables import VariablesInvalid
from sync.destination import open_destination
from sync.memory.errors import DestinationMisconfigured
from sync.settings import Settings


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)


def opening_fails(settings):
    with pytest.raises(DestinationMisconfigured) as caught:
        open_destination(settings, lambda _: None, lambda _: None)
    return str(caught.value)


def test_nothing_set_gives_the_documented_defaults():
    settings = Settings.load()
    assert settings.personize_base_url == "https://agent.personize.ai"
    assert settings.memsync_state_url == "sqlite:///memsync-state.db"
    assert (settings.memsync_in_flight, settings.memsync_rate_share, settings.memsync_rate_unit) == (4, 0.9, "call")
    assert "PERSONIZE_SECRET_KEY is not set" in opening_fails(settings)


@pytest.mark.parametrize(
    "key", ["sk_live_CAN\nARY", "sk_live_CANARY\r\nX: y", "sk_live_CANÄRY", "sk_live CANARY", "\u200bsk"]
)
def test_a_key_that_is_none_never_appears_anywhere(key, monkeypatch, capfd):
    monkeypatch.setenv("PERSONIZE_SECRET_KEY", key)
    settings = Settings.load()
    message = opening_fails(settings)
    assert "characters that no key has" in message
    output = "".join(capfd.readouterr())
    for text in (message, repr(settings), str(settings), output):
        assert "CAN" not in text


def test_a_blank_key_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("PERSONIZE_SECRET_KEY", "")
    assert "is not set" in Settings.load().key_problem()


def test_a_trailing_line_break_does_no_harm(monkeypatch):
    monkeypatch.setenv("PERSONIZE_SECRET_KEY", "sk_live_x\n")
    monkeypatch.setenv("PERSONIZE_BASE_URL", " https://memory.example.com\n")
    settings = Settings.load()
    assert settings.key_problem() is None
    assert settings.personize_base_url == "https://memory.example.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEMSYNC_IN_FLIGHT", "0"),
        ("MEMSYNC_IN_FLIGHT", "CANARY"),
        ("MEMSYNC_RATE_SHARE", "nan"),
        ("MEMSYNC_RATE_SHARE", "1.5"),
        ("MEMSYNC_RATE_UNIT", "CANARY"),
        ("PERSONIZE_API_VERSION", "CANARY"),
        ("MEMSYNC_LOG_LEVEL", "CANARY"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_not_shown(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(VariablesInvalid, match=f"^{name}: ") as caught:
        Settings.load()
    assert "CANARY" not in str(caught.value)


def test_a_secret_is_read_from_the_file_that_its_variable_names(monkeypatch, tmp_path):
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbfsk_live_x\r\n")
    monkeypatch.setenv("PERSONIZE_SECRET_KEY_FILE", str(tmp_path / "key"))
    assert Settings.load().personize_secret_key.get_secret_value() == "sk_live_x"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "cannot read .*: it is not UTF-8;"),
        (None, "cannot read .*: no such file or directory;"),
    ],
)
def test_a_file_that_holds_no_secret_is_named(content, words, monkeypatch, tmp_path):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    monkeypatch.setenv("PERSONIZE_SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(VariablesInvalid, match=f"PERSONIZE_SECRET_KEY_FILE: .*{words}"):
        Settings.load()


def test_a_variable_and_its_file_exclude_each_other(monkeypatch):
    monkeypatch.setenv("PERSONIZE_SECRET_KEY", "sk_live_CANARY")
    monkeypatch.setenv("PERSONIZE_SECRET_KEY_FILE", "key")
    with pytest.raises(VariablesInvalid, match="are both set") as caught:
        Settings.load()
    assert "CANARY" not in str(caught.value)


def test_variables_come_from_the_env_file_too_and_the_environment_wins(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("MEMSYNC_IN_FLIGHT=2\nMEMSYNC_RATE_UNIT=row\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("MEMSYNC_IN_FLIGHT", "3")
    settings = Settings.load()
    assert (settings.memsync_in_flight, settings.memsync_rate_unit) == (3, "row")


def test_an_env_file_in_another_encoding_is_told(tmp_path):
    (tmp_path / ".env").write_bytes("MEMSYNC_MAPPINGS=Käse\n".encode("utf-16"))
    with pytest.raises(VariablesInvalid, match="must be UTF-8"):
        Settings.load()


def test_hosts_are_a_list_in_any_case():
    settings = Settings(memsync_allow_hosts=" Memory.Example.com , ,b.example")
    assert settings.allowed_hosts == {"memory.example.com", "b.example"}
