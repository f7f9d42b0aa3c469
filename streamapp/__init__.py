"""A Faust-like stream processing app on SQS."""

from streamapp.app import App
from streamapp.config import Config
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
from streamapp.sink import Sink
from streamapp.stream import Stream
from streamapp.table import Index, Table

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
]
