"""Ids are opaque strings: 42, 42.0 and "42" are one id, "0042" is another."""

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.lenient.values import has_controls, is_number, json_type, whole_number

MAX_ID = 256


def require_id(value: object, path: str) -> str:
    """Return the id that *value* holds; raises `DecodeError`, also where *value* is empty."""
    read = read_id(value, path)
    if read is None:
        raise DecodeError("missing_field", path)
    return read


def read_id(value: object, path: str) -> str | None:
    """Return the id in *value*, or None if it is empty. Raises `DecodeError` if it is not an id."""
    if value is None:
        return None
    if isinstance(value, str):
        read = value.strip()
        if not read:
            return None
    elif is_number(value):
        whole = whole_number(value)
        read = "" if whole is None else str(whole)
    else:
        raise DecodeError("invalid_value", f"{path}: {json_type(value)}")
    # A control character would be lost or misread wherever the id is shown, which would then be another id.
    if not read or len(read) > MAX_ID or has_controls(read):
        raise DecodeError("invalid_value", f"{path}: {json_type(value)} that is no id")
    return read
