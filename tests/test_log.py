"""Log lines: one form, on standard error, with nothing in them that must not be there."""

import json
import logging

import pytest
import structlog

from sync import log


@pytest.fixture(autouse=True)
def untouched():
    before, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers, logging.getLogger().level = before, level
    structlog.reset_defaults()


SECRETS = {
    "key": "key sk_live_CANARY-1",
    "bearer": "Authorization: Bearer CANARY",
    "url": "postgresql+psycopg://ada:CAN@RY/x@db.example/crm",
    "address": "row of canary.jane@example.com",
    "nested": {"headers": {"Authorization": "Bearer CANARY"}},
    "list": ["sk_test_CANARY"],
    "error": ValueError("sk_live_CANARY"),
    "bytes": b"Bearer CANARY",
}


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_gets_into_a_line_whoever_put_it_there(form, capfd):
    log.set_up(form, "debug")
    structlog.get_logger().info("sk_live_CANARY", **SECRETS)
    logging.getLogger("somebody.else").warning("canary@example.com %s", "Bearer CANARY")
    shown = capfd.readouterr()
    assert "somebody.else" in shown.err
    assert "canary" not in shown.err.lower()
    assert "CAN@RY" not in shown.err
    assert shown.out == ""


def test_a_line_of_another_library_has_the_same_form(capfd):
    log.set_up("json", "info")
    logging.getLogger("urllib3").error("it broke %d times", 3)
    line = json.loads(capfd.readouterr().err.splitlines()[0])
    assert (line["event"], line["level"], line["logger"]) == ("it broke 3 times", "error", "urllib3")


def test_an_exception_of_another_library_shows_no_traceback(capfd):
    log.set_up("console", "info")
    try:
        raise ValueError("CANARY")
    except ValueError:
        logging.getLogger("other").exception("failed")
    assert "CANARY" not in capfd.readouterr().err


def test_a_line_break_cannot_forge_a_second_line(capfd):
    log.set_up("console", "info")
    structlog.get_logger().info("one\n12:00:00 error   two", name="a\x1b[2Jb\nc")
    shown = capfd.readouterr().err
    assert shown.count("\n") == 1
    assert "\x1b" not in shown


def test_numbers_stay_numbers(capfd):
    log.set_up("json", "info")
    structlog.get_logger().info("run", rows=3, seconds=0.5, well=True, cursor=None)
    line = json.loads(capfd.readouterr().err)
    assert (line["rows"], line["seconds"], line["well"], line["cursor"]) == (3, 0.5, True, None)


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_the_level_is_the_least_that_is_shown(level, lines, capfd):
    log.set_up("console", level)
    logger = structlog.get_logger()
    logger.debug("a")
    logger.info("b")
    logger.warning("c")
    assert len(capfd.readouterr().err.splitlines()) == lines


def test_setting_up_twice_says_everything_once(capfd):
    log.set_up("console", "info")
    log.set_up("console", "info")
    logging.getLogger("other").warning("once")
    assert capfd.readouterr().err.count("once") == 1


@pytest.mark.parametrize("name", ["/data/disk_one_state.db: is full", "column task_type_id", "column sk_customer_id"])
def test_a_name_that_only_looks_like_a_key_is_shown(name):
    assert log.mask(name) == name


@pytest.mark.parametrize("key", ["sk_live_1", "xsk_test_1", "sk_prod_0123456789abcdef", "SK_LIVE_1"])
def test_a_key_is_masked_wherever_it_stands(key):
    assert log.mask(f"with {key}, too").endswith("_***, too")
