"""Pieces of pages: each takes values and returns markup in which every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from sync.web.style import CSS

ICON = "data:image/svg+xml," + quote(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#2f5bd8"/>'
    '<rect x="5" y="5" width="6" height="6" rx="1.5" fill="#fff"/></svg>'
)


def frame(
    name: str, title: str, body: str, footer: str, tabs: Sequence[tuple[str, str]] = (), tab: str = "", refresh: int = 0
) -> bytes:
    """A whole page around a body that is markup already; it loads itself again after `refresh` seconds."""
    links = "".join(f'<a href="{path}"{" aria-current=page" if path == tab else ""}>{word}</a>' for path, word in tabs)
    nav = f'<nav aria-label="Sections">{links}</nav>' if links else ""
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{text(title)} · {text(name)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}'
        f'<link rel="icon" href="{ICON}"><style>{CSS}</style></head><body>'
        f'<header class="top"><div class="wrap"><a class="brand" href="/"><span class="mark"></span>{text(name)}</a>'
        f'{nav}</div></header><main class="wrap">{body}</main>'
        f'<footer><div class="wrap">{text(footer)}</div></footer></body></html>'
    ).encode("utf-8", "replace")


def text(value: Any) -> str:
    """A value as text in markup."""
    if value is True or value is False:
        return "true" if value else "false"
    return escape(str(value).replace("\0", "�"))


def number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def plural(count: int, one: str, many: str) -> str:
    """A count and its noun."""
    return f"{number(count)} {one if count == 1 else many}"


def shortened(value: Any, most: int) -> str:
    """A value's beginning as text in markup."""
    plain = " ".join(str(value).split())
    return text(plain if len(plain) <= most else plain[: most - 1].rstrip() + "…")


def moment(seconds: float, now: float) -> str:
    """A time as people say it, with the exact one on hover."""
    past = now - seconds
    if past < 5:
        words = "just now"
    elif past < 60:
        words = f"{int(past)} s ago"
    elif past < 3600:
        words = f"{int(past / 60)} min ago"
    elif past < 86400:
        words = f"{int(past / 3600)} h ago"
    else:
        words = datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y")
    exact = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f'<time datetime="{exact}" title="{exact}">{words}</time>'


def chip(status: str, words: str | None = None) -> str:
    """A status, or another short word that should be seen at once."""
    return f'<span class="chip {text(status)}">{text(words or status.replace("_", " "))}</span>'


def table(headings: str, rows: list[str]) -> str:
    """A table in its frame; headings and rows are markup."""
    return f'<div class="card"><table><thead><tr>{headings}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def empty(title: str, body: str) -> str:
    """What stands where nothing is yet; the body is markup and tells what to do next."""
    return f'<div class="card empty"><h3>{text(title)}</h3>{body}</div>'


def head(title: str, hint: str = "") -> str:
    """A section's heading, with a hint (markup) on its right."""
    return f'<div class="head"><h2>{text(title)}</h2><span class="hint">{hint}</span></div>'
