"""Logs for the person on call: readable lines on a terminal, JSON lines elsewhere."""

import json
import logging
import sys
from typing import Any, Literal

from pythonjsonlogger.msgspec import MsgspecFormatter

from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.masking import ErrorInfo, MaskedFormatter, mask, masked
from streamapp.cli.terminal.sanitize import harmless_json, printable
from streamapp.config import Config

_OWN_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""Attributes that every record has; the others are its `extra`."""


def set_up(config: Config) -> None:
    """Send all logs to stderr in the format that *config* names."""
    form: Literal["auto", "console", "json"] = config.log_format
    if form == "auto":
        form = "console" if sys.stderr.isatty() else "json"
    handler = logging.StreamHandler()
    handler.addFilter(_clear_progress)
    texts = config.error_text == "on" or (config.error_text == "auto" and form == "console")
    handler.setFormatter(_ConsoleFormatter(texts=texts) if form == "console" else _JsonFormatter(texts=texts))
    logging.basicConfig(level=config.log_level, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a closed stderr must not stop the work
    mask()
    keep_enabled()


class _EnabledLogger(logging.Logger):
    """A logger that `logging.config` does not disable, as it does by default with all that exist."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, False if name == "disabled" else value)


def keep_enabled() -> None:
    """Keep streamapp's own loggers enabled, also when an app configures its logging later.

    If an app sets up handlers of its own, these get what is logged.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "streamapp":
            logger = logging.getLogger(name)
            logger.__class__ = _EnabledLogger
            logger.disabled = False


def restore(config: Config) -> None:
    """Restore what the import of an app has taken from our logs: loggers that it disabled, and the last handler."""
    keep_enabled()
    if not logging.root.handlers:
        set_up(config)


def _clear_progress(record: logging.LogRecord) -> bool:
    """Erase the progress line, so that the record has a line of its own."""
    del record
    out.clear()
    return True


class _ConsoleFormatter(MaskedFormatter):
    def format(self, record: logging.LogRecord) -> str:
        time = self.formatTime(record, "%H:%M:%S")
        extras = [f"{key}={value}" for key, value in record.__dict__.items() if key not in _OWN_FIELDS]
        line = printable(" ".join([f"{record.levelname:<7}", record.getMessage(), *extras]))
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{time} {line}{trace}"


class _JsonFormatter(MsgspecFormatter):
    def __init__(self, *, texts: bool) -> None:
        self._texts = texts
        super().__init__(  # pyright: ignore[reportUnknownMemberType]  # the library's own
            ["asctime", "levelname", "name", "message"],
            rename_fields={"asctime": "timestamp", "levelname": "level", "name": "logger"},
        )

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        try:
            text = super().jsonify_log_record(log_data)
        except UnicodeEncodeError:  # half of a surrogate pair, which is not UTF-8
            text = json.dumps(log_data, default=str)
        return harmless_json(text)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        del datefmt
        from datetime import UTC, datetime  # noqa: PLC0415 - beside its only use

        return (
            datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )

    def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802 - logging's name
        return masked(ei[1], texts=self._texts)
