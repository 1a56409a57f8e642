"""Logging as it was before: a command that runs inside a test sends log lines to a stream that ends with it."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from sync.log import Forward


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, Forward)]
