"""Permissions for messages in hand."""

from anyio import Event


class Tokens:
    """One permission for each message in hand.

    A poll takes tokens before it receives, and gives back those that it did not use. Of several polls that wait, one
    takes all that there are: a semaphore would give each of them one, for receives of one message.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.free = total
        """How many are not taken."""
        self._given: Event | None = None

    async def take(self, most: int) -> int:
        """Take 1..*most* tokens and return how many; waits for the first."""
        while self.free <= 0:
            given = self._given = self._given or Event()
            await given.wait()
        taken = min(self.free, most)
        self.free -= taken
        return taken

    def give(self, number: int = 1) -> None:
        """Give *number* back."""
        self.free += number
        if self._given is not None:
            self._given.set()
            self._given = None
