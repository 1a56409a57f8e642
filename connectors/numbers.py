"""Numbers that come as text: as a number where that keeps every digit, else as the text itself."""

from __future__ import annotations

import sys
from math import isfinite

FLOAT_DIGITS = 15
"""Decimal digits that a floating-point number keeps."""


def fraction(text: str) -> float | str:
    """A number with a fraction or an exponent, as far as a float holds it: not too long, too large or too small."""
    found = float(text)
    digits = text.lower().partition("e")[0].replace(".", "").strip("+-0")
    held = isfinite(found) and (abs(found) >= sys.float_info.min or not digits)
    return found if held and len(digits) <= FLOAT_DIGITS else text
