"""Log lines on standard error: JSON for machines, short lines for people, secrets in neither."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

_SECRET = re.compile(
    # Not every sk_..._ is a key: task_type_id and sk_customer_id are columns, disk_one_state.db a file.
    r"(sk_(?:live|test)_|\bsk_[a-z]+_(?=\w{16})|Bearer\s+)(?!\.{3})[^\s\"',}()]+"
    r"|(postgres(?:ql)?(?:\+\w+)?://[^:/@\s]*:)\S+(?=@)",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^\s\"'<>()\[\]{},;:=&/\\]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)


def set_up(form: Literal["auto", "console", "json"], level: str) -> None:
    """Send structlog's and the standard library's lines to standard error in one form."""
    import structlog  # here: whoever only masks a text need not wait for it

    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    renderer = structlog.processors.JSONRenderer() if as_json else _for_people
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, Forward)] + [Forward()]
    for name in ("httpx", "httpcore", "sqlalchemy", "psycopg"):  # their lines carry addresses and values
        logging.getLogger(name).setLevel(logging.WARNING)


class Forward(logging.Handler):
    """Hands the standard library's lines to structlog, without tracebacks: those may hold anything."""

    def emit(self, record: logging.LogRecord) -> None:
        import structlog

        try:
            text = record.getMessage()
        except Exception:  # arguments that do not fit their text
            text = str(record.msg)
        structlog.get_logger().log(record.levelno, text, logger=record.name)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask keys, passwords and e-mail addresses in every value of a log line, whoever put them there."""
    for name, value in event.items():
        if not isinstance(value, int | float | None):
            event[name] = _EMAIL.sub("<e-mail>", mask(str(value)).replace("\n", " "))
    return event


def mask(text: str) -> str:
    """The text without keys and passwords, and without control characters that a terminal would obey."""
    text = _SECRET.sub(lambda found: f"{found[1] or found[2]}***", text)
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _for_people(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    moment = str(event.pop("timestamp", ""))[11:19]
    level, text = str(event.pop("level", "")), event.pop("event", "")
    rest = "  ".join(f"{name}={value}" for name, value in event.items())
    return f"{moment} {level:<7} {text}" + (f"  {rest}" if rest else "")
