"""The image, really built: on a base that debootstrap makes, by buildah, which needs no running engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deploy_files import ROOT

BASE = "docker.io/library/python:3.13-slim-trixie"
KEPT = Path(tempfile.gettempdir()) / "memsync-test-base-trixie"
"""The base's files, kept for the next time: making them takes a minute and a half."""
FROM_HOST = ("/etc/ssl/certs", "/etc/pip.conf", "/root/.config/pip/pip.conf", "/root/.pip/pip.conf")
"""What lets the build install packages wherever this machine can."""
CONTAINED = """\
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount --bind "$DATA" "$ROOT/data"
mount --bind "$MAPS" "$ROOT/app/mappings"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec chroot --userspec="$OWNER" "$ROOT" env -i -C "$FOLDER" "$@"
"""


@dataclass(frozen=True)
class Image:
    """A built image: what it says of itself, and its files."""

    config: dict[str, Any]
    files: Path
    megabytes: float
    base_megabytes: float

    def run(
        self, arguments: Sequence[str] | None, data: Path, maps: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it as an engine would: its user, its variables, its entry point, /data writable and all else not."""
        command = [*self.config["Entrypoint"], *(self.config["Cmd"] if arguments is None else arguments)]
        return self.execute(command, data, maps, **variables)

    def execute(
        self, command: Sequence[str], data: Path, maps: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run any command in it."""
        where = {"ROOT": str(self.files), "DATA": str(data), "MAPS": str(maps)}
        where |= {"OWNER": self.config["User"], "FOLDER": self.config["WorkingDir"]}
        inside = [*self.config["Env"], *(f"{name}={value}" for name, value in variables.items())]
        line = ["unshare", "--mount", "bash", "-ec", CONTAINED, "contained", *inside, *command]
        return subprocess.run(line, env=dict(os.environ) | where, capture_output=True, text=True, timeout=120)


def require_tools() -> None:
    """Skip where an image cannot be built, and say why."""
    missing = [tool for tool in ("buildah", "debootstrap", "unshare", "chroot") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"building the image needs {' and '.join(missing)} (apt-get install buildah debootstrap)")
    if os.geteuid() != 0:
        pytest.skip("building the image here needs root: it mounts and changes users")


def base_files() -> Path:
    """A Debian with Python 3.13 under the names of the official image."""
    if (KEPT / "usr" / "local" / "bin" / "python").exists():
        return KEPT
    shutil.rmtree(KEPT, ignore_errors=True)
    made = Path(f"{KEPT}.{os.getpid()}")
    parts = "--include=python3,python3-venv,ca-certificates"
    line = ["debootstrap", "--variant=minbase", parts, "trixie", str(made)]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=900)
    if ended.returncode:
        shutil.rmtree(made, ignore_errors=True)
        pytest.skip(f"debootstrap could not make a base: {ended.stdout.strip().splitlines()[-1:]}")
    for folder in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man"):
        shutil.rmtree(made / folder, ignore_errors=True)
    (made / "usr" / "local" / "bin" / "python").symlink_to("/usr/bin/python3")
    made.rename(KEPT)
    return KEPT


@contextmanager
def built_image(folder: Path) -> Iterator[Image]:
    """Build the Dockerfile in a storage of its own, which is gone afterwards."""
    storage = ["--root", str(folder / "storage"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]

    def buildah(*arguments: str) -> str:
        ended = subprocess.run(["buildah", *storage, *arguments], capture_output=True, text=True, timeout=900)
        assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
        return ended.stdout.strip()

    base = buildah("from", "scratch")
    buildah("copy", "--quiet", base, str(base_files()), "/")
    buildah("commit", "--quiet", base, BASE)
    given = [f"--volume={path}:{path}:ro" for path in FROM_HOST if Path(path).exists()]
    buildah("build", "--isolation=chroot", "--pull-never", "--format=docker", *given, "--tag=memsync", str(ROOT))
    container = buildah("from", "--pull-never", "localhost/memsync")
    try:
        config = json.loads(buildah("inspect", container))["Docker"]["config"]
        sizes = [_megabytes(buildah("images", "--json", name)) for name in ("localhost/memsync", BASE)]
        yield Image(config, Path(buildah("mount", container)), *sizes)
    finally:
        buildah("umount", container)
        buildah("rm", "--all")


def _megabytes(listing: str) -> float:
    number, unit = json.loads(listing)[0]["size"].split()
    return float(number) * {"KB": 0.001, "MB": 1, "GB": 1000}[unit]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image of this tree."""
    require_tools()
    folder = tmp_path_factory.mktemp("image")
    try:
        with built_image(folder) as made:
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
