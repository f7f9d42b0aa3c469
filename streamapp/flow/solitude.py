"""Many work side by side, or one works alone."""

from anyio import CancelScope, current_time

from streamapp.flow.wakeup import Wakeup

LONGEST = 10.0
"""Seconds that one waits at most to be alone, and then is: what ends a process does so soon, and all messages of a worker
wait for it."""


class Solitude:
    """Counts who is at work; one that asks to be alone waits for the others, and they wait for it.

    After `LONGEST` seconds it waits for them no more, and after as many again they work beside it.
    `enter` and `leave` are for the many, `enter_alone` and `leave_alone` for the one. While *is_taken* is False,
    `enter` returns without waiting, so a caller may change *working* itself instead, which costs less.
    """

    __slots__ = ("_alone", "_changed", "_until", "is_taken", "working")

    def __init__(self) -> None:
        self.working = 0
        self.is_taken = False
        self._alone = 0
        self._until = 0.0
        self._changed = Wakeup()

    async def enter(self) -> None:
        """Begin to work, once nobody is alone or waits to be."""
        while self.is_taken:
            with CancelScope(deadline=self._until):
                await self._changed.wait()
            if current_time() >= self._until:
                self.is_taken = False
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
        while self._alone:
            await self._changed.wait()
        self._alone += 1
        self.is_taken, self._until = True, current_time() + LONGEST
        try:
            with CancelScope(deadline=self._until):
                while self.working:
                    await self._changed.wait()
            self._until = current_time() + LONGEST
        except BaseException:
            self.leave_alone()
            raise

    def leave_alone(self) -> None:
        """End work that was begun by `enter_alone`."""
        self._alone -= 1
        self.is_taken = False
        self._changed.ring()
