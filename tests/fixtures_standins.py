"""Stand-in servers of sources with nothing in them, and someone who calls one as a plain HTTP client does."""

from collections.abc import Iterator

import pytest
from doubles.hubspot import HubSpot
from doubles.salesforce import Salesforce
from salesforce_calls import Caller


@pytest.fixture
def crm() -> Iterator[HubSpot]:
    with HubSpot() as running:
        yield running


@pytest.fixture
def org() -> Iterator[Salesforce]:
    with Salesforce() as running:
        yield running


@pytest.fixture
def caller(org: Salesforce) -> Iterator[Caller]:
    with Caller(org) as session:
        yield session
