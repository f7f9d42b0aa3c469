"""What commands need before they begin: settings, the app, and open clients."""

import importlib
import os
import sys
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from streamapp.cli.terminal.masking import without_password
from streamapp.errors import ConfigError, Fault, ServiceError, StreamappError

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.redis.store import RedisStore
    from streamapp.redis.tap import RedisTap
    from streamapp.sqs.boto import BotoSqs

DEFAULT_APP = "streamapp_agents:app"


class AppNotFound(ConfigError):
    """`--app` does not name an app."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"--app {path}: {why}; expected MODULE:ATTR, such as {DEFAULT_APP}")


class AppBroken(ConfigError):
    """The module of `--app` raises while it is imported. Its text is shown, because the reader wrote that module."""

    def __init__(self, path: str, error: BaseException) -> None:
        text: object = error
        file, line, *_ = traceback.extract_tb(error.__traceback__)[-1]
        if isinstance(error, SyntaxError):  # the place in the source, not that of the import
            text, file, line = error.msg, error.filename or file, error.lineno or line
        super().__init__(f"--app {path}: {type(error).__name__}: {text} ({file}, line {line})")


def load_config(**flags: str | None) -> "Config":
    """Return the settings: *flags*, then the environment, then defaults."""
    from streamapp.config import Config  # noqa: PLC0415 - slow to import

    return Config.load(os.environ, **flags)


def load_app(path: str) -> "App":
    """Return the app at MODULE:ATTR. Modules in the current folder are found, too."""
    from streamapp.app import App  # noqa: PLC0415 - slow to import

    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise AppNotFound(path, "there is no colon between module and attribute")
    sys.path.insert(0, "")  # harmless if the current folder no longer exists
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


def sources_of(app: "App") -> list[str]:
    """Return the streams that the agents of *app* read."""
    return [agent.queue for agent in app.agents.values()]


@asynccontextmanager
async def open_sqs(*, polls: int = 1) -> "AsyncGenerator[BotoSqs]":
    """Open SQS as the environment says. An error inside names the endpoint."""
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
            raise ServiceError("SQS", error.fault, detail, error.code) from error


@asynccontextmanager
async def open_store(config: "Config") -> "AsyncGenerator[RedisStore]":
    """Open the state store in Redis, and check that it answers."""
    from streamapp.redis.store import open_redis  # noqa: PLC0415 - slow to import

    async with open_redis(config.redis_url, replicas=config.replicas) as store:
        await reach_redis(config, store.ping)
        yield store


async def reach_redis(config: "Config", ask: Callable[[], Awaitable[None]]) -> None:
    """Make the first call to Redis. The error of a Redis that does not answer names its address."""
    try:
        await ask()
    except ServiceError as error:
        raise ServiceError(
            "Redis",
            error.fault if error.fault is not Fault.SENDER else Fault.CONFIGURATION,
            f"{without_password(config.redis_url)} cannot be used: {error.detail}"
            if error.fault is Fault.CONFIGURATION
            else f"{without_password(config.redis_url)} does not answer ({error.detail}); "
            "start one, or set REDIS_URL",
        ) from error


@asynccontextmanager
async def open_taps(config: "Config") -> "AsyncGenerator[RedisTap]":
    """Open the tap: the streams in Redis from which viewers read. It connects at its first use."""
    from streamapp.redis.tap import open_tap  # noqa: PLC0415 - slow to import

    async with open_tap(config.redis_url, config.key_prefix) as taps:
        yield taps


def seconds_of(option: str, text: str | None) -> float | None:
    """Return the seconds that *text* means; None if *option* was not given. Raises `BadSetting`."""
    from streamapp.setting_types import BadSetting, seconds  # noqa: PLC0415 - slow to import

    try:
        return None if text is None else seconds(text)
    except ValueError as error:
        raise BadSetting(option, "seconds, as 5 or 1h30m", text or "") from error
