"""The Dockerfile: what it promises, and (long) the image that it makes, built and run."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from deploy_files import document_of, text_of
from fixtures_image import Image
from fixtures_postgres import Database
from workplace import MAP, TABLE

from sync import __version__
from sync.sandbox import Sandbox, SandboxOptions

OWNER = 10001
DOCKERFILE = text_of("Dockerfile")


def test_it_runs_as_a_user_that_a_cluster_can_see_is_not_root() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)


def test_it_starts_memsync_itself_so_that_signals_reach_it() -> None:
    assert '\nENTRYPOINT ["memsync"]\n' in DOCKERFILE
    assert '\nVOLUME ["/data"]\n' in DOCKERFILE


def test_nothing_is_installed_without_its_hash() -> None:
    installs = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if " install " in line and "pip" in line]
    for line in installs:
        for part in line.split("&&"):
            if " install " in part and "pip" in part:
                assert "--require-hashes" in part or "--no-index" in part


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
    except OSError:
        pass
    finally:
        for one in (source, target):
            with closing(one), suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def reachable(path: str) -> Iterator[int]:
    """A port of this machine behind which is the server of a Unix socket: the embedded Postgres has only that."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            while True:
                try:
                    guest, _ = door.accept()
                except OSError:
                    return
                host = socket.socket(socket.AF_UNIX)
                host.connect(path)
                for pair in ((guest, host), (host, guest)):
                    threading.Thread(target=_pump, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A volume, as an engine makes one for the image's user."""
    folder = tmp_path / "volume"
    folder.mkdir(mode=0o700)
    os.chown(folder, OWNER, OWNER)
    return folder


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "customers.yaml").write_text(MAP)
    return folder


@pytest.mark.slow
def test_the_image_says_what_it_is(image: Image) -> None:
    assert image.config["User"] == "10001:10001"
    assert image.config["Entrypoint"] == ["memsync"]
    assert list(image.config["Volumes"]) == ["/data"]
    assert image.config["Healthcheck"]["Test"][:3] == ["CMD", "memsync", "health"]
    assert image.config["Labels"]["org.opencontainers.image.version"] == __version__


@pytest.mark.slow
def test_the_image_is_as_small_as_the_page_says(image: Image) -> None:
    (stated,) = re.findall(r"about (\d+) MB on top of the base", text_of("docs/deploy.md"))
    assert image.megabytes - image.base_megabytes == pytest.approx(int(stated), rel=0.15)


@pytest.mark.slow
def test_nothing_but_data_and_tmp_can_be_written(image: Image, data: Path, maps: Path) -> None:
    script = "id -u; for f in /app /opt/memsync / /data /tmp; do touch $f/x 2> /dev/null && echo $f; done; true"
    assert image.execute(["sh", "-c", script], data, maps).stdout.split() == [str(OWNER), "/data", "/tmp"]


@pytest.mark.slow
def test_secrets_and_state_of_the_builder_are_not_in_it(image: Image) -> None:
    found = [path.name for path in (image.files / "app").rglob("*") if path.is_file()]
    assert found
    assert all(name.endswith((".yaml", ".json")) for name in found)


def fill(database: Database) -> None:
    database.do(TABLE)
    database.do(
        "INSERT INTO customers (id, email, name, plan) "
        "SELECT n, 'p' || n || '@example.com', 'Name', 'team' FROM generate_series(1, 25) n"
    )


@contextmanager
def variables_of(database: Database, folder: Path) -> Iterator[dict[str, str]]:
    """A source and a destination that the image can reach."""
    facts = psycopg.conninfo.conninfo_to_dict(database.url)
    socket_file = f"{facts['host']}/.s.PGSQL.{facts.get('port', 5432)}"
    with reachable(socket_file) as port, Sandbox(SandboxOptions(database=folder / "sandbox.db")) as sandbox:
        yield {
            "DATABASE_URL": f"postgresql://{facts['user']}@127.0.0.1:{port}/{facts['dbname']}?sslmode=disable",
            "PERSONIZE_BASE_URL": sandbox.url,
            "PERSONIZE_SECRET_KEY": "sk_test_1",
        }


@pytest.mark.slow
def test_the_scheduler_in_it_is_ready_is_seen_from_outside_and_healthy(
    image: Image,
    data: Path,
    maps: Path,
    database: Database,
    tmp_path: Path,
) -> None:
    fill(database)
    (maps / "customers.yaml").write_text(MAP + '\nschedule: {cron: "0 0 1 1 *"}\n')
    command = document_of("deploy/compose.yaml")["services"]["memsync"]["command"]
    check = image.config["Healthcheck"]["Test"][1:]
    with variables_of(database, tmp_path) as variables, socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
        free.close()
        assert image.execute(check, data, maps, **variables).returncode == 1  # nothing ran yet
        assert image.run(["run"], data, maps, **variables).returncode == 0
        served: list[subprocess.CompletedProcess[str]] = []
        stopped = ["timeout", "--preserve-status", "--signal=TERM", "40", "memsync", *command, "--port", port]
        thread = threading.Thread(target=lambda: served.append(image.execute(stopped, data, maps, **variables)))
        thread.start()
        seen = is_ready(f"http://127.0.0.1:{port}/readyz")
        checked = image.execute(check, data, maps, **variables)
        thread.join()
    assert seen, served[0].stderr
    assert (checked.returncode, checked.stdout) == (0, "1 of 1 stream is well\n")
    assert served[0].returncode == 143


def is_ready(url: str) -> bool:
    end = time.monotonic() + 35
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if httpx.get(url).status_code == 200:
                return True
        time.sleep(0.2)
    return False


@pytest.mark.slow
def test_a_run_in_it_delivers_keeps_its_state_and_has_nothing_to_do_the_second_time(
    image: Image,
    data: Path,
    maps: Path,
    database: Database,
    tmp_path: Path,
) -> None:
    fill(database)
    with variables_of(database, tmp_path) as variables:
        first = image.run(["run", "--json"], data, maps, **variables)
        assert first.returncode == 0, first.stdout + first.stderr
        assert '"sent": 25' in first.stdout
        again = image.run(["run", "--json"], data, maps, **variables)
        assert again.returncode == 0, again.stdout + again.stderr
        assert '"sent": 0' in again.stdout
    kept = (data / "memsync-state.db").stat()
    assert (kept.st_uid, kept.st_mode & 0o777) == (OWNER, 0o600)


@pytest.mark.slow
def test_a_volume_of_somebody_else_is_refused_with_the_remedy(
    image: Image,
    data: Path,
    maps: Path,
) -> None:
    os.chown(data, 0, 0)
    ended = image.run(None, data, maps, PERSONIZE_SECRET_KEY="sk_test_1")
    assert ended.returncode == 8
    assert "/data" in ended.stderr
    assert "permissions" in ended.stderr
