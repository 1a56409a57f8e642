"""How Bulk jobs go in this org, and what Bulk queries cannot do."""

from dataclasses import dataclass, field

from .answers import Refusal
from .schema import SObject
from .soql_result import Branch, Compound, Leaf, Plan


@dataclass
class Rules:
    """How jobs go in this org."""

    polls: int = 1
    """How many status calls find a job unfinished before it is complete."""
    page: int = 100_000
    """Records in a page of results where the caller names no number."""
    refused: dict[str, str] = field(default_factory=dict)
    """Objects that cannot be read in bulk here, with the message."""
    failing: dict[str, str] = field(default_factory=dict)
    """Objects whose jobs are created and then fail, with the message."""
    jobs_a_day: int = 10_000


def check_bulk(plan: Plan, rules: Rules) -> None:
    """Refuse at creation what Bulk queries cannot do."""
    sobject = plan.sobject
    if sobject.name in rules.refused or "no-bulk" in sobject.marks:
        usual = f"Entity '{sobject.name}' is not supported by the Bulk API."
        raise Refusal(400, "INVALIDENTITY", rules.refused.get(sobject.name, usual))
    if plan.types or plan.counts or plan.aggregates:
        raise Refusal(400, "API_ERROR", "TYPEOF and aggregate functions are not supported in Bulk Query")
    _check_fields(plan.tree, sobject)


def _check_fields(branch: Branch, sobject: SObject) -> None:
    for name, node in branch.members.items():
        if isinstance(node, Branch):
            _check_fields(node, sobject)
        elif isinstance(node, Compound):
            raise Refusal(400, "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query")
        elif isinstance(node, Leaf) and node.field.type == "base64":
            raise Refusal(400, "INVALIDENTITY", f"Binary field '{name}' is not supported in Bulk Query")
