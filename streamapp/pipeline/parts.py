"""A batch that failed is tried again in smaller parts, until each message that fails does so alone."""

from collections import deque
from collections.abc import Sequence

from streamapp.pipeline.leases import Lease


class Part:
    """Some messages of a batch that failed; *sibling* has the others. *failure* is how it failed, "" once it is done."""

    __slots__ = ("failure", "leases", "sibling")

    def __init__(self, leases: Sequence[Lease]) -> None:
        self.leases = list(leases)
        self.sibling: Part | None = None
        self.failure: str | None = None


class Parts:
    """The parts of failed batches that wait to be tried again, in order.

    A part that fails is divided once its sibling was tried as well. *alike* counts how often in a row both failed in
    the same way: then something else than a message is probably the cause, and a pause is due.
    """

    def __init__(self) -> None:
        self.waiting: deque[Part] = deque()
        self.current: Part | None = None
        self.alike = 0

    @property
    def leases(self) -> list[Lease]:
        """All that wait."""
        return [lease for part in self.waiting for lease in part.leases]

    def begin(self) -> list[Lease]:
        """Return the messages of the next part, which is tried now."""
        self.current = self.waiting.popleft()
        return self.current.leases

    def add(self, leases: Sequence[Lease]) -> None:
        """Let *leases* be tried again together."""
        self.waiting.append(Part(leases))

    def done(self) -> None:
        """Note that the part that is tried now did not fail."""
        if self.current is not None:
            part, self.current = self.current, None
            self._end(part, "")

    def failed(self, leases: Sequence[Lease], failure: str) -> None:
        """Note that *leases* failed together, and in which way. More than one of them are tried again, in two parts."""
        part, self.current = self.current or Part(leases), None
        part.leases = list(leases)
        self._end(part, failure)

    def clear(self) -> list[Lease]:
        """Return all that wait, and forget it."""
        leases = self.leases
        self.waiting.clear()
        self.current = None
        return leases

    def _end(self, part: Part, failure: str) -> None:
        part.failure = failure
        sibling = part.sibling
        if sibling is None:
            self._divide([part])
        elif sibling.failure is not None:
            is_alike = bool(failure) and failure == sibling.failure
            self.alike = self.alike + 1 if is_alike else 0
            self._divide([sibling, part])

    def _divide(self, parts: Sequence[Part]) -> None:
        halves: list[Part] = []
        for part in parts:
            if part.failure and len(part.leases) > 1:
                middle = len(part.leases) // 2
                first, second = Part(part.leases[:middle]), Part(part.leases[middle:])
                first.sibling, second.sibling = second, first
                halves += [first, second]
        self.waiting.extendleft(reversed(halves))
