"""Bytes on the wire to msgspec types, and back."""

from streamapp_codecs.codec import Decoded, DecodeError, Decoder, Json, Origin, Shown
from streamapp_codecs.reasons import REASONS, Reason

__all__ = ["REASONS", "DecodeError", "Decoded", "Decoder", "Json", "Origin", "Reason", "Shown"]
