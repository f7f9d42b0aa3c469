"""How long an agent may take over what it has in hand."""

import math
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from anyio import CancelScope, current_time

# Most agents have no timeout, so their events do not pay for one.
_UNLIMITED = nullcontext()


class Deadline:
    """Cancels an agent *seconds* after the last `start` (None: never); time in `paused` does not count."""

    def __init__(self, seconds: float | None) -> None:
        self._is_limited = seconds is not None
        self._seconds = math.inf if seconds is None else seconds
        self._scope: CancelScope | None = None
        self._left = math.inf
        self._deadline = math.inf
        self._pauses = 0

    @property
    def is_over(self) -> bool:
        """Whether the agent has taken longer than it may."""
        return current_time() >= self._deadline

    def watch(self, scope: CancelScope) -> None:
        """Cancel *scope* at the deadline from now on."""
        self._scope = scope

    def start(self) -> None:
        """Begin to count from now."""
        self._set(self._seconds)

    def stop(self) -> None:
        """Stop counting until the next start."""
        self._set(math.inf)

    def paused(self) -> AbstractContextManager[None]:
        """Return a context in which no time is counted: how long SQS and Redis take is not the agent's fault."""
        return self._paused() if self._is_limited else _UNLIMITED

    def pause(self) -> None:
        """Stop counting until `resume`. Pauses may overlap: time counts again after the last of them."""
        if self._is_limited:
            if not self._pauses:
                self._left = self._deadline - current_time()
                self._apply(math.inf)
            self._pauses += 1

    def resume(self) -> None:
        """End one pause."""
        if self._is_limited:
            self._pauses -= 1
            if not self._pauses:
                self._apply(current_time() + self._left)

    @contextmanager
    def _paused(self) -> Generator[None]:
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def _set(self, left: float) -> None:
        if not self._is_limited:
            return
        self._left = left
        if not self._pauses:
            self._apply(current_time() + left)

    def _apply(self, deadline: float) -> None:
        self._deadline = deadline
        if self._scope is not None:
            self._scope.deadline = deadline
