"""How a stand-in org is set up."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Options:
    """The keyword arguments of `Salesforce`."""

    port: int = 0
    """0: any free one."""
    database: str = ":memory:"
    """A file in which the records stay."""
    public_key: str | None = None
    """PEM with which JWT assertions are checked; None: `org.private_key` offers its own pair."""
    session_life: timedelta = timedelta(hours=2)
    soap_login: bool = True
    """False: as in new orgs, where SOAP login() is off."""
    password_flow: bool = False
    """Whether the OAuth password flow works, which External Client Apps do not have."""
    page_size: int = 2000
    """Pages are never larger, whatever the caller asks for."""
    daily_calls: int = 100_000
    used: int = 0
    """Calls of the last 24 hours, others' included."""
    per_app: tuple[int, int, str] | None = None
    """Used, most and name of the per-app usage in the Sforce-Limit-Info header."""
    timeout_rows: int | None = None
    """A query that finds more records than this runs too long (QUERY_TIMEOUT); Bulk jobs are not concerned."""
    view_all_data: bool = True
    distinct_people: int = 100_000
    """Without the permission to view all data, no more activities than this can be read by one query."""
    bulk_polls: int = 1
    """How many status calls find a job unfinished before it is complete."""
    bulk_page: int = 100_000
    """Records in a page of results where the caller names no number."""
    bulk_jobs_a_day: int = 10_000
    latest: str = "67.0"
    """The newest API version."""
    now: datetime | None = None
    """What the org's clock says at the start."""
