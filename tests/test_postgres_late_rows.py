"""Writers that hold transactions open, in savepoints too, against a reader that polls: nothing is missed."""

from __future__ import annotations

import random
import threading
import time

import pytest

SECONDS = 5.0
WRITERS = 6


def write(database, number, until):
    """Insert and update with random holds, half of the writes inside savepoints."""
    choose = random.Random(number)
    with database.session() as session:
        while time.monotonic() < until:
            session.execute("BEGIN")
            for _ in range(choose.randint(1, 3)):
                if inside := choose.random() < 0.5:
                    session.execute("SAVEPOINT s")
                if choose.random() < 0.6:
                    session.execute("INSERT INTO t (writer, v, updated_at) VALUES (%s, 0, now())", (number,))
                else:
                    session.execute(
                        "UPDATE t SET v = v + 1, updated_at = now() WHERE id ="
                        " (SELECT id FROM t WHERE writer = %s ORDER BY random() LIMIT 1)",
                        (number,),
                    )
                if inside:
                    session.execute("RELEASE s")
            time.sleep(1.5 if choose.random() < 0.05 else choose.random() * 0.1)
            session.execute("COMMIT")


@pytest.mark.parametrize("bounded", [False, True], ids=["of any age", "within the look-back"])
def test_no_row_is_stale_after_writers_that_commit_late(database, bounded):
    database.do("CREATE TABLE t (id bigserial PRIMARY KEY, writer int, v int, updated_at timestamptz)")
    database.do("CREATE INDEX ON t (updated_at, id)")
    connector = database.connector(page_rows=7, **({"lookback": "1h"} if bounded else {}))
    ends = time.monotonic() + SECONDS / 2
    writers = [threading.Thread(target=write, args=(database, number, ends)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    copy, cursor, extra = {}, None, 2
    try:
        while extra:
            extra -= not any(writer.is_alive() for writer in writers)
            for page in connector.read(cursor):
                copy |= {record.key: record.fields["v"] for record in page.records}
                cursor = page.cursor
            time.sleep(0.03)
    finally:
        for writer in writers:
            writer.join()
    assert copy == {str(key): value for key, value in database.do("SELECT id, v FROM t")}
    assert len(copy) > 100
