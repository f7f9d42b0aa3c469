"""Permissions for messages in hand."""

from streamapp.flow.wakeup import Wakeup


class Tokens:
    """One permission for each message in hand; a poll takes some first, and gives back what it did not use."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._given = Wakeup()

    async def take(self, most: int) -> int:
        """Take 1..*most* tokens and return how many; waits for the first."""
        while self._free <= 0:
            await self._given.wait()
        taken = min(self._free, most)
        self._free -= taken
        return taken

    def give(self, number: int = 1) -> None:
        """Give *number* back."""
        self._free += number
        self._given.ring()
