"""Permissions for messages in hand."""

from streamapp.flow.wakeup import Wakeup


class Tokens:
    """Permissions for messages in hand; whoever polls takes first and gives back what it did not use."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._given = Wakeup()

    async def take(self, most: int) -> int:
        """Return how many of 1..*most* were taken; waits for the first."""
        while self._free <= 0:
            await self._given.wait()
        taken = min(self._free, most)
        self._free -= taken
        return taken

    def give(self, number: int = 1) -> None:
        """Give *number* back."""
        self._free += number
        self._given.ring()
