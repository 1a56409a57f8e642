"""A local memory service with the HTTP interface of the real one, for demos, tests and trying maps."""

from sync.sandbox.options import SandboxOptions
from sync.sandbox.server import Sandbox

__all__ = ["Sandbox", "SandboxOptions"]
