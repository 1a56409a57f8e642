"""One step of `transform:`: a name, or a name with its argument."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from sync.maps.problem import did_you_mean, shown
from sync.maps.transforms import TRANSFORMS, check_argument


class Step(NamedTuple):
    """A transform as a map names it; `given` tells an argument of null from none."""

    name: str
    argument: Any = None
    given: bool = False


def refused(message: str, *, at: str | None = None) -> PydanticCustomError:
    """An error of a file; `at` names the key that it is about, where that is a neighbour (empty: what holds it)."""
    return PydanticCustomError("refused", "{message}", {"message": message, "at": at})


def parse_step(value: Any) -> Step:
    """Read `strip` or `{truncate: 500}`."""
    if isinstance(value, Step):
        return value
    if isinstance(value, str):
        step = Step(value)
    elif isinstance(value, dict) and len(value) == 1:
        step = Step(*next(iter(value.items())), given=True)
    elif isinstance(value, dict) and value:
        raise refused(f"found {len(value)} transforms in one item, expected one per item: start each with its own dash")
    else:
        raise refused(f"found {shown(value)}, expected the name of a transform, such as strip or {{truncate: 500}}")
    if step.name not in TRANSFORMS:
        known = ", ".join(TRANSFORMS)
        near = did_you_mean(step.name, TRANSFORMS)
        raise refused(f"found {shown(step.name)}, expected one of {known}{near}")
    problem = check_argument(step.name, step.argument, given=step.given)
    if problem:
        raise refused(problem if problem.startswith("found") else f"found {shown(step.argument)}, {problem}")
    return step


def _schema() -> dict[str, Any]:
    bare = [name for name, transform in TRANSFORMS.items() if transform.wants != "required"]
    described = "; ".join(f"{name} {transform.does}" for name, transform in TRANSFORMS.items())
    arguments = {
        name: {**transform.schema, "description": f"{name} {transform.does}"}
        for name, transform in TRANSFORMS.items()
        if transform.wants != "none"
    }
    return {
        "description": described,
        "anyOf": [
            {"enum": bare},
            {
                "type": "object",
                "properties": arguments,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ],
    }


ValidStep = Annotated[Step, PlainValidator(parse_step), WithJsonSchema(_schema())]
