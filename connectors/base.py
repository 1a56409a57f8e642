"""What a connector is: the values that it yields and the calls that it answers.

ConnectorError            root: something about a source
  SourceMisconfigured     change the map or a variable (unknown table, column, unusable cursor)
  SourceRefused           change credentials or grants
  SourceUnreachable       try again later; nothing was lost
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
Cursor = dict[str, Any]
"""A resume position: a small JSON document that only its own connector reads."""
Values = Sequence[Any]
"""What stands in a record, without names: its fields in a known order, then its key, then its version."""


class Record(NamedTuple):
    """One record of a source, as its connector yields it (a tuple: it is made once per row)."""

    key: str
    """The primary key as text; a composite key is a JSON list of texts."""
    fields: Mapping[str, Any]
    """Field name to value; nested objects and lists as they come."""
    version: str | None = None
    """Changes whenever the source touched the record, where the source can tell."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records, and the cursor that is safe once all of them are delivered or filed."""

    records: Sequence[Record]
    cursor: Cursor
    filtered: Mapping[str, int] = field(default_factory=dict)
    """How many records were read but not handed on, by reason: `{"no contact is associated": 3}`."""
    gone: Mapping[str, str] = field(default_factory=dict)
    """Keys seen as no longer there, with what became of them: deleted, archived, merged, erased.

    A key that ends in a comma, such as `["77",`, stands for every composite key that begins with it. The same key may
    be named in every run: those of which the state store knows nothing are not counted again.
    """
    present: Sequence[str] = ()
    """Keys that exist now, named by a sweep over all of them; such a key may end in a comma too."""
    swept: bool = False
    """Whether a sweep ends with this page: what was delivered and not named since its start is gone."""
    notes: Sequence[str] = ()
    """What a person should know of this reading; said once however often it is repeated."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object, as the source's own metadata describes it."""

    name: str
    type: str
    label: str = ""
    comment: str = ""
    nullable: bool = True
    is_key: bool = False
    readable: bool = True
    indexed: bool | None = None
    """Whether an index starts with this field; None: the source does not say."""
    values: tuple[str, ...] = ()
    """The allowed values of an enumeration."""
    free_text: bool | None = None
    """Whether it holds people's own words, worth extracting facts from; None: the metadata does not say."""
    reason: str = ""
    """Why `free_text` is what it is, in a few words."""
    noise: str = ""
    """Why a map would leave the field out: `system field`, `sensitive`, `hidden`; empty where it would not."""


@dataclass(frozen=True, slots=True)
class ObjectName:
    """One object that a source offers."""

    name: str
    label: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How a stream will be read, settled by looking at the source: for `validate` and the log."""

    primary_key: tuple[str, ...]
    cursor_field: str | None
    cursor_indexed: bool | None
    notes: tuple[str, ...] = ()
    """What a person should know: a limit of this source, a missing index, a fallback in use."""


class Connector(Protocol):
    """A source opened for one stream."""

    def check(self) -> Reading:
        """Prove that the stream can be read (credentials, object, fields, key, cursor); read no record."""

    def objects(self) -> Sequence[ObjectName]:
        """The objects that can be read with these credentials."""

    def fields(self, object: str) -> Sequence[Field]:
        """The fields of an object."""

    def read(self, since: Cursor | None, until: datetime | None = None) -> Iterator[Page]:
        """Yield what changed after `since` (everything when None), stamped before `until` where given.

        The last page carries the cursor from which the next run starts and may hold no records.
        """

    def fetch(self, keys: Sequence[str]) -> Iterator[Record]:
        """Yield the records with these primary keys as they are now; absent ones are left out."""

    def count(self, since: Cursor | None) -> int | None:
        """About how many records `read(since)` would yield; None when that is not cheap to know."""

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Described(Protocol):
    """A connector that looks at the metadata of its stream's object before it reads, and remembers what it saw."""

    def described(self) -> Sequence[Field]:
        """The fields of that object, as they were seen when the reading was settled: now, if that is yet to be done.

        Raises what `read` would raise, and asks for nothing that `read` would not ask for.
        """


@runtime_checkable
class Streaming(Protocol):
    """A connector that hands over the values of each record as they arrive, so that it need not make records."""

    def stream(
        self,
        since: Cursor | None,
        until: datetime | None,
        maker: Callable[[Sequence[str]], Callable[[Values], T]],
    ) -> Iterator[tuple[Page, Sequence[T]]]:
        """Yield the pages of `read` without their records, each with what was made of these, in their order.

        `maker` is told the names of the fields, and answers what makes one thing of one record's values. What was made
        may be thrown away and made again.
        """


def records_of(names: Sequence[str]) -> Callable[[Values], Record]:
    """What makes records of the values that `Streaming` hands over."""
    new = tuple.__new__

    def make(values: Values) -> Record:
        # zip ends with the names, before key and version.
        return new(Record, (values[-2], dict(zip(names, values)), values[-1]))  # noqa: B905

    return make


class ConnectorError(Exception):
    """Something about a source."""


class SourceMisconfigured(ConnectorError):
    """The map or a variable does not fit the source: change it."""


class SourceRefused(ConnectorError):
    """The source turned the credentials or a permission down."""


class SourceUnreachable(ConnectorError):
    """The source cannot be reached or gave up: try again later."""
