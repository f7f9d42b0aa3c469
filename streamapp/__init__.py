"""A Faust-like stream processing app on SQS."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config
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

__all__ = [
    "App",
    "Config",
    "ConfigError",
    "Index",
    "MessageTooLarge",
    "NotInEvent",
    "Refused",
    "Reject",
    "Retry",
    "ServiceError",
    "Sink",
    "Skip",
    "Stream",
    "StreamappError",
    "Table",
    "View",
    "open_view",
]

_HOMES = {
    "App": "app",
    "Config": "config",
    "Index": "declared.index",
    "Sink": "declared.sink",
    "Stream": "pipeline.stream",
    "Table": "declared.table",
    "View": "view",
    "open_view": "view",
}


def __getattr__(name: str) -> object:
    """Import only the public name that is used: the command line, which is in this package too, must start quickly."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    """Return the public names, also those that are not imported yet."""
    return __all__
