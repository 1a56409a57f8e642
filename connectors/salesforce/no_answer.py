"""What simple-salesforce and requests raise, turned into a refusal, or into no answer with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from xml.parsers.expat import ExpatError

import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from connectors.salesforce.faults import refusal_of


class NoAnswer(Exception):
    """Nothing usable came back; the text says why in a few words."""


class NotReached(NoAnswer):
    """Nothing listens at the address, or there is no such host."""


class TooLarge(NoAnswer):
    """An answer that would fill the memory; the same call would bring it again."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the libraries raise into what is known here; their texts quote statements and data."""
    try:
        yield
    except SalesforceAuthenticationFailed:
        raise
    except SalesforceError as error:
        raise refusal_of(error.status, error.content) from None
    except requests.RequestException as error:
        if reached := _not_reached(error):
            raise NotReached(reached) from None
        raise NoAnswer(_reason(error)) from None
    except (ExpatError, AttributeError, KeyError, UnicodeDecodeError) as error:
        raise NoAnswer(f"the answer cannot be understood ({type(error).__name__})") from None


def _reason(error: requests.RequestException) -> str:
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (requests.exceptions.SSLError, "no trusted TLS connection; a private authority is set with SSL_CERT_FILE"),
        (requests.exceptions.ProxyError, "the proxy does not connect; see HTTPS_PROXY"),
        (requests.ConnectTimeout, "no connection within some seconds"),
        (requests.ReadTimeout, "it takes the connection and does not answer"),
        (requests.exceptions.InvalidJSONError, "the answer is not JSON"),
    )
    for kind, said in kinds:
        if isinstance(error, kind):
            return said
    return f"the connection broke ({type(error).__name__})"


def _not_reached(error: requests.RequestException) -> str:
    """Why there was no connection at all; empty where there was, or where a proxy or TLS stood in the way."""
    others = (requests.exceptions.SSLError, requests.exceptions.ProxyError)
    if not isinstance(error, requests.ConnectionError) or isinstance(error, others):
        return ""
    text = str(error)
    if "NameResolutionError" in text or "getaddrinfo" in text:
        return "its name cannot be resolved"
    return "the connection is refused" if "refused" in text else ""
