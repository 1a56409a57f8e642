"""Where messages go: a webhook, and whatever apprise knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import urlsplit

from connectors.variables import VariablesInvalid
from sync.memory.address import LOOPBACK
from sync.notify.message import Message
from sync.settings import Settings

TIMEOUT = 10.0
"""Seconds that a channel may take for one message."""


class Undelivered(Exception):
    """A channel did not take a message; the text names its host and never its address, which is a secret."""


class Channel(Protocol):
    """Takes a message or raises Undelivered."""

    def post(self, message: Message) -> None: ...


def open_channels(settings: Settings) -> Sequence[Channel]:
    """The channels that the variables name; raises VariablesInvalid."""
    found: list[Channel] = []
    if settings.memsync_notify_url is not None:
        found.append(Webhook(settings.memsync_notify_url.get_secret_value()))
    if settings.memsync_notify_apprise is not None:
        found.append(Apprise(settings.memsync_notify_apprise.get_secret_value().split()))
    return found


class Webhook:
    """Posts messages as JSON."""

    def __init__(self, url: str) -> None:
        name, expected = "MEMSYNC_NOTIFY_URL", "expected https://HOST/..., or http:// on this machine"
        try:
            parts = urlsplit(url)
            self._host = parts.hostname or ""
        except ValueError:
            raise VariablesInvalid(f"{name}: cannot be read; {expected}") from None
        is_near = self._host in LOOPBACK
        if not self._host or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not is_near):
            raise VariablesInvalid(f"{name}: {expected}")
        self._url, self._is_near = url, is_near

    def post(self, message: Message) -> None:
        """Deliver a message; any 2xx is a yes. Redirects are not followed: the message is for this address."""
        import httpx  # only who sends messages pays for it

        try:
            with httpx.Client(timeout=TIMEOUT, trust_env=not self._is_near) as client:
                status = client.post(self._url, json=message.as_dict()).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undelivered(f"{self._host}: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise Undelivered(f"{self._host}: answered {status}")


class Apprise:
    """Hands messages to apprise, the optional part `memsync[notify]`."""

    def __init__(self, urls: Sequence[str]) -> None:
        name = "MEMSYNC_NOTIFY_APPRISE"
        try:
            apprise: Any = import_module("apprise")
        except ImportError:
            raise VariablesInvalid(f"{name}: apprise is not installed; pip install 'memsync[notify]'") from None
        self._notifier = apprise.Apprise()
        wrong = [place for place, url in enumerate(urls, 1) if not self._notifier.add(url)]
        if wrong:
            raise VariablesInvalid(f"{name}: address {wrong[0]} of {len(urls)} is none that apprise knows")
        self._notify: Callable[..., Any] = self._notifier.notify

    def post(self, message: Message) -> None:
        """Deliver a message to every address."""
        if not self._notify(title=message.title, body=message.message):
            raise Undelivered("apprise: an address did not take the message")
