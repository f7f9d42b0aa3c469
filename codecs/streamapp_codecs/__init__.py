"""Bytes on the wire to msgspec types, and back."""

from streamapp_codecs.codec import HIDDEN, Decoded, DecodeError, Decoder, Json, Origin, Showing, Shown
from streamapp_codecs.reasons import REASONS, Reason

__all__ = [
    "HIDDEN",
    "REASONS",
    "DecodeError",
    "Decoded",
    "Decoder",
    "Json",
    "Origin",
    "Reason",
    "Showing",
    "Shown",
]
