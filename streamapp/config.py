"""The settings of one run: a flag, else the environment, else the default.

The fields of `Config` are the one table of settings: its errors, `.env.example` and docs/configuration.md come from it.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import tzinfo
from typing import Any, Literal, TypeVar, cast

from streamapp.setting_types import (
    Kind,
    address,
    choice,
    duration,
    level,
    redis,
    replicas,
    text,
    whole,
    zone,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: *parse* reads the text of *variable*, *default* is the text that stands for an unset one."""

    variable: str
    parse: Kind[Any]
    default: str
    meaning: str


def _setting(variable: str, parse: Kind[T], default: str, meaning: str) -> T:
    """Return a field that *variable* fills. Where *default* is empty, an unset one is None, so T must allow it."""
    unset = parse(variable, default) if default else cast("T", None)
    return field(default=unset, metadata={"setting": Setting(variable, parse, default, meaning)})


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, checked. Times are in seconds."""

    redis_url: str = _setting(
        "REDIS_URL",
        redis,
        "redis://localhost:6379/0",
        "where state is kept: one server, several of a cluster, or `redis+sentinel://` (docs/guarantees.md)",
    )
    key_prefix: str = _setting(
        "STREAMAPP_KEY_PREFIX",
        text,
        "streamapp:",
        "begins every key, so that several environments can share one Redis",
    )
    concurrency: int = _setting(
        "STREAMAPP_CONCURRENCY",
        whole(1, 10_000),
        "10",
        "messages that an agent has in hand at once, unless it is declared with another number",
    )
    wait_seconds: float = _setting(
        "STREAMAPP_WAIT_SECONDS",
        duration(0, 20),
        "10",
        "seconds for which SQS holds a request until there is a message (long poll), 0 to 20",
    )
    drain_timeout: float = _setting(
        "STREAMAPP_DRAIN_TIMEOUT",
        duration(0, 3600),
        "25",
        "seconds after SIGTERM to finish what is in hand; the rest is given back. Stay below the 30 s of ECS and Kubernetes",
    )
    max_attempts: int = _setting(
        "STREAMAPP_MAX_ATTEMPTS",
        whole(1, 997),
        "5",
        "attempts at a message that fails, each alone, before it goes to the dead-letter queue",
    )
    replicas: int = _setting(
        "STREAMAPP_DURABILITY",
        replicas,
        "local",
        "`local`, or `replicated:N`: N replicas must hold a change before it is announced",
    )
    naive_tz: tzinfo = _setting(  # noqa: RUF009 - it returns a field
        "STREAMAPP_NAIVE_TZ", zone, "UTC", "time zone of timestamps that carry none"
    )
    state_ttl: float = _setting(
        "STREAMAPP_STATE_TTL",
        duration(1, 3650 * 86400),
        "30d",
        "how long a state is kept after its last change; never deleted while an announcement is pending",
    )
    sqs_client: Literal["fast", "aioboto3"] = _setting(
        "STREAMAPP_SQS_CLIENT",
        choice("fast", "aioboto3"),
        "fast",
        "client for the calls that every message needs: `fast` is streamapp's own, `aioboto3` the AWS SDK's",
    )
    tap: Literal["on", "errors", "off"] = _setting(
        "STREAMAPP_TAP",
        choice("on", "errors", "off"),
        "on",
        "what workers write to the tap, the Redis streams that `tail` and `show` read: `on` all messages, `errors` failed ones",
    )
    tap_maxlen: int = _setting(
        "STREAMAPP_TAP_MAXLEN", whole(1, 100_000_000), "10000", "messages of each queue that the tap keeps"
    )
    http: str | None = _setting(
        "STREAMAPP_HTTP",
        address,
        "",
        "`HOST:PORT` of health, metrics and boards, `*:PORT` for all addresses of IPv4 and IPv6; unset is off",
    )
    log_level: str = _setting("LOG_LEVEL", level, "info", "least severe level that is logged")
    log_format: Literal["auto", "console", "json"] = _setting(
        "LOG_FORMAT",
        choice("auto", "console", "json"),
        "auto",
        "`auto`: console lines on a terminal, JSON lines elsewhere",
    )
    error_text: Literal["auto", "on", "off"] = _setting(
        "STREAMAPP_ERROR_TEXT",
        choice("auto", "on", "off"),
        "auto",
        "whether logs show the texts of errors that are not streamapp's own, which may quote a message: `auto` in console lines",
    )
    queues: Mapping[str, str] = field(default_factory=dict[str, str])
    """Queue URL or name by its variable, for streams whose variable is set."""

    @classmethod
    def load(cls, environ: Mapping[str, str], **flags: str | None) -> "Config":
        """Return the settings of *environ*, overridden by each *flag* (a field's name) that is not None.

        Raises `BadSetting`. An unknown STREAMAPP_* name is logged as a warning with the nearest match.
        """
        for unknown, hint in unknown_settings(environ):
            logger.warning("%s is not a setting of streamapp; %s", unknown, hint)
        values: dict[str, Any] = {"queues": _queues(environ)}
        for name, setting in SETTINGS.items():
            told = flags.get(name)
            if told is None:
                told = environ.get(setting.variable)
            if told is not None and (
                told := told.strip()
            ):  # what comes out of a secret often ends in a newline
                values[name] = setting.parse(setting.variable, told)
        return cls(**values)

    def queue(self, stream: str) -> str:
        """Return the URL or name of the queue behind *stream*: its variable's value, else its own name."""
        return self.queues.get(queue_variable(stream), stream)


def queue_variable(stream: str) -> str:
    """Return the variable that names the queue of *stream*: PEDIDO_QUEUE_URL for pedido-events.

    A shell can export it: what is no letter, digit or underscore is an underscore.
    """
    return re.sub("[^A-Z0-9_]", "_", stream.removesuffix("-events").upper()) + "_QUEUE_URL"


def _queues(environ: Mapping[str, str]) -> dict[str, str]:
    named = {name: value.strip() for name, value in environ.items() if name.endswith("_QUEUE_URL")}
    return {name: value for name, value in named.items() if value}


def unknown_settings(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each STREAMAPP_* name of *environ* that is not a setting, with the nearest one that is."""
    known = [it.variable for it in SETTINGS.values() if it.variable.startswith("STREAMAPP_")]
    unknown = [name for name in environ if name.startswith("STREAMAPP_") and name not in known]
    if not unknown:
        return []
    from difflib import get_close_matches  # noqa: PLC0415 - slow to import, and seldom needed

    near = [get_close_matches(name, known, n=1) for name in unknown]
    return [
        (name, f"did you mean {match[0]}?" if match else "unset it")
        for name, match in zip(unknown, near, strict=True)
    ]


SETTINGS: Mapping[str, Setting] = {
    it.name: it.metadata["setting"] for it in fields(Config) if "setting" in it.metadata
}
"""All settings of streamapp itself, by the field of `Config` that each one fills."""
