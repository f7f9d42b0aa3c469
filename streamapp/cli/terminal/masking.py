"""Keep secrets and personal data out of errors and logs: texts of errors, DEBUG logs of libraries, passwords in URLs."""

import logging
import re
import traceback
from types import TracebackType
from typing import cast

from streamapp.cli.terminal.sanitize import printable
from streamapp.errors import own_text

CAPPED = ("botocore", "aiobotocore", "aioboto3", "aiohttp", "boto3", "urllib3", "asyncio")
"""Loggers of libraries that write tokens and message bodies at DEBUG, some of them at INFO."""

_TEXT_IS_SAFE = (ImportError, NameError, SyntaxError)
"""Errors whose texts hold only names in the code, which the author of an app needs."""

ErrorInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def mask() -> None:
    """Raise the level of the libraries' loggers, and mask errors in logs for which nobody has set up a handler."""
    for name in CAPPED:
        logging.getLogger(name).setLevel(logging.WARNING)
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(MaskedFormatter())


def masked(error: BaseException | None, *, texts: bool = False) -> str:
    """Return the traceback of *error*, and of those in its group, without texts that may quote a value.

    With *texts* it is as Python prints it, safe for a terminal.
    """
    if error is None:
        return "unknown error"
    if texts:
        lines = "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
        return "\n".join(map(printable, lines))
    text = str(error) if isinstance(error, _TEXT_IS_SAFE) else own_text(error)
    name = f"{type(error).__name__}: {text}" if text else type(error).__name__
    trace = "".join([*traceback.format_tb(error.__traceback__), name])
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        trace = "\n".join([trace, *map(masked, group.exceptions)])
    return trace


class MaskedFormatter(logging.Formatter):
    """Formats tracebacks as `masked` does."""

    def __init__(self, *, texts: bool = False) -> None:
        super().__init__()
        self._texts = texts

    def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802 - logging's name
        """Return the traceback of the error."""
        return masked(ei[1], texts=self._texts)


def without_password(url: str) -> str:
    """Return *url* with its password starred."""
    # redis-py takes any of its arguments from the query, such as `ssl_password`.
    head, at, tail = re.sub(r"([?&][^=&]*password=)[^&]*", r"\1***", url, flags=re.IGNORECASE).rpartition("@")
    scheme, _, user = head.partition("://")
    return f"{scheme}://{user.split(':', 1)[0]}:***@{tail}" if at else tail
