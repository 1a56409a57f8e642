"""html_to_text: what a person would read, from the HTML of CRM notes and emails."""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any

from sync.maps.transforms.failure import Change, TransformFailed

_TAG = re.compile(
    r"<(?:/?(?:p|div|br|ul|ol|li|table|thead|tbody|tr|td|th|span|a|b|i|u|em|strong|h[1-6]|html|body|head|style|script|"
    r"blockquote|pre|img|font|hr|section|article|center|code|title|meta)\b[^<]*>|!--|!doctype)",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_PARAGRAPHS = frozenset({"p", "blockquote", "pre", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr"})
_LINES = frozenset({"div", "tr", "li", "section", "article", "header", "footer", "dt", "dd", "center"})
_DROPPED = frozenset({"script", "style", "head", "title", "template", "noscript"})
_ENDS = (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">"))
_DECLARATION = re.compile(r"<[!?]")
_BLANKS = re.compile(r"[ \t\r\n\f\v\u00a0]+")


def html_to_text() -> Change:
    def change(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [change(item) for item in value]
        if not isinstance(value, str):
            if isinstance(value, dict):
                raise TransformFailed(value, "text")
            return value
        return read_html(value)

    return change


def read_html(text: str) -> str:
    """Convert a text that looks like HTML; any other text keeps its lines, with entities decoded."""
    if "<" in text and _TAG.search(text):
        reader = _Reader()
        markup, rest = _cut_after_last_tag(_without_declarations(text))
        reader.feed(markup)
        reader.close()
        reader.handle_data(unescape(rest))
        return reader.text()
    return unescape(text).replace("\u00a0", " ") if "&" in text and _ENTITY.search(text) else text


def _without_declarations(text: str) -> str:
    """Drop comments, doctypes and Outlook's conditions: the parser is slow with open ones, or refuses them."""
    parts = []
    start = 0
    while (found := _next_declaration(text, start)) >= 0:
        opening, closing = next(pair for pair in _ENDS if text.startswith(pair[0], found))
        end = text.find(closing, found + len(opening))
        parts.append(text[start:found])
        if end < 0:
            start = found + len(opening)
            break
        if opening == "<![CDATA[":
            parts.append(escape(text[found + len(opening) : end]))
        start = end + len(closing)
    return "".join(parts) + text[start:].replace("<!", "").replace("<?", "")


def _next_declaration(text: str, start: int) -> int:
    match = _DECLARATION.search(text, start)
    return match.start() if match else -1


def _cut_after_last_tag(text: str) -> tuple[str, str]:
    """What follows the last `>` holds no tag; the parser would look for its end again and again."""
    cut = text.rfind(">") + 1
    return text[:cut], text[cut:]


class _Reader(HTMLParser):
    """Collects text; line breaks are owed until the next text, so that they never pile up."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._owed = 0
        self._blank = False
        self._dropped = 0
        self._pre = 0
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []

    def text(self) -> str:
        return "".join(self._parts).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._dropped += 1
        elif tag == "body":
            self._dropped = 0
        elif tag == "br":
            self._owed = min(self._owed + 1, 2)
        elif tag in ("td", "th"):
            self._cell()
        elif tag == "a":
            self._links.append((_target(attrs), len(self._parts)))
        else:
            self._block(tag, opening=True)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._dropped = max(self._dropped - 1, 0)
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        else:
            self._block(tag, opening=False)

    def handle_data(self, data: str) -> None:
        if self._dropped:
            return
        if self._pre:
            self._write(data.replace("\u00a0", " "))
            return
        words = _BLANKS.sub(" ", data)
        self._blank = self._blank or words.startswith(" ")
        if words.strip():
            self._write(words.strip())
            self._blank = words.endswith(" ")

    def _block(self, tag: str, *, opening: bool) -> None:
        if tag in _PARAGRAPHS:
            inner = tag in ("ul", "ol") and len(self._lists) > (not opening)
            self._owed = max(self._owed, 1 if inner else 2)
        elif tag in _LINES:
            self._owed = max(self._owed, 1)
        if tag in ("ul", "ol"):
            self._open_list(tag, opening=opening)
        elif tag == "pre":
            self._pre = max(self._pre + (1 if opening else -1), 0)
        elif tag == "li" and opening:
            self._bullet()

    def _open_list(self, tag: str, *, opening: bool) -> None:
        if opening:
            self._lists.append(1 if tag == "ol" else None)
        elif self._lists:
            self._lists.pop()

    def _bullet(self) -> None:
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        self._write("  " * (len(self._lists) - 1) + (f"{number}." if number is not None else "-"))
        self._blank = True

    def _cell(self) -> None:
        if self._parts and not self._owed:
            self._write(" |")
            self._blank = True

    def _end_link(self, target: str, start: int) -> None:
        shown = "".join(self._parts[start:]).strip()
        if not self._dropped and target and target not in (shown, f"mailto:{shown}", f"tel:{shown}"):
            self._blank = False
            self._write(f" ({target})" if shown else target)

    def _write(self, text: str) -> None:
        if self._owed and self._parts:
            self._parts.append("\n" * self._owed)
        elif self._blank and self._parts:
            self._parts.append(" ")
        self._owed = 0
        self._blank = False
        self._parts.append(text)


def _target(attrs: list[tuple[str, str | None]]) -> str:
    link = (dict(attrs).get("href") or "").strip()
    return "" if link.startswith("#") or link.lower().startswith("javascript:") else link
