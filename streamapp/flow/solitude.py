"""Many work side by side, or one works alone."""

from streamapp.flow.wakeup import Wakeup


class Solitude:
    """Counts who is at work; one that asks to be alone waits for the others, and they wait for it.

    `enter` and `leave` are for the many, `enter_alone` and `leave_alone` for the one. While *is_taken* is False,
    `enter` returns without waiting, so a caller may change *working* itself instead, which costs less.
    """

    __slots__ = ("_changed", "is_taken", "working")

    def __init__(self) -> None:
        self.working = 0
        self.is_taken = False
        self._changed = Wakeup()

    async def enter(self) -> None:
        """Begin to work, once nobody is alone or waits to be."""
        while self.is_taken:
            await self._changed.wait()
        self.working += 1

    def leave(self) -> None:
        """End work that was begun by `enter`."""
        self.working -= 1
        self.ring()

    def ring(self) -> None:
        """Tell the one that waits to be alone that *working* has changed."""
        self._changed.ring()

    async def enter_alone(self) -> None:
        """Begin to work alone, once all others have ended theirs."""
        while self.is_taken:
            await self._changed.wait()
        self.is_taken = True
        try:
            while self.working:
                await self._changed.wait()
        except BaseException:
            self.leave_alone()
            raise

    def leave_alone(self) -> None:
        """End work that was begun by `enter_alone`."""
        self.is_taken = False
        self._changed.ring()
