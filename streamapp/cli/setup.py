"""What commands need before they can begin: settings, the app, and open clients."""

import importlib
import logging
import os
import re
import sys
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.errors import ConfigError, Fault, ServiceError, StreamappError

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.redis.store import RedisStore
    from streamapp.redis.tap import RedisTap
    from streamapp.sqs.boto import BotoSqs
    from streamapp.sqs.direct import DirectSqs

logger = logging.getLogger(__name__)

DEFAULT_APP = "streamapp_agents:app"

AppOption = Annotated[str, typer.Option(metavar="MODULE:ATTR", help="The application.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class AppNotFound(ConfigError):
    """`--app` names nothing that is an app."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"--app {path}: {why}; expected MODULE:ATTR, such as {DEFAULT_APP}")


class AppBroken(ConfigError):
    """The module of `--app` raises when it is imported; what it says is its author's own text."""

    def __init__(self, path: str, error: BaseException) -> None:
        said: object = error
        file, line, *_ = traceback.extract_tb(error.__traceback__)[-1]
        if isinstance(error, SyntaxError):  # it is where it stands, not where it was found
            said, file, line = error.msg, error.filename or file, error.lineno or line
        super().__init__(f"--app {path}: {type(error).__name__}: {said} ({file}, line {line})")


def load_config(**flags: str | None) -> "Config":
    """Return the settings: *flags*, then the environment, then defaults."""
    from streamapp.config import Config  # noqa: PLC0415 - slow to import

    return Config.load(os.environ, **flags)


def load_app(path: str) -> "App":
    """Return the app at MODULE:ATTR; modules are looked for in the current folder too."""
    from streamapp.app import App  # noqa: PLC0415 - slow to import

    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise AppNotFound(path, "there is no colon between module and attribute")
    sys.path.insert(0, "")  # which is harmless where the current folder is gone
    try:
        found = getattr(importlib.import_module(module_name), attribute, None)
    except ModuleNotFoundError as error:
        raise AppNotFound(path, f"there is no module {error.name!r}") from error
    except StreamappError:
        raise
    except (Exception, SystemExit) as error:
        raise AppBroken(path, error) from error
    if not isinstance(found, App):
        raise AppNotFound(path, f"{attribute!r} is {'missing' if found is None else 'not an App'}")
    return found


@asynccontextmanager
async def open_sqs(*, polls: int = 1) -> "AsyncGenerator[BotoSqs]":
    """Open SQS as the environment says. What does not answer is told with its endpoint."""
    from streamapp.sqs.boto import open_aws  # noqa: PLC0415 - slow to import

    async with open_aws(polls=polls) as sqs:
        try:
            yield sqs
        except ServiceError as error:
            if error.service != "SQS":
                raise
            detail = error.detail
            if error.heals and error.fault is not Fault.CREDENTIALS:
                detail = (
                    f"{sqs.endpoint} does not answer as it should ({detail}); "
                    "is it up, and AWS_ENDPOINT_URL_SQS right?"
                )
            elif "QueueDoesNotExist" in detail or "NonExistentQueue" in detail:
                queue = detail.partition(":")[0]
                detail = f"queue {queue} does not exist at {sqs.endpoint}; create the app's with: streamapp queues create"
            raise ServiceError("SQS", error.fault, detail) from error


@asynccontextmanager
async def open_calls(aws: "BotoSqs", client: str, *, polls: int = 1) -> "AsyncGenerator[BotoSqs | DirectSqs]":
    """Open what makes the calls that messages take: *client*, or the AWS client where only that knows the way."""
    route = aws.settings.route(aws.endpoint) if client == "fast" else None
    if route is not None:
        from streamapp.sqs.direct import open_direct  # noqa: PLC0415 - for workers only

        async with open_direct(aws, route, polls=polls) as fast:
            yield fast
    else:
        if client == "fast":
            logger.info("only the AWS client knows the way to the endpoint, so messages take it too")
        yield aws


@asynccontextmanager
async def open_store(config: "Config") -> "AsyncGenerator[RedisStore]":
    """Open Redis as *config* says, and find that it answers."""
    from streamapp.redis.store import open_redis  # noqa: PLC0415 - slow to import

    async with open_redis(config.redis_url, replicas=config.replicas) as store:
        await reach_redis(config, store.ping)
        yield store


async def reach_redis(config: "Config", ask: Callable[[], Awaitable[None]]) -> None:
    """Ask Redis for the first time; that it does not answer is told with its address."""
    try:
        await ask()
    except ServiceError as error:
        raise ServiceError(
            "Redis",
            error.fault if error.fault is not Fault.SENDER else Fault.CONFIGURATION,
            f"{without_password(config.redis_url)} does not answer ({error.detail}); "
            "start one, or set REDIS_URL",
        ) from error


@asynccontextmanager
async def open_taps(config: "Config") -> "AsyncGenerator[RedisTap]":
    """Open what viewers are told through; it connects when it is first used."""
    from streamapp.redis.tap import open_tap  # noqa: PLC0415 - slow to import

    async with open_tap(config.redis_url, config.key_prefix) as taps:
        yield taps


def without_password(url: str) -> str:
    """Return *url* with its password starred."""
    # A client may take any of its arguments there, such as `ssl_password`.
    head, at, tail = re.sub(r"([?&][^=&]*password=)[^&]*", r"\1***", url, flags=re.IGNORECASE).rpartition("@")
    scheme, _, user = head.partition("://")
    return f"{scheme}://{user.split(':', 1)[0]}:***@{tail}" if at else tail


def seconds_of(option: str, text: str | None) -> float | None:
    """Return the seconds that *text* of *option* means, None where it was not given."""
    from streamapp.setting_types import BadSetting, seconds  # noqa: PLC0415 - slow to import

    try:
        return None if text is None else seconds(text)
    except ValueError as error:
        raise BadSetting(option, "seconds, as 5 or 1h30m", text or "") from error


def queue_names(incomplete: str) -> list[str]:
    """Return the app's queues that begin so, for a shell to complete; AWS is not asked."""
    app = load_app(DEFAULT_APP)
    names = dict.fromkeys([*(agent.queue for agent in app.agents.values()), *app.sinks])
    return [name for name in names if name.startswith(incomplete)]


def board_names(incomplete: str) -> list[str]:
    """Return the app's boards that begin so, for a shell to complete."""
    return [board.name for board in load_app(DEFAULT_APP).extras.boards if board.name.startswith(incomplete)]
