"""Single values as JSON holds them: their types, whole numbers, texts.

Numbers with a fraction or an exponent arrive as `Decimal`, made from their own text; see `json_text.py`.
"""

import re
from decimal import Decimal
from typing import TypeGuard

MAX_TEXT = 200
# No id, price or quantity has as many digits; larger numbers are not even converted.
MAX_DIGITS = 256
# The longest text that is tried as a number.
MAX_NUMBER_TEXT = 40

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBERS = (int, Decimal)


def json_type(value: object) -> str:
    """Return the JSON type of *value*, for people."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "number"


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether *value* is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Whether *value* is a JSON array."""
    return isinstance(value, list)


def is_number(value: object) -> TypeGuard[int | Decimal]:
    """Whether *value* is a JSON number; a boolean is none."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def whole_number(number: int | Decimal) -> int | None:
    """Return *number* as an integer; None if it has a fraction, is not finite or is too large."""
    if isinstance(number, int):
        return number if number.bit_length() <= 4 * MAX_DIGITS else None
    if not number.is_finite() or number.adjusted() > MAX_DIGITS or number != number.to_integral_value():
        return None
    return int(number)


def count(value: object) -> int | None:
    """Return the whole number that *value* is or spells; None if it is none."""
    if is_number(value):
        return whole_number(value)
    if isinstance(value, str) and len(value) <= MAX_NUMBER_TEXT and re.fullmatch(r"\s*[0-9]+\s*", value):
        return int(value)
    return None


def read_text(value: object) -> str | None:
    """Return the text that people will read, without control characters; None if there is none."""
    if not isinstance(value, str):
        return None
    short = value.strip()[:MAX_TEXT]
    return (_CONTROLS.sub(" ", short).strip() if has_controls(short) else short) or None


def has_controls(text: str) -> bool:
    """Whether *text* has control characters."""
    return not text.isprintable() and _CONTROLS.search(text) is not None
