"""A wake-up call for tasks that wait."""

from anyio import Event


class Wakeup:
    """Wakes all tasks that wait for it. Unlike an Event it does not stay set: a later waiter waits for the next `ring`."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: Event | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether a task has waited since the last `ring`."""
        return self._event is not None

    async def wait(self) -> None:
        """Return at the next `ring`."""
        if self._event is None:
            self._event = Event()
        await self._event.wait()

    def ring(self) -> None:
        """Wake the tasks that wait now. Usually none does; that costs next to nothing."""
        if self._event is not None:
            self._event.set()
            self._event = None
