"""The transforms that a map may name, with their arguments."""

from sync.maps.transforms.catalogue import TRANSFORMS, Transform, change_of, check_argument
from sync.maps.transforms.failure import Change, TransformFailed

__all__ = ["TRANSFORMS", "Change", "Transform", "TransformFailed", "change_of", "check_argument"]
