"""The `memsync` command."""


def main() -> None:
    raise SystemExit(0)
