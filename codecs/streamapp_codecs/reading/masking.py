"""What viewers may see of a body: the fields that the shop works with; anything else is there, but hidden."""

from typing import Final

import msgspec

from streamapp_codecs.codec import HIDDEN, DecodeError
from streamapp_codecs.dominio.vocabulario import Entity
from streamapp_codecs.lenient.json_text import read_json
from streamapp_codecs.lenient.values import is_array, is_object
from streamapp_codecs.reading.visible import rule_of

_MAX_DEPTH: Final = 5

_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


def mask_body(body: str, own: Entity) -> bytes | None:
    """Return *body* as JSON in which nothing is personal; None if it is no JSON.

    *own* is the entity of the queue that it came from.
    """
    try:
        return _ENCODER.encode(_masked(_read(body), own == "produto", 0))
    except (DecodeError, RecursionError, ValueError, ArithmeticError):
        return None


def _read(body: str) -> object:
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeError):
        return read_json(body)


# *produto* is whether names are a product's; *depth* is in how many strings of JSON this lies.
def _masked(value: object, produto: bool, depth: int) -> object:  # noqa: FBT001 - once for each value of each body
    if is_object(value):
        return _members(value, produto, depth)
    if is_array(value):
        return [_masked(part, produto, depth) for part in value]
    return value if value is None or isinstance(value, bool) else HIDDEN


def _members(members: dict[str, object], produto: bool, depth: int) -> dict[str, object]:  # noqa: FBT001 - as above
    masked: dict[str, object] = {}
    for name, value in members.items():
        rule = rule_of(name)
        of = type(value)
        if of is dict or of is list:
            masked[rule.name] = _masked(value, rule.opens or (produto and rule.keeps), depth)
        elif value is None or of is bool:
            masked[rule.name] = value
        elif of is str and value[:1] in _OPENING:  # type: ignore[index]  # it is a str
            masked[rule.name] = _json_in_text(str(value), produto and rule.keeps, depth)
        else:
            show = rule.in_product if produto else rule.show
            masked[rule.name] = HIDDEN if show is None else show(value)
    return masked


_OPENING = frozenset("{[")


def _json_in_text(text: str, produto: bool, depth: int) -> object:  # noqa: FBT001 - as above
    """Return JSON in a string, as envelopes have it, masked as well."""
    if depth == _MAX_DEPTH:
        return HIDDEN
    try:
        return _ENCODER.encode(_masked(_read(text), produto, depth + 1)).decode()
    except (DecodeError, ValueError, ArithmeticError):
        return HIDDEN
