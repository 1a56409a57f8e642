"""memsync with shorter clocks: `MEMSYNC_TEST_CLOCKS` names constants by module, as JSON."""

from __future__ import annotations

import json
import os
from importlib import import_module

if __name__ == "__main__":
    for path, value in json.loads(os.environ.pop("MEMSYNC_TEST_CLOCKS", "{}")).items():
        module, _, name = path.rpartition(".")
        assert hasattr(import_module(module), name), f"there is no {path}"
        setattr(import_module(module), name, value)
    from sync.__main__ import main

    main()
