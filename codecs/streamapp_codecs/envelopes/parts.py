"""A body opened down to its parts, each an event of its own."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio.vocabulario import Entity
from streamapp_codecs.envelopes.aws import open_records, open_sns, refuse_s3, sns_control
from streamapp_codecs.envelopes.envelope import Envelope, Opened
from streamapp_codecs.envelopes.kinds import Clues
from streamapp_codecs.envelopes.wrappers import open_object
from streamapp_codecs.lenient.fields import Fields, Layer
from streamapp_codecs.lenient.folding import fold_keys
from streamapp_codecs.lenient.json_text import read_json
from streamapp_codecs.lenient.skipped import Skipped
from streamapp_codecs.lenient.values import is_array, is_object, json_type

MAX_PARTS = 1_000


class Part(NamedTuple):
    """One event, its envelopes opened."""

    fields: Fields
    clues: Clues


Found: TypeAlias = Part | Skipped | DecodeError


def parts(body: str, own: Entity, origin: Origin) -> Iterator[Found]:
    """Return the parts of *body* in their order, bad ones included; *own* is the queue's own entity."""
    try:
        value = read_json(body)
    except DecodeError as error:
        yield error
        return
    found = _open(value, Envelope(own).with_attributes(origin.attributes))
    yield from islice(found, MAX_PARTS)
    if next(found, None) is not None:
        yield DecodeError("invalid_value", f"more than {MAX_PARTS} parts")


def _open(value: object, outer: Envelope) -> Iterator[Found]:
    try:
        refuse_s3(value)
        if is_object(value):
            yield from _open_object(fold_keys(value), outer)
        else:
            yield from _open_each(_open_other(value, outer))
    except DecodeError as error:
        yield error


def _open_object(layer: Layer, outer: Envelope) -> Iterator[Found]:
    if (control := sns_control(layer)) is not None:
        yield Skipped(control)
        return
    opened = open_sns(layer, outer) or open_records(layer, outer) or open_object(layer, outer)
    if opened is None:
        yield Part(Fields((layer, *outer.layers)), outer.with_kinds(layer).clues)
    else:
        yield from _open_each(opened)


def _open_each(opened: Iterator[Opened]) -> Iterator[Found]:
    for one in opened:
        if isinstance(one, DecodeError):
            yield one
        else:
            yield from _open(*one)


def _open_other(value: object, outer: Envelope) -> Iterator[Opened]:
    """Return the parts of an array, or the JSON that a string holds."""
    if isinstance(value, str):
        yield _in_text(value), outer.inside()
    elif is_array(value) and value:
        inner = outer.inside()
        for part in value:
            yield part, inner
    else:
        raise DecodeError("unknown_envelope", json_type(value))


def _in_text(text: str) -> object:
    try:
        return read_json(text)
    except DecodeError as error:
        if error.reason == "not_json":
            raise DecodeError("unknown_envelope", "string that is not JSON") from error
        raise
