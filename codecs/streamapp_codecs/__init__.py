"""Bytes on the wire to msgspec types, and back."""

from streamapp_codecs.codec import REASONS, Decoded, DecodeError, Decoder, Json, Origin, Reason, Shown

__all__ = ["REASONS", "DecodeError", "Decoded", "Decoder", "Json", "Origin", "Reason", "Shown"]
