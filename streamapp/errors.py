"""All errors of streamapp, grouped by what the caller can do about them."""

import math
import signal
from collections.abc import Sequence
from enum import Enum
from typing import Any


class StreamappError(Exception):
    """The base class of all errors that streamapp raises on purpose."""


class ConfigError(StreamappError):
    """A setting, a declaration or a permission is wrong; the text says which, and how to correct it."""


class NotInEvent(StreamappError):
    """A table, sink or index was used while no event is being processed."""

    def __init__(self, what: object) -> None:
        super().__init__(
            f"{what!r} was used outside an agent: it reads and writes only for the event that an agent is processing"
        )


class EventOver(NotInEvent):
    """A table, sink or index was used by a task whose event had ended: its message may be deleted already."""

    def __init__(self, what: object) -> None:
        StreamappError.__init__(
            self,
            f"{what!r} was used after its event had ended; wait for the tasks that you start "
            "(`async with create_task_group()`) before the agent asks for its next event",
        )


class NotAwaited(StreamappError):
    """An agent called an update or a send, and asked for its next event without having begun to await it."""

    def __init__(self, what: object) -> None:
        super().__init__(f"a call of {what!r} was not awaited, so it did nothing; write `await` before it")


class TookTooLong(StreamappError):
    """An agent took longer over its messages than its timeout allows."""


class Panic(StreamappError):
    """An app's code raised something that is no ordinary `Exception`; it ends an attempt at a message, as any error does.

    That is what a panic in a Rust extension is, `sys.exit`, and an exception that raises when it is asked for its class.
    *cause* is what was raised.
    """

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__} was raised, which is no ordinary exception")
        self.cause = cause


def kind_of(error: Exception) -> str:
    """Return the name of what was raised."""
    return type(error.cause if isinstance(error, Panic) else error).__name__


def own_text(error: BaseException) -> str:
    """Return the text of an error of streamapp's own, which holds no value of a message; "" for any other."""
    kind = type(error)
    is_own = isinstance(error, StreamappError) and kind is not StreamappError
    return str(error) if is_own and kind.__module__.partition(".")[0] == "streamapp" else ""


def contained(error: BaseException) -> Exception:
    """Return what an app's code raised as an `Exception`: a `Panic` if it is none, or cannot be asked what it is.

    Raises Ctrl-C itself again.
    """
    if is_interrupt(error):
        raise error
    error = tellable(error)
    return error if isinstance(error, Exception) else Panic(error)


def is_interrupt(error: BaseException) -> bool:
    """Whether *error* is Ctrl-C itself, and not raised by code: a worker process takes that signal in another way."""
    return issubclass(type(error), KeyboardInterrupt) and _raises(signal.getsignal(signal.SIGINT))


def tellable(error: BaseException) -> BaseException:
    """Return *error*; a `Panic` for one of which `isinstance` cannot tell what it is, since its `__class__` raises."""
    try:
        isinstance(error, Panic)
    except BaseException:  # noqa: BLE001 - the app's code
        return Panic(error).with_traceback(error.__traceback__)
    return error


class CutOff(StreamappError):
    """An agent cancelled an update or a send, then continued: its message must not be deleted."""


class MessageTooLarge(StreamappError):
    """An outgoing message is over its queue's limit."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"a message of {size} bytes, attributes included, is over its queue's limit of {limit} bytes"
        )


class StateMutated(StreamappError):
    """The fold of a table changed the state that it was given, so that nobody can tell any more what an event changed."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"the fold of table {table!r} changed the state that it was given: nothing would be announced; return a new "
            "one (`msgspec.structs.replace(state, ...)`), and declare the state with `frozen=True` and tuples"
        )


class Refused(StreamappError):
    """SQS refused an outgoing message permanently: sending it again cannot help."""

    def __init__(self, code: str) -> None:
        super().__init__(f"SQS refused a message permanently: {code}")
        self.code = code


class Crowded(StreamappError):
    """A key has so many announcements *pending* that it takes no more until some of them are sent."""

    def __init__(self, key: str, pending: Sequence[Any] = ()) -> None:
        super().__init__(
            f"{key!r} has {len(pending)} announcements pending; it takes no more until they are sent"
        )
        self.pending = tuple(pending)


class Fault(Enum):
    """Classes of failures of SQS and Redis, by what to do about them."""

    TRANSIENT = "transient"
    """Wait with jitter and try again; it does not count as an attempt at a message."""
    CAPACITY = "capacity"
    """The server is full. Try again as for TRANSIENT, and alert somebody."""
    CREDENTIALS = "credentials"
    """The credentials or the clock are wrong. New credentials may come, so try again slowly."""
    CONFIGURATION = "configuration"
    """A queue or a permission is missing. At start this is fatal; later, try again after a long pause."""
    LEASE_LOST = "lease lost"
    """Another worker may have the message now: stop extending its visibility, and do not delete it."""
    SENDER = "sender"
    """The request itself is wrong; it will never succeed."""


class ServiceError(StreamappError):
    """A call to SQS or Redis failed; *fault* says what can be done about it.

    *code* is the service's own word for it, empty if there was no response or none that could be read.
    """

    def __init__(self, service: str, fault: Fault, detail: str, code: str = "") -> None:
        super().__init__(f"{service}: {detail}")
        self.service = service
        self.fault = fault
        self.detail = detail
        self.code = code

    @property
    def heals(self) -> bool:
        """Whether the same call can succeed later."""
        return self.fault in {Fault.TRANSIENT, Fault.CAPACITY, Fault.CREDENTIALS}


class TimedOut(ServiceError):
    """A call to SQS or Redis took longer than it may. That is an outage only if the service answers nothing else either.

    A message that needs the call is tried again *after* so many seconds, None: after the usual backoff.
    """

    def __init__(self, service: str, detail: str, *, after: float | None = None) -> None:
        super().__init__(service, Fault.TRANSIENT, detail)
        self.after = after


class Decision(Exception):
    """What an agent raises to decide how its message ends."""


class Retry(Decision):
    """Give the message back to its queue; it comes again after *after* seconds, or after the usual backoff.

    Raises `TypeError` or `ValueError` if *after* is not a number; this then fails the message.
    """

    def __init__(self, after: float | None = None) -> None:
        super().__init__(after)
        if after is not None and math.isnan(after):
            raise ValueError(after)
        self.after = after


class Reject(Decision):
    """Dead-letter the message now; *reason* is one word, *detail* says more but quotes no value of the message."""

    def __init__(self, reason: str, detail: str = "rejected by the agent") -> None:
        super().__init__(reason, detail)
        self.reason = _as_text(reason)
        self.detail = _as_text(detail)


class Skip(Decision):
    """Delete the message without any effect; *reason* says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _as_text(given: object) -> str:
    """Return *given*, which may be an exception, as text; half a character in it is replaced."""
    return str(given).encode(errors="replace").decode()


def _raises(handler: object) -> bool:
    """Whether *handler* is Python's own for Ctrl-C, or trio's; no other one raises `KeyboardInterrupt`."""
    return getattr(handler, "__module__", "").partition(".")[0] in {"_signal", "trio"}
