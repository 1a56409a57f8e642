"""Where messages go: a webhook, and whatever apprise knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from connectors.variables import VariablesInvalid
from sync.memory.address import LOOPBACK
from sync.memory.errors import DestinationMisconfigured

if TYPE_CHECKING:
    from sync.notify.message import Message
    from sync.settings import Settings

TIMEOUT = 10.0
"""Seconds that a webhook may take for one message, however slowly its answer trickles."""


class Undelivered(Exception):
    """A channel did not take a message; the text names its host and never its address, which is a secret."""


class Channel(Protocol):
    """Takes a message or raises Undelivered."""

    def post(self, message: Message) -> None: ...


def open_channels(settings: Settings) -> Mapping[str, Channel]:
    """The channels that the variables name, each under a name that is no secret; raises VariablesInvalid."""
    found: dict[str, Channel] = {}
    if settings.memsync_notify_url is not None:
        found["webhook"] = Webhook(settings.memsync_notify_url.get_secret_value())
    if settings.memsync_notify_apprise is not None:
        urls = settings.memsync_notify_apprise.get_secret_value().split()
        found |= {f"apprise-{place}": Apprise(url, place, len(urls)) for place, url in enumerate(urls, 1)}
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
        import httpcore  # only who sends messages pays for it
        import httpx

        try:
            status = self._status(message)
        except (httpcore.TimeoutException, httpx.TimeoutException):
            raise Undelivered(f"{self._host}: no answer within {TIMEOUT:.0f} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, httpx.InvalidURL) as error:
            raise Undelivered(f"{self._host}: {type(error).__name__}") from None
        except DestinationMisconfigured as error:
            raise Undelivered(f"{self._host}: {error}") from None
        if not 200 <= status < 300:
            raise Undelivered(f"{self._host}: answered {status}")

    def _status(self, message: Message) -> int:
        """What it answers; the rest of the answer is not read."""
        import httpcore
        import httpx

        from sync.memory.wire import Deadline, open_pool

        request = httpx.Request("POST", self._url, json=message.as_dict(), headers={"User-Agent": "memsync"})
        url, deadline = request.url, Deadline()
        if url.username or url.password:
            request = next(httpx.BasicAuth(url.username, url.password).auth_flow(request))
        deadline.start(TIMEOUT)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT)
        address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        with (
            open_pool(url.scheme, self._host, deadline, direct=self._is_near) as pool,
            pool.stream(
                "POST", address, headers=request.headers.raw, content=request.content, extensions={"timeout": timeouts}
            ) as response,
        ):
            return response.status


class Apprise:
    """Hands messages to one address of apprise, the optional part `memsync[notify]`."""

    def __init__(self, url: str, place: int = 1, of: int = 1) -> None:
        name = "MEMSYNC_NOTIFY_APPRISE"
        try:
            apprise: Any = import_module("apprise")
        except ImportError:
            raise VariablesInvalid(f"{name}: apprise is not installed; pip install 'memsync[notify]'") from None
        self._notifier, self._place = apprise.Apprise(), place
        if not self._notifier.add(url):
            raise VariablesInvalid(f"{name}: address {place} of {of} is none that apprise knows")
        self._notify: Callable[..., Any] = self._notifier.notify

    def post(self, message: Message) -> None:
        """Deliver a message."""
        if not self._notify(title=message.title, body=message.message):
            raise Undelivered(f"apprise: address {self._place} did not take the message")
