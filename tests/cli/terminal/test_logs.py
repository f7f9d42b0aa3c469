"""What a log tells of errors, and that an app cannot silence it."""

import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from streamapp.cli.terminal import logs
from streamapp.cli.terminal.masking import masked
from streamapp.config import Config
from streamapp.errors import MessageTooLarge
from streamapp.pipeline.in_hand import NoIdentity

SECRET = "39053344705"


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Give the process's logging back as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:], root.level, logging.raiseExceptions = before


def raised(error: Exception) -> Exception:
    """Return *error* with a traceback."""
    try:
        raise error  # noqa: TRY301 - for its traceback
    except Exception as caught:  # noqa: BLE001 - any kind
        return caught


@pytest.mark.parametrize(
    ("form", "error_text", "is_told"),
    [
        ("console", "auto", True),
        ("json", "auto", False),
        ("json", "on", True),
        ("console", "off", False),
    ],
)
def test_texts_of_other_errors_are_told_where_somebody_looks_or_asks(
    form: Literal["console", "json"],
    error_text: Literal["auto", "on", "off"],
    is_told: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who writes an app needs them, and a log that is kept must not hold customers."""
    logs.set_up(Config(log_format=form, error_text=error_text))
    cause = raised(LookupError(f"no {SECRET}"))

    logging.getLogger("streamapp.test").error(
        "it failed", exc_info=raised(ValueError(f"bad {SECRET}\x1b[2J"))
    )
    logging.getLogger("streamapp.test").error(
        "it failed", exc_info=ExceptionGroup("several", [cause, raised(NoIdentity("page"))])
    )

    written = capsys.readouterr().err
    assert (f"bad {SECRET}" in written) is is_told
    assert (f"no {SECRET}" in written) is is_told
    assert "declare the table with identity=" in written, "a cure of our own is always told"
    assert "\x1b" not in written
    assert "ValueError" in written
    assert "in raised" in written


def test_only_errors_of_streamapp_itself_are_told() -> None:
    """An app may derive from them, or raise their base, with a text of its own."""
    from streamapp.errors import StreamappError  # noqa: PLC0415 - beside its only use

    class Own(StreamappError):
        """An app's error."""

    assert "over its queue's limit" in masked(MessageTooLarge(5, 4))
    assert SECRET not in masked(Own(SECRET))
    assert SECRET not in masked(StreamappError(SECRET))


@pytest.mark.parametrize(
    "theirs",
    [
        {},
        {"root": {"level": "INFO"}},
        {"root": {"level": "INFO", "handlers": ["own"]}},
        {"loggers": {"theirs": {"level": "INFO", "handlers": ["own"]}}},
    ],
    ids=["nothing", "root without handlers", "root", "another logger"],
)
def test_an_app_that_configures_logging_does_not_silence_the_worker(
    theirs: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """`disable_existing_loggers` is true unless somebody knows of it."""
    log, config = logging.getLogger("streamapp.test"), Config(log_format="json")
    logs.set_up(config)

    handlers = {"own": {"class": "logging.StreamHandler"}} if theirs else {}
    logging.config.dictConfig({"version": 1, "handlers": handlers, **theirs})
    logs.restore(config)
    log.info("one")
    logging.config.dictConfig({"version": 1})
    log.info("two")

    assert [
        json.loads(line)["message"] if line.startswith("{") else line
        for line in capsys.readouterr().err.splitlines()
    ] == ["one", "two"]
