"""A Faust-like stream processing app on SQS."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.declared.extras import Extras
    from streamapp.declared.index import Index
    from streamapp.declared.sink import Sink
    from streamapp.declared.table import Table
    from streamapp.errors import (
        ConfigError,
        MessageTooLarge,
        NotInEvent,
        Refused,
        Reject,
        Retry,
        ServiceError,
        Skip,
        StreamappError,
    )
    from streamapp.pipeline.stream import Stream
    from streamapp.view import View, open_view
    from streamapp_codecs import Decoded, DecodeError, Decoder, Json, Origin, Shown

__all__ = [
    "App",
    "Config",
    "ConfigError",
    "DecodeError",
    "Decoded",
    "Decoder",
    "Extras",
    "Index",
    "Json",
    "MessageTooLarge",
    "NotInEvent",
    "Origin",
    "Refused",
    "Reject",
    "Retry",
    "ServiceError",
    "Shown",
    "Sink",
    "Skip",
    "Stream",
    "StreamappError",
    "Table",
    "View",
    "open_view",
]

_HOMES = {
    "App": "streamapp.app",
    "Config": "streamapp.config",
    "Decoded": "streamapp_codecs.codec",
    "DecodeError": "streamapp_codecs.codec",
    "Decoder": "streamapp_codecs.codec",
    "Extras": "streamapp.declared.extras",
    "Index": "streamapp.declared.index",
    "Json": "streamapp_codecs.codec",
    "Origin": "streamapp_codecs.codec",
    "Shown": "streamapp_codecs.codec",
    "Sink": "streamapp.declared.sink",
    "Stream": "streamapp.pipeline.stream",
    "Table": "streamapp.declared.table",
    "View": "streamapp.view",
    "open_view": "streamapp.view",
}
"""The modules of the public names; the others are in `streamapp.errors`."""


def __getattr__(name: str) -> object:
    """Import only the public name that is used: the command line, which is in this package too, must start quickly."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "streamapp.errors")), name)


def __dir__() -> list[str]:
    """Return the public names, also those that are not imported yet."""
    return __all__
