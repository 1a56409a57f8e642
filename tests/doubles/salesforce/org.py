"""The stand-in org: its users, data, limits and failures, served over plain HTTP on loopback."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from .bulk_rules import Rules
from .changes import Changes
from .desk import Desk
from .faults import Fault, Faults, failing_answer, what_is_meant
from .ids import new_ids
from .jobs import Jobs
from .logins import USER_ID, Account, Sessions
from .options import Options
from .queries import Limits, Queries
from .records import Records, Row
from .schema import Schema
from .server import Request, Server

_MADE = datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC)


class Salesforce:
    """A Salesforce org on 127.0.0.1, set up by `Options`; a context manager, all in threads of this process."""

    def __init__(self, **options: Any) -> None:
        self.options = wanted = Options(**options)
        self.account = Account(soap_login=wanted.soap_login, password_flow=wanted.password_flow)
        self.account.public_key = wanted.public_key
        self.sessions = Sessions(wanted.session_life)
        self.schema = Schema()
        self.records = Records(self.schema, wanted.database)
        self.changes = Changes(self.records)
        people = None if wanted.view_all_data else wanted.distinct_people
        self.queries = Queries(self.records, Limits(wanted.page_size, wanted.timeout_rows, people))
        self.rules = Rules(wanted.bulk_polls, wanted.bulk_page, jobs_a_day=wanted.bulk_jobs_a_day)
        self.jobs = Jobs(self.queries, self.rules)
        self.faults = Faults()
        self.daily_calls, self.used, self.latest = wanted.daily_calls, wanted.used, wanted.latest
        self.calls: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.soql: list[str] = []
        self.url = ""
        self.date: Callable[[], str] = self.date_header
        """What the header Date says; tests put something else here."""
        self._ahead = wanted.now - datetime.now(UTC) if wanted.now else timedelta()
        self._schema_stamp = self.now()
        self._server: Server | None = None
        self._add_the_running_user()

    def __enter__(self) -> "Salesforce":
        try:
            self._server = Server(self.options.port, Desk(self).respond, lambda: self.date())
        except OSError:
            self.records.close()
            raise
        self.url = self._server.url
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        self.jobs.close()
        self.records.close()

    def become(self, number: int) -> None:
        """Take the id of another org: the same for the same number."""
        self.sessions.org_id = next(new_ids("00D", number, 1))

    # The clock ---------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The org's own time, which the Date header tells."""
        return datetime.now(UTC) + self._ahead

    def date_header(self, ahead: timedelta = timedelta()) -> str:
        """The org's time as an HTTP date; `ahead`: as a clock shows it that is wrong by so much."""
        return format_datetime((self.now() + ahead).replace(microsecond=0), usegmt=True)

    def advance(self, by: timedelta) -> None:
        """Move the org's clock."""
        self._ahead += by

    # Credentials -------------------------------------------------------------------------------------------

    @property
    def client_id(self) -> str:
        return self.account.client_id

    @property
    def client_secret(self) -> str:
        return self.account.client_secret

    @property
    def username(self) -> str:
        return self.account.username

    @property
    def password(self) -> str:
        return self.account.password

    @property
    def security_token(self) -> str:
        return self.account.security_token

    @property
    def access_token(self) -> str:
        """A new session, as if minted elsewhere."""
        return self.sessions.open(self.now())

    @property
    def public_key(self) -> str:
        """PEM of the key with which JWT assertions are checked."""
        return self.account.check_key()

    @property
    def private_key(self) -> str:
        """PEM of the private key whose public half the org knows, for JWT bearer logins."""
        return self.account.private_key

    def expire_sessions(self, after: int = 0) -> None:
        """End all sessions, at once or after so many more calls."""
        if after:
            self.sessions.calls_left = after
        else:
            self.sessions.live.clear()

    def expire_locators(self) -> None:
        """Forget what is being paged through."""
        self.queries.locators.clear()

    # Data --------------------------------------------------------------------------------------------------

    def define(self, name: str, *fields: str, marks: str = "") -> None:
        """Add a custom object, or fields to any object: a line of words for each (see `fields.py`)."""
        self.records.create(self.schema.define(name, fields, frozenset(marks.split())))
        self._schema_stamp = self.now()

    def hide(self, name: str, *fields: str, hidden: bool = True) -> None:
        """Take fields, or the whole object, out of the running user's sight, or bring them back."""
        if not fields:
            self.schema.hide_object(name, hidden=hidden)
        for field in fields:
            self.schema.hide(name, field, hidden=hidden)
        self._schema_stamp = self.now()

    def add(self, name: str, rows: Sequence[Row], at: datetime | None = None) -> list[str]:
        """Insert rows, stamped now, at `at` or as the rows themselves say; their ids."""
        return self.changes.add(name, rows, at or self.now())

    def change(self, name: str, id: str, changes: Mapping[str, Any], at: datetime | None = None) -> None:
        """Set fields of a record and stamp it."""
        self.changes.change(name, id, changes, at or self.now())

    def touch(self, name: str, id: str, at: datetime | None = None) -> None:
        """Move only the SystemModstamp of a record."""
        self.changes.touch(name, id, at or self.now())

    def delete(self, name: str, id: str, at: datetime | None = None) -> None:
        """Delete a record: into the recycle bin where its object has one."""
        self.changes.delete(name, id, at or self.now())

    def undelete(self, name: str, id: str, at: datetime | None = None) -> None:
        """Take a record out of the recycle bin again."""
        self.changes.undelete(name, id, at or self.now())

    def purge(self, name: str, id: str) -> None:
        """Take a deleted record out of the recycle bin for good: no query finds it any more."""
        self.changes.purge(name, id)

    def merge(self, name: str, winner: str, loser: str, at: datetime | None = None) -> None:
        """Merge one record into another; what pointed at the loser points at the winner."""
        self.changes.merge(name, winner, loser, at or self.now())

    def archive(self) -> None:
        """Archive closed tasks and past events older than a year: only `queryAll` finds them."""
        self.changes.archive(self.now())

    def commit_late(self, name: str, rows: Sequence[Row], behind: timedelta = timedelta(minutes=2)) -> list[str]:
        """Insert rows that become visible now and were stamped `behind` ago, as a long transaction's are."""
        return self.add(name, rows, self.now() - behind)

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        """The stored values of these columns in the order of the ids: for comparing in tests."""
        listed = ", ".join(f'"{column}"' for column in columns)
        return self.records.select(f'SELECT {listed} FROM "{name}" ORDER BY "Id"')

    def _add_the_running_user(self) -> None:
        if not self.records.select('SELECT 1 FROM "User" WHERE "Id" = ?', (USER_ID,)):
            user = {"Id": USER_ID, "FirstName": "Integration", "LastName": "User", "Username": self.username}
            self.add("User", [user | {"Email": self.username, "Alias": "integ", "CreatedDate": _MADE}], _MADE)

    # Failures ----------------------------------------------------------------------------------------------

    def fail(
        self,
        call: str,
        error: str | None = None,
        *,
        status: int | None = None,
        body: Any = None,
        message: str | None = None,
        headers: dict[str, str] | None = None,
        times: int | None = 1,
        after: int = 0,
        drop: bool = False,
        hang: bool = False,
        cut: int | None = None,
        drip: float | None = None,
    ) -> Fault:
        """Let matching calls fail: by kind (`query`), or by method and path (`GET /services/data/v*/query`).

        `error` is an error code with its usual status and text (`answers.ERRORS`); else `status` and `body` (a value
        for JSON, text as it is). `drop` closes the connection, `hang` never answers, `cut` ends the true answer,
        unpacked, after so many bytes of its body, `drip` sends it byte by byte, so many seconds apart. `times` None:
        until `mend`.
        """
        given = failing_answer(error, status, body, headers, message)
        fault = Fault(what_is_meant(call), given, times, after, drop, hang, cut, drip)
        self.faults.planned.append(fault)
        return fault

    def mend(self) -> None:
        """Forget all planned failures."""
        self.faults.planned.clear()

    # What describe needs -----------------------------------------------------------------------------------

    def schema_stamp(self) -> str:
        """When objects or fields changed last, as an HTTP date."""
        return format_datetime(self._schema_stamp.replace(microsecond=0), usegmt=True)

    def schema_changed_since(self, http_date: str) -> bool:
        return self._schema_stamp.replace(microsecond=0) > parsedate_to_datetime(http_date)
