"""The same work by dlt: a table read incrementally by `updated_at`, sent in calls of 500 rows to its own destination.

    python -m benchmarks.with_dlt connectorx|sqlalchemy        in the environment of `make bench-peers`

The settings are those that its pages on performance and on databases name, as far as they proved better than its
defaults here: connectorx streams Arrow batches (as much CPU as for the whole table at once, half the memory at 300,000
rows) through Parquet without splitting files; SQLAlchemy takes 10,000 rows at a time through JSON lines in
files of 100,000 rows, on two processes for normalising and two threads for loading; nothing in between is compressed
and nothing is reported to anybody.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.sink import connect, send

ROWS, CHUNK = 500, 10_000
SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "SOURCES__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
}
BACKENDS = {
    "connectorx": {"NORMALIZE__WORKERS": "1"},
    "sqlalchemy": {
        "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "100000",
        "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "100000",
        "NORMALIZE__WORKERS": "2",
        "LOAD__WORKERS": "2",
    },
}
_own = threading.local()


def main(backend: str) -> None:
    """Run the pipeline once; what it remembers is kept in the folder `dlt` of where it runs, for the next run."""
    os.environ.update(SETTINGS | BACKENDS[backend] | {"DLT_DATA_DIR": os.path.abspath("dlt")})
    import dlt  # type: ignore[import-not-found]  # it is in the peers' environment only
    from dlt.sources.sql_database import sql_table  # type: ignore[import-not-found]

    arrow = backend == "connectorx"
    target = dlt.destination(
        _deliver, name="sink", batch_size=ROWS, loader_file_format="parquet" if arrow else "typed-jsonl"
    )
    customers = sql_table(
        address(os.environ["DATABASE_URL"]),
        "customers",
        backend=backend,
        chunk_size=CHUNK,
        backend_kwargs={"return_type": "arrow_stream"} if arrow else {},
        incremental=dlt.sources.incremental("updated_at"),
        primary_key="id",
    )
    dlt.pipeline(f"customers_{backend}", destination=target, dataset_name="bench").run(customers)


def _deliver(items: Any, _: Any) -> None:
    if not hasattr(_own, "connection"):
        _own.connection = connect()
    send(_own.connection, items if isinstance(items, list) else items.to_pylist())


def address(url: str) -> str:
    """The address with the user as an argument: connectorx understands no user before an empty host."""
    parts = urlsplit(url)
    arguments = parse_qs(parts.query) | {"user": [parts.username or "postgres"]}
    return f"postgresql+psycopg2://{parts.path}?{urlencode(arguments, doseq=True)}"


if __name__ == "__main__":
    main(sys.argv[1])
