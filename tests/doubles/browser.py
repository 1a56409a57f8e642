"""A real browser without a window, driven over its debugging pipe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")


def installed() -> str | None:
    """The path of a browser on this machine."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One tab; `with Browser(path) as browser`."""

    def __init__(self, path: str) -> None:
        self._path, self._number, self._rest = path, 0, b""
        self.problems: list[str] = []
        """What the browser complained of: refused styles, failed loads, errors of scripts."""

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory(prefix="memsync-browser-", ignore_cleanup_errors=True)
        its_input, self._out = os.pipe()
        self._in, its_output = os.pipe()
        flags = [*_FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self._home.name}", "about:blank"]
        # The browser reads from descriptor 3 and writes to 4.
        line = f'exec "$0" "$@" 3<&{its_input} 4>&{its_output}'
        self._process = subprocess.Popen(
            ["bash", "-c", line, self._path, *flags],
            pass_fds=(its_input, its_output),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_input)
        os.close(its_output)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session: str | None = None
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Runtime", "Network"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._home.cleanup()

    def show(self, url: str, width: int, height: int, scheme: str) -> None:
        """Load a page on a screen of this size, `light` or `dark`."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._call("Page.navigate", url=url)
        self.ask("new Promise(done => document.readyState == 'complete' ? done(1) : addEventListener('load', done))")

    def ask(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, file: Path) -> None:
        """Keep what is shown as a PNG."""
        import base64

        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        session = {"sessionId": self._session} if getattr(self, "_session", None) else {}
        os.write(
            self._out,
            json.dumps({"id": self._number, "method": method, "params": parameters} | session).encode() + b"\0",
        )
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return dict(answer["result"])
            if answer.get("method") == "Log.entryAdded":
                self.problems.append(answer["params"]["entry"]["text"])
            if answer.get("method") in ("Network.loadingFailed", "Runtime.exceptionThrown"):
                self.problems.append(json.dumps(answer["params"]))

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._in, 1 << 16)
            assert part, "the browser ended"
            self._rest += part
        first, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(first)
        return found
