"""The settings of one run: flags first, then the environment, then defaults."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Literal

from streamapp import setting_types as reading

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, checked. Times are in seconds."""

    redis_url: str = "redis://localhost:6379/0"
    """Where state lives: `redis://`, `rediss://` for TLS, `unix://` for a socket, `redis+sentinel://`. From REDIS_URL."""
    key_prefix: str = "streamapp:"
    """Begins every key, so that several environments can share one Redis."""
    concurrency: int = 10
    """Messages in hand per agent, unless the agent says otherwise."""
    wait_seconds: float = 10
    """Long poll, 0..20."""
    drain_timeout: float = 25
    """From SIGTERM until what is unfinished is given back; below the 30 s of ECS and Kubernetes."""
    max_attempts: int = 5
    """Receives before a failing message is dead-lettered."""
    replicas: int = 0
    """Replicas that must hold a commit before it is announced; 0 is STREAMAPP_DURABILITY=local."""
    naive_tz: tzinfo = UTC
    """Zone of timestamps that carry none."""
    state_ttl: float = 30 * 86400.0
    """How long state outlives its last change, never while an announcement is pending."""
    sqs_client: Literal["fast", "aioboto3"] = "fast"
    """Whose calls messages take: fast is streamapp's own, aioboto3 the AWS client's."""
    tap: Literal["on", "errors", "off"] = "on"
    """What the worker tells viewers about each message."""
    tap_maxlen: int = 10_000
    """Records that a queue's tap keeps."""
    http: str | None = None
    """HOST:PORT of health, metrics and board; unset is off."""
    log_level: str = "INFO"
    """Least severe level that is logged."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """auto: console on a terminal, else JSON lines."""
    queues: Mapping[str, str] = field(default_factory=dict[str, str])
    """Queue URL or name by the stream's name, for streams whose variable is set."""

    @classmethod
    def load(cls, environ: Mapping[str, str], **flags: str | None) -> "Config":
        """Return the settings of *environ*, overridden by each *flag* (a field's name) that is not None.

        Raises `BadSetting`. An unknown STREAMAPP_* name is logged as a warning with the nearest match.
        """
        for unknown, hint in unknown_settings(environ):
            logger.warning("%s is not a setting of streamapp; %s", unknown, hint)
        values: dict[str, Any] = {"queues": _queues(environ)}
        for name, setting in SETTINGS.items():
            text = flags.get(name)
            if text is None:
                text = environ.get(setting.variable)
            if text is not None and text != "":
                values[name] = setting.parse(setting.variable, text)
        return cls(**values)

    def queue(self, stream: str) -> str:
        """Return the URL or name of the queue behind *stream*: its variable's value, else its own name."""
        return self.queues.get(queue_variable(stream), stream)


def queue_variable(stream: str) -> str:
    """Return the variable that names the queue of *stream*: PEDIDO_QUEUE_URL for pedido-events."""
    return stream.removesuffix("-events").replace("-", "_").upper() + "_QUEUE_URL"


def _queues(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.endswith("_QUEUE_URL") and value}


def unknown_settings(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each STREAMAPP_* name of *environ* that means nothing, with a hint at what may have been meant."""
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


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: *variable* holds it, *parse* reads it (and raises `BadSetting`), *default* is its text if unset."""

    variable: str
    parse: reading.Parse
    default: str
    meaning: str


SETTINGS: Mapping[str, Setting] = {
    "redis_url": Setting(
        "REDIS_URL",
        reading.redis,
        "redis://localhost:6379/0",
        "one server, several of a cluster, or `redis+sentinel://` (docs/guarantees.md)",
    ),
    "key_prefix": Setting(
        "STREAMAPP_KEY_PREFIX",
        reading.text,
        "streamapp:",
        "begins every key: several environments in one Redis",
    ),
    "concurrency": Setting(
        "STREAMAPP_CONCURRENCY",
        reading.whole(1, 10_000),
        "10",
        "messages in hand per agent, unless the agent says otherwise",
    ),
    "wait_seconds": Setting("STREAMAPP_WAIT_SECONDS", reading.duration(0, 20), "10", "long poll, 0..20"),
    "drain_timeout": Setting(
        "STREAMAPP_DRAIN_TIMEOUT",
        reading.duration(0, 3600),
        "25",
        "seconds after SIGTERM until what is unfinished is given back",
    ),
    "max_attempts": Setting(
        "STREAMAPP_MAX_ATTEMPTS",
        reading.whole(1, 997),
        "5",
        "receives before a failing message is dead-lettered",
    ),
    "replicas": Setting(
        "STREAMAPP_DURABILITY",
        reading.replicas,
        "local",
        "`local`, or `replicated:N`: N replicas have a commit before it is announced",
    ),
    "naive_tz": Setting("STREAMAPP_NAIVE_TZ", reading.zone, "UTC", "zone of timestamps that carry none"),
    "state_ttl": Setting(
        "STREAMAPP_STATE_TTL",
        reading.duration(1, 3650 * 86400),
        "30d",
        "after the last change, never while an announcement is pending",
    ),
    "sqs_client": Setting(
        "STREAMAPP_SQS_CLIENT",
        reading.choice("fast", "aioboto3"),
        "fast",
        "whose calls messages take: `fast` is streamapp's own, `aioboto3` the AWS client's",
    ),
    "tap": Setting(
        "STREAMAPP_TAP",
        reading.choice("on", "errors", "off"),
        "on",
        "what the worker tells viewers: `on`, `errors`, `off`",
    ),
    "tap_maxlen": Setting(
        "STREAMAPP_TAP_MAXLEN", reading.whole(1, 100_000_000), "10000", "records that a queue's tap keeps"
    ),
    "http": Setting(
        "STREAMAPP_HTTP", reading.address, "", "`HOST:PORT` of health, metrics and board; unset is off"
    ),
    "log_level": Setting("LOG_LEVEL", reading.level, "info", "least severe level that is logged"),
    "log_format": Setting(
        "LOG_FORMAT",
        reading.choice("auto", "console", "json"),
        "auto",
        "`auto`: console lines on a terminal, JSON lines elsewhere",
    ),
}
"""All settings of streamapp itself, by the field of `Config` that each one fills."""
