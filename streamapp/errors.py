"""What can go wrong, divided by what the caller can do about it."""

import math
from enum import Enum


class StreamappError(Exception):
    """The root of all errors that streamapp raises on purpose."""


class ConfigError(StreamappError):
    """A setting, a declaration or a right is wrong; the text says which, and how to mend it."""


class NotInEvent(StreamappError):
    """A table, sink or index was used where no event is being processed."""

    def __init__(self, what: object) -> None:
        super().__init__(
            f"{what!r} was used outside an agent: its reads and writes belong to the event an agent is processing"
        )


class TookTooLong(StreamappError):
    """An agent took longer over what it had than its timeout allows."""


class CutOff(StreamappError):
    """An agent went on although it had itself cut off an update, or a send, that its message must not go before."""


class MessageTooLarge(StreamappError):
    """An outgoing message is over its queue's limit."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"a message of {size} bytes, attributes counted, is over its queue's limit of {limit}"
        )


class Refused(StreamappError):
    """SQS refused an outgoing message for good: sending it again cannot help."""

    def __init__(self, code: str) -> None:
        super().__init__(f"SQS refused a message for good: {code}")
        self.code = code


class Crowded(StreamappError):
    """A key has so many announcements pending that it takes no more until the sink recovers."""

    def __init__(self, key: str, pending: int) -> None:
        super().__init__(f"{key!r} has {pending} announcements pending; it takes no more until they are sent")


class Fault(Enum):
    """Classes of failure of SQS and Redis, by what to do about them."""

    TRANSIENT = "transient"
    """Wait with jitter and try again; it never counts against a message."""
    CAPACITY = "capacity"
    """The server is full. As transient, and somebody must be told."""
    CREDENTIALS = "credentials"
    """Keys or the clock are wrong. A refresh may heal it, so try again slowly."""
    CONFIGURATION = "configuration"
    """A queue or a right is missing. Fatal at start, a long pause later."""
    LEASE_LOST = "lease lost"
    """Somebody else may hold the message now: stop extending it, do not delete it."""
    SENDER = "sender"
    """The request itself is wrong; it will never succeed."""


class ServiceError(StreamappError):
    """SQS or Redis did not do what it was asked; *fault* says what may help."""

    def __init__(self, service: str, fault: Fault, detail: str) -> None:
        super().__init__(f"{service}: {detail}")
        self.service = service
        self.fault = fault
        self.detail = detail

    @property
    def heals(self) -> bool:
        """Whether trying the same call again later can succeed."""
        return self.fault in {Fault.TRANSIENT, Fault.CAPACITY, Fault.CREDENTIALS}


class Decision(Exception):
    """What an agent raises to decide itself what becomes of its message."""


class Retry(Decision):
    """Give the message back; it comes again after *after* seconds, or after the usual backoff.

    Raises `TypeError` or `ValueError`, which then fail the message, for what is no number of seconds.
    """

    def __init__(self, after: float | None = None) -> None:
        super().__init__(after)
        if after is not None and math.isnan(after):
            raise ValueError(after)
        self.after = after


class Reject(Decision):
    """Dead-letter the message now; *reason* is one word, *detail* says more and holds no value of the message."""

    def __init__(self, reason: str, detail: str = "rejected by the agent") -> None:
        super().__init__(reason, detail)
        self.reason = _readable(reason)
        self.detail = _readable(detail)


class Skip(Decision):
    """Acknowledge the message without effect; *reason* says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _readable(given: object) -> str:
    """Return *given*, which may be an exception or hold half a character, as a text that can be written."""
    return str(given).encode(errors="replace").decode()
