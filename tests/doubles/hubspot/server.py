"""The stand-in as tests use it: a server on a free port, and the account behind it to fill and change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from . import associations, changes
from .account import Account
from .answers import Answer, of_status
from .catalog import Catalog, ObjectType
from .faults import Fault
from .metadata import owner
from .options import Options
from .service import Request, Service
from .stamps import iso, milliseconds
from .store import Row, Store
from .values import Moment, moment, stamps, stored
from .wire import Wire


class HubSpot:
    """`with HubSpot() as crm` serves an empty account at `crm.url`; options are the members of `Options`."""

    def __init__(self, **options: object) -> None:
        self.options = Options(**options)
        catalog, store = Catalog(self.options.portal), Store(self.options.database)
        for kind, label, one in store.definitions():
            catalog.define(kind, [one] if one else [], label=label)
        self.account = Account(self.options, catalog, store, [owner(7, "Ada", "Quill"), owner(8, "Noor", "Reyes")])
        self.service = Service(self.account)
        self._wire: Wire | None = None

    def start(self) -> Self:
        """Listen and serve from threads; raises OSError when the port is taken."""
        try:
            self._wire = Wire(self.service, self.options.port)
        except OSError:
            self.account.store.close()
            raise
        return self

    def close(self) -> None:
        if self._wire is not None:
            wire, self._wire = self._wire, None
            try:
                wire.close()
            finally:
                self.account.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._wire.server_address[1]}"

    @property
    def token(self) -> str:
        return self.options.token

    @property
    def calls(self) -> Counter[str]:
        """Requests by kind since the last `forget_calls`, refused ones too."""
        return self.service.calls

    @property
    def requests(self) -> list[Request]:
        return self.service.requests

    def forget_calls(self) -> None:
        with self.service.lock:
            self.service.calls.clear()
            self.service.requests.clear()

    # --- what the account holds -------------------------------------------------------------------------------------

    def define(self, object: str, *properties: str | Mapping, label: str = "") -> str:
        """Add properties (a name, or a mapping with `name`, `type`, `fieldType` ...), or a custom type by its type id.

        Answers the fully qualified name of the type.
        """
        with self.service.lock:
            kind = self.account.catalog.define(object, properties, label=label)
            made = [one if isinstance(one, Mapping) else {"name": one} for one in properties]
            self.account.store.define(kind.id, label, map(dict, made))
            return kind.name

    def undefine(self, object: str, *names: str) -> None:
        """Take properties away, as an administrator does while a sync runs."""
        with self.service.lock:
            for name in names:
                del self._kind(object).properties[name]

    def add(
        self,
        object: str,
        rows: Iterable[Mapping],
        at: Moment | Sequence | Callable[[int], Moment] = None,
        created: Moment = None,
    ) -> list[str]:
        """Store records and answer their ids; a row may bring its own `hs_object_id`.

        `at` is the modified stamp: one for all, one per row, or a function of the row's number. `created` is `at`
        unless given. Raises ValueError for a property that the type does not have.
        """
        with self.service.lock:
            kind, values = self._kind(object), [stored(row) for row in rows]
            kind.check({name for row in values for name in row})
            moved = stamps(at, len(values), self.account.now())
            births = [milliseconds(created)] * len(values) if created is not None else moved
            return [str(row.id) for row in changes.insert(self.account, kind, values, moved, births)]

    def change(self, object: str, id: str | int, values: Mapping, at: Moment = None) -> None:
        """Set properties; the modified stamp moves to `at`. Raises ValueError for a property that is not there."""
        with self.service.lock:
            kind = self._kind(object)
            kind.check(values)
            changes.change(self.account, kind, self._row(kind, id), stored(values), moment(at, self.account.now()))

    def touch(self, object: str, id: str | int, at: Moment = None) -> None:
        """Move the modified stamp and nothing else, as edits of pipelines and calculated properties do."""
        self.change(object, id, {}, at)

    def archive(self, object: str, id: str | int, at: Moment = None) -> None:
        """The modified stamp stays; the record is listed with `archived=true` alone."""
        with self.service.lock:
            kind = self._kind(object)
            changes.archive(self.account, kind, self._row(kind, id), moment(at, self.account.now()))

    def restore(self, object: str, id: str | int) -> None:
        with self.service.lock:
            kind = self._kind(object)
            changes.restore(self.account, kind, self._row(kind, id))

    def merge(
        self, object: str, winner: str | int, loser: str | int, at: Moment = None, *, new_id: bool = False
    ) -> str:
        """Answers the id of the merged record, which is another one with `new_id`."""
        with self.service.lock:
            kind = self._kind(object)
            one, other = self._row(kind, winner), self._row(kind, loser)
            return str(changes.merge(self.account, kind, one, other, moment(at, self.account.now()), new_id=new_id).id)

    def erase(self, object: str, id: str | int) -> None:
        """As privacy law asks: only its absence shows."""
        with self.service.lock:
            kind = self._kind(object)
            changes.erase(self.account, kind, self._row(kind, id).id)

    def associate(self, object: str, id: str | int, other: str, other_id: str | int, label: str | None = None) -> None:
        """In both directions, without moving a stamp; a label (such as "Primary") comes beside the plain one."""
        with self.service.lock:
            one, another = self._kind(object), self._kind(other)
            for kind, key in ((one, id), (another, other_id)):
                if not self.account.store.has(kind.id, int(key)):
                    raise ValueError(f"there is no record {key} among {kind.name}")
            associations.associate(self.account, (one, int(id)), (another, int(other_id)), label)

    def unassociate(self, object: str, id: str | int, other: str, other_id: str | int) -> None:
        with self.service.lock:
            one, another = self._kind(object), self._kind(other)
            self.account.store.unlink((one.id, int(id)), (another.id, int(other_id)))

    def record(self, object: str, id: str | int) -> Row | None:
        """What is stored under an id."""
        with self.service.lock:
            return self.account.store.row(self._kind(object).id, int(id))

    def stamp(self, object: str, id: str | int) -> str:
        """The modified stamp as the wire shows it."""
        return iso(self._row(self._kind(object), id).modified)

    def index(self) -> None:
        """Let search see everything now, whatever the lag."""
        with self.service.lock:
            self.account.store.index(float("inf"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Many changes at once: faster, and seen together."""
        with self.service.lock, self.account.store.transaction():
            yield

    def ids(self, object: str, limit: int = 1_000_000) -> list[str]:
        """The first live records' ids."""
        with self.service.lock:
            rows = self.account.store.walk(self._kind(object).id, 0, limit, archived=False)
            return [str(row.id) for row in rows if row.archived is None]

    def counts(self) -> dict[str, int]:
        """Live records by the name of their type."""
        with self.service.lock:
            return {self._kind(one).name: count for one, count in self.account.store.counts().items()}

    # --- how it fails -----------------------------------------------------------------------------------------------

    def fail(
        self,
        pattern: str,
        status: int | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        *,
        skip: int = 0,
        drop: bool = False,
        cut: bool = False,
        silent: bool = False,
        late: float = 0.0,
    ) -> None:
        """Let the next matching calls fail: with an answer (its usual body unless given), or as `Fault` tells."""
        if status is None and not (drop or cut or silent or late):
            raise ValueError("say how it is to fail: by a status, drop, cut, silent or late")
        answer = None
        if status is not None:
            answer = of_status(status) if body is None else Answer(status, body)
            answer = answer._replace(headers={**answer.headers, **(headers or {})})
        with self.service.lock:
            self.service.faults.coming.append(Fault(pattern, answer, drop, cut, silent, None, late, times, skip))

    def refuse(self, pattern: str, answer: Answer, times: int = 1) -> None:
        """The same with a ready answer, such as `too_many("DAILY")` or `missing_scope("improper", [...])`."""
        self.fail(pattern, answer.status, answer.body, answer.headers, times)

    def before(self, pattern: str, action: Callable[[], object], times: int = 1, *, skip: int = 0) -> None:
        """Do something just before the next matching calls are answered, such as a change by somebody else."""
        with self.service.lock:
            self.service.faults.coming.append(Fault(pattern, action=action, times=times, skip=skip))

    def expire(self, *, expired: bool = True) -> None:
        """The token is no longer, or again, valid."""
        self.service.expired = expired

    def _kind(self, name: str) -> ObjectType:
        if (found := self.account.catalog.find(name)) is None:
            raise ValueError(f"{name!r} is no object type: define() it first")
        return found

    def _row(self, kind: ObjectType, id: str | int) -> Row:
        if (found := self.account.store.row(kind.id, int(id))) is None:
            raise ValueError(f"there is no record {id} among {kind.name}")
        return found
