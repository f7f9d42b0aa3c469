"""Permissions for messages in hand."""

from anyio import Semaphore


class Tokens:
    """One permission for each message in hand. A poll takes tokens before it receives, and gives back those that it did not use."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = Semaphore(total, fast_acquire=True)

    @property
    def free(self) -> int:
        """How many are not taken."""
        return self._free.value

    async def take(self, most: int) -> int:
        """Take 1..*most* tokens and return how many; waits for the first."""
        await self._free.acquire()
        taken = 1
        while taken < most and self._free.value:
            self._free.acquire_nowait()
            taken += 1
        return taken

    def give(self, number: int = 1) -> None:
        """Give *number* back."""
        for _ in range(number):
            self._free.release()
