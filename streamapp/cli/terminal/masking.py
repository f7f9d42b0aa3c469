"""What errors and logs keep to themselves: the texts of errors, and what other libraries tell at DEBUG."""

import logging
import traceback
from types import TracebackType
from typing import cast

CAPPED = ("botocore", "aiobotocore", "aioboto3", "aiohttp", "boto3", "urllib3", "werkzeug", "asyncio", "moto")
"""Loggers of others; at DEBUG, and some at INFO, they write tokens and message bodies."""

_OF_CODE = (ImportError, NameError, SyntaxError)
"""Errors whose texts hold names of the code alone, which whoever writes an app needs."""

Info = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def mask() -> None:
    """Cap the loggers of others, and let logs that nobody has set up hold no text of an error."""
    for name in CAPPED:
        logging.getLogger(name).setLevel(logging.WARNING)
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Masked())


def masked(error: BaseException | None) -> str:
    """Format the traceback of *error*, and of those in its group, without texts that may quote a value."""
    if error is None:
        return "unknown error"
    text = f": {error}" if isinstance(error, _OF_CODE) else ""
    told = "".join([*traceback.format_tb(error.__traceback__), type(error).__name__, text])
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        told = "\n".join([told, *map(masked, group.exceptions)])
    return told


class Masked(logging.Formatter):
    """Writes tracebacks so."""

    def formatException(self, ei: Info) -> str:  # noqa: N802 - logging's name
        """Format a traceback as `masked` does."""
        return masked(ei[1])
