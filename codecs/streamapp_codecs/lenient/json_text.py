"""JSON text read without losing a digit."""

import re
from decimal import Decimal, InvalidOperation

import msgspec

from streamapp_codecs.codec import DecodeError

MAX_DEPTH = 500
"""How deep arrays and objects may lie within one another: half of Python's own limit until 3.11. Later Pythons read
far deeper, and one body must not be a dead letter in one version and an event in another."""

_TOO_DEEP = "arrays or objects nested too deep"
_BOM = "\ufeff"
# A whole string, also one that never ends, or a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*"?|[\[\]{}]', re.DOTALL)
# Half of a character outside the basic plane, as text cut by its length leaves it: JSON allows the escape,
# UTF-8 has no bytes for it.
_PAIR_OR_HALF = re.compile(
    r"(?P<kept>\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def parse_number(text: str) -> Decimal:
    """Return the number that *text* spells; NaN where its exponent is too large."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


_DECODER = msgspec.json.Decoder(float_hook=parse_number)


def read_json(text: str) -> object:
    """Return what *text* holds; raises `DecodeError`."""
    if _is_too_deep(text):
        raise DecodeError("too_deep", _TOO_DEEP)
    try:
        return _DECODER.decode(text.removeprefix(_BOM))
    except msgspec.ValidationError as error:
        raise DecodeError("invalid_value", "number with too many digits") from error
    except RecursionError as error:
        raise DecodeError("too_deep", _TOO_DEEP) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        if (whole := _without_halves(text)) != text:
            return read_json(whole)
        raise DecodeError("not_json", "text that is not JSON") from error


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for match in _TOKEN.finditer(text):
        first = match[0][0]
        depth += (first in "[{") - (first in "]}")
        if depth > MAX_DEPTH:
            return True
    return False


def _without_halves(text: str) -> str:
    return _PAIR_OR_HALF.sub(lambda match: match["kept"] or r"\ufffd", text)
