"""What a check of a stream found; the file alone is checked without anything that a run needs."""

from __future__ import annotations

from dataclasses import dataclass

from sync.maps.model import PropertyMap


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `exit` is 0 when it is well."""

    name: str
    detail: str
    exit: int = 0


def check_file(property_map: PropertyMap) -> Check:
    """A map that could be loaded is well."""
    properties = len(property_map.mapping.properties)
    told = "1 property" if properties == 1 else f"{properties} properties"
    return Check("map", f"{property_map.file}: {told}")
