"""`memsync schema`: the JSON Schema of property maps."""

from __future__ import annotations

import click

from sync.commands import options


@click.command(epilog="Example: memsync schema > mappings/schema.json")
@options.as_json
def command(as_json: bool) -> int:  # it is JSON either way
    """Print the JSON Schema of property maps, for editors and checks; it is JSON with and without --json."""
    from sync.maps.schema import schema_text

    click.echo(schema_text(), nl=False)
    return 0
