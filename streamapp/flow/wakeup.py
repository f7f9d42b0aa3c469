"""A wake-up call for whoever waits."""

from anyio import Event


class Wakeup:
    """Wakes all that wait for it. It keeps nothing: who comes later waits for the next time."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: Event | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether somebody has waited since it was last rung."""
        return self._event is not None

    async def wait(self) -> None:
        """Return when it is next rung."""
        if self._event is None:
            self._event = Event()
        await self._event.wait()

    def ring(self) -> None:
        """Wake those who wait now; where nobody does, which is the rule, that costs next to nothing."""
        if self._event is not None:
            self._event.set()
            self._event = None
