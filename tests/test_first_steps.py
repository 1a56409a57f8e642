"""The recorded sessions of docs/first-steps.md are what a terminal shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_the_page_shows_what_a_terminal_shows():
    script = [sys.executable, str(ROOT / "tests" / "record_first_steps.py"), "--check"]
    ended = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
