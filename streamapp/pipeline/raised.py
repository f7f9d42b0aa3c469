"""What an app's code raised, as the one error that ends its message."""

from collections.abc import Iterator, Sequence
from typing import cast

from anyio import get_current_task

from streamapp.errors import Decision, Refused, Reject, Retry, ServiceError, Skip, contained, tellable


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors of a group, however deep its groups are nested; *error* itself if it is no group."""
    waiting = [error]
    while waiting:
        error = tellable(waiting.pop())
        if isinstance(error, BaseExceptionGroup):
            waiting.extend(reversed(cast("BaseExceptionGroup[BaseException]", error).exceptions))
        else:
            yield error


def gravest(errors: Sequence[BaseException]) -> Exception:
    """Return the one of *errors* that decides: what an agent raises in a task group means what it means outside.

    A message is dead-lettered if any error says so (`Reject`, `Refused`). Otherwise it comes again: as after a failure,
    if there is one, else as after an outage, else as `Retry` says. It is skipped only if nothing but `Skip` was raised.
    Of two alike the first decides.
    """
    return contained(min(errors, key=_rank))


def plain(error: Exception) -> Exception:
    """Return *error*; for a `Reject` or a `Retry` one whose parts are what their types say.

    A subclass may set them to anything, or not at all. What its code raises is returned if they cannot be read.
    """
    try:
        if isinstance(error, Reject):
            return Reject(
                getattr(error, "reason", "rejected"), getattr(error, "detail", type(error).__name__)
            )
        if isinstance(error, Retry):
            after: object = getattr(error, "after", None)
            return Retry(None if after is None else float(cast("float", after)))
    except BaseException as bug:  # noqa: BLE001 - a property or a text of the app's own class
        return contained(bug)
    return error


def is_close(error: BaseException, task_id: int) -> bool:
    """Whether *error* closes the coroutine of a task whose event loop is gone: that task must not wait again."""
    if not isinstance(error, GeneratorExit):
        return False
    try:
        return get_current_task().id != task_id
    except RuntimeError:  # no event loop runs
        return True


def _rank(error: BaseException) -> int:
    if isinstance(error, (Reject, Refused)):
        return 0
    if isinstance(error, Skip):
        return 4
    if isinstance(error, Decision):
        return 3
    return 2 if isinstance(error, ServiceError) else 1
