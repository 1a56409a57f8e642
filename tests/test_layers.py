"""Imports run downhill: what is further down knows nothing of what is above it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LAYERS = {
    # Each layer may import itself and the layers named behind it. The longest name that fits places a module.
    "connectors": [],
    "state": [],
    "sync.maps": ["connectors", "sync.maps.row"],
    "sync.maps.row": [],
    "sync.memory": ["sync.maps.row"],
    "sync.export": ["sync.memory"],
    "sync.spans": [],
    "sync.web": [],
    "sync.sandbox": ["sync.web"],
    "sync.stop": [],
    "sync.codes": [],
    "sync.checked": ["sync.maps"],
    "sync.log": [],
    "sync.summary": [],
    "sync.chunks": ["sync.memory"],
    "sync.watermark": [],
    "sync.flight": [],
    "sync.absence": [],
    "sync.shards": ["connectors"],
    "sync.settings": ["connectors"],
    "sync.read_ahead": ["sync.stop"],
    "sync.intake": ["sync.chunks", "sync.maps.row"],
    "sync.positions": ["connectors", "state", "sync.memory"],
}
LAYERS["sync.costs"] = ["sync.memory"]
LAYERS["sync.settings"] = ["connectors", "sync.costs"]
LAYERS["sync.guards"] = ["state", "sync.chunks", "sync.costs", "sync.intake", "sync.maps"]
RUN_PATH = [*LAYERS, "sync.job", "sync.due", "sync.record", "sync.deliver", "sync.follow", "sync.aside", "sync.preview"]
RUN_PATH += ["sync.hold", "sync.destination", "sync.exits"]
RUN_PATH += ["sync.reads", "sync.compare", "sync.lookup", "sync.verify", "sync.trace"]
LAYERS |= dict.fromkeys(
    ["sync.job", "sync.due", "sync.record", "sync.deliver", "sync.follow", "sync.aside", "sync.preview", "sync.hold"],
    RUN_PATH,
)
LAYERS |= dict.fromkeys(["sync.destination", "sync.exits"], RUN_PATH)
LAYERS |= dict.fromkeys(["sync.reads", "sync.compare", "sync.lookup", "sync.verify", "sync.trace"], RUN_PATH)
LAYERS["sync.rekey"] = RUN_PATH
LAYERS |= {"sync.request": RUN_PATH, "sync.assemble": [*RUN_PATH, "sync.request", "sync.rekey"]}
LAYERS["sync.settle"] = [*RUN_PATH, "sync.request", "sync.assemble"]
TOP = [*RUN_PATH, "sync.request", "sync.assemble", "sync.settle"]
LAYERS |= {"sync.spending": TOP, "sync.drift": [], "sync.shapes": [*TOP, "sync.drift", "sync.discover"]}
LAYERS |= {"sync.run": [*TOP, "sync.spending", "sync.shapes"], "sync.check": TOP}
LAYERS["sync.discover"] = ["connectors", "sync.maps"]
LAYERS["sync.notify"] = TOP
LAYERS["sync.serve"] = [*TOP, "sync.run", "sync.notify", "sync"]
LAYERS["sync.commands"] = [*TOP, "sync.run", "sync.check", "sync.notify", "sync.serve", "sync", "sync.demo"]
LAYERS["sync.commands"].append("sync.discover")
LAYERS["sync.demo"] = [*TOP, "sync.run", "sync.check", "sync.commands", "sync"]
LAYERS |= {"sync.__main__": ["sync.commands", "sync"], "sync": []}

ORDER = [
    "sync.job",
    "sync.due",
    "sync.record",
    "sync.deliver",
    "sync.assemble",
    "sync.run",
    "sync.check",
    "sync.commands",
]
"""The one path, from the bottom to the top."""


def layer_of(module):
    """The layer that a module belongs to; "" when nobody placed it."""
    fitting = [name for name in LAYERS if name != "sync" and (module + ".").startswith(name + ".")]
    return max(fitting, key=len, default="sync" if module == "sync" else "")


def modules():
    for package in ("connectors", "state", "sync"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module):
    path = ROOT / Path(*module.split("."))
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: relative import"
            for alias in node.names:
                below = ROOT / Path(*node.module.split("."), alias.name)
                is_module = below.is_dir() or below.with_suffix(".py").exists()
                yield f"{node.module}.{alias.name}" if is_module else node.module


OWN = [module for module in modules() if module.split(".")[0] in ("connectors", "state", "sync")]


@pytest.mark.parametrize("module", OWN)
def test_every_module_has_its_place(module):
    assert layer_of(module), f"{module} is new: give it a place in LAYERS"


@pytest.mark.parametrize("module", OWN)
def test_imports_run_downhill(module):
    mine = layer_of(module)
    found = {name for name in imports(module) if name.split(".")[0] in ("connectors", "state", "sync")}
    uphill = {name for name in found if layer_of(name) != mine and layer_of(name) not in LAYERS.get(mine, [])}
    assert not uphill


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_the_one_path_runs_downhill(place):
    above = set(ORDER[place + 1 :])
    members = [module for module in OWN if layer_of(module) == ORDER[place]]
    assert members
    assert not {name for module in members for name in imports(module) if layer_of(name) in above}


def test_no_two_modules_of_the_run_path_import_each_other():
    direct = {
        module: {name for name in imports(module) if name in OWN and name != module}
        for module in OWN
        if module.count(".") == 1
    }
    assert not {(one, two) for one, names in direct.items() for two in names if one in direct.get(two, ())}
