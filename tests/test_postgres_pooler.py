"""Reading through PgBouncer in transaction mode, where it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time

import psycopg
import pytest
from fixtures_postgres import keys_of
from psycopg import conninfo


@pytest.fixture
def pooled(database, postgres_server, tmp_path_factory):
    """The URL of a pooler before the test's database, with fewer server connections than clients."""
    program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if program is None:
        pytest.skip("PgBouncer is not installed")
    given = conninfo.conninfo_to_dict(database.url)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = postgres_server.pgdata / "bouncer.ini"
    settings.write_text(
        f"[databases]\nd = host={given['host']} dbname={given['dbname']} user=postgres\n"
        f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nauth_type=any\npool_mode=transaction\n"
        "default_pool_size=2\nunix_socket_dir=\n"
    )
    settings.chmod(0o644)
    process = subprocess.Popen(
        [program, "-q", str(settings)], user=postgres_server.system_user, stderr=subprocess.DEVNULL
    )
    url = f"postgresql://postgres@127.0.0.1:{port}/d"
    for _ in range(50):
        try:
            psycopg.connect(url).close()
            break
        except psycopg.OperationalError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait()


def test_several_streams_share_a_pooler_in_transaction_mode(database, pooled):
    database.do("CREATE TABLE t (id int PRIMARY KEY, v int, updated_at timestamptz)")
    database.do("INSERT INTO t SELECT i, 0, now() FROM generate_series(1, 40) i")
    connectors = [database.connector(_url=pooled, page_rows=6) for _ in range(5)]
    assert any("pooler" in note for note in connectors[0].check().notes)
    reads = [connector.read(None) for connector in connectors]
    pages = [page for together in zip(*reads, strict=True) for page in together]
    assert sum(len(page.records) for page in pages) == 5 * 40
    database.do("UPDATE t SET v = 1 WHERE id < 3")
    assert keys_of(connectors[2].read(pages[-1].cursor)) == ["1", "2"]
    with psycopg.connect(pooled, prepare_threshold=None) as other:
        assert other.execute("SHOW statement_timeout").fetchone() == ("0",)
