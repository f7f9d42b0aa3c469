"""Envelopes that AWS makes: SNS, Lambda's Records, pointers to S3. No URL in them is followed."""

from collections.abc import Iterator

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.envelopes.envelope import Envelope, Opened
from streamapp_codecs.lenient.fields import Layer
from streamapp_codecs.lenient.folding import fold_keys
from streamapp_codecs.lenient.json_text import read_json
from streamapp_codecs.lenient.values import is_array, is_object, json_type

_CONTROL = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


def sns_control(layer: Layer) -> str | None:
    """Return the type of *layer* where it is SNS's message about a subscription; None if it is not."""
    kind = layer.get("type")
    return str(kind) if kind in _CONTROL and ("topicarn" in layer or "subscribeurl" in layer) else None


def refuse_s3(value: object) -> None:
    """Raise `DecodeError` where *value* points to a payload in S3."""
    pointer = is_array(value) and bool(value) and str(value[0]).endswith("S3Pointer")
    if pointer or (is_object(value) and {"s3BucketName", "s3Key"} <= value.keys()):
        raise DecodeError("s3_pointer", f"{json_type(value)} that points to S3")


def open_sns(layer: Layer, outer: Envelope) -> Iterator[Opened] | None:
    """Return the message of an SNS notification; None if *layer* is none."""
    if layer.get("type") != "Notification" or "message" not in layer:
        return None
    return _open_message(layer, outer)


def open_records(layer: Layer, outer: Envelope) -> Iterator[Opened] | None:
    """Return each of a Lambda event's Records, from SQS or SNS; None if *layer* has none."""
    records = layer.get("records")
    if not is_array(records):
        return None
    if not records:
        raise DecodeError("unknown_envelope", "Records: array without a part")
    return _open_each(records, outer.inside())


def _open_each(records: list[object], inner: Envelope) -> Iterator[Opened]:
    for record in records:
        try:
            yield from _open_record(record, inner)
        except DecodeError as error:
            yield error


def _open_record(record: object, inner: Envelope) -> Iterator[Opened]:
    if not is_object(record):
        raise DecodeError("unknown_envelope", f"Records: {json_type(record)}")
    layer = fold_keys(record)
    sns = layer.get("sns")
    if is_object(sns) and sns_control(fold_keys(sns)) is not None:
        yield sns, inner
    elif is_object(sns):
        yield from _open_message(fold_keys(sns), inner)
    elif "body" in layer:
        yield _read(layer["body"]), inner.with_attributes(_attributes(layer))
    else:
        raise DecodeError("unknown_envelope", "Records: object without a body")


def _open_message(layer: Layer, outer: Envelope) -> Iterator[Opened]:
    topic = layer.get("topicarn")
    if isinstance(topic, str):
        outer = outer.with_hint(topic.rpartition(":")[2])
    outer = outer.with_attributes(_attributes(layer))
    yield _read(layer.get("message")), outer.inside({"timestamp": layer.get("timestamp")})


def _read(value: object) -> object:
    return read_json(value) if isinstance(value, str) else value


def _attributes(layer: Layer) -> dict[str, object]:
    """Return the attributes by name: SNS writes `{Type, Value}`, Lambda `{dataType, stringValue}`."""
    attributes = layer.get("messageattributes")
    if not is_object(attributes):
        return {}
    each = {name: fold_keys(value) for name, value in attributes.items() if is_object(value)}
    return {name: value.get("value") or value.get("stringvalue") for name, value in each.items()}
