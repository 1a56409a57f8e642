"""Transforms of contact data: email, url, phone. Their libraries are loaded when a map uses them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from sync.maps.transforms.failure import Change, TransformFailed
from sync.maps.values import to_text

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"(?:[^\s./?#@:%]+\.)+[^\s./?#@:%]{2,}\.?|localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]")


def email() -> Change:
    from email_validator import EmailNotValidError, validate_email

    def change(value: Any) -> Any:
        text = _text(value, "an email address")
        if not text:
            return None
        try:
            found = validate_email(
                text.removeprefix("mailto:"),
                check_deliverability=False,
                allow_display_name=True,
                test_environment=True,  # .test is what sample data uses
            )
        except EmailNotValidError:
            raise TransformFailed(value, "an email address") from None
        if "." not in found.domain:
            raise TransformFailed(value, "an email address with a full domain")
        return found.normalized

    return change


def url() -> Change:
    expected = "a web address such as https://example.com/about"

    def change(value: Any) -> Any:
        text = _text(value, expected)
        if not text:
            return None
        try:
            found = urlsplit(text if _SCHEME.match(text) else f"https://{text.removeprefix('//')}")
            host, port = found.hostname or "", found.port
        except ValueError:
            raise TransformFailed(value, expected) from None
        bracketed = f"[{host}]" if ":" in host else host
        if found.scheme not in ("http", "https") or not _HOST.fullmatch(bracketed) or re.search(r"\s", text):
            raise TransformFailed(value, expected)
        place = bracketed.rstrip(".") + (f":{port}" if port not in (None, 80, 443) else "")
        return found._replace(netloc=place, path="" if found.path == "/" else found.path).geturl()

    return change


def phone(region: str | None = None) -> Change:
    import phonenumbers

    expected = f"a phone number of {region}, or one with +" if region else "a phone number with + and country code"

    def change(value: Any) -> Any:
        text = _text(value, expected)
        if not text:
            return None
        try:
            found = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            raise TransformFailed(value, expected) from None
        if not phonenumbers.is_possible_number(found):
            raise TransformFailed(value, expected)
        return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)

    return change


def phone_regions() -> frozenset[str]:
    """The two-letter country codes that `phone` takes."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def _text(value: Any, expected: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TransformFailed(value, expected)
    return to_text(value).strip()
