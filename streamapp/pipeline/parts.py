"""A batch that failed is tried again in smaller parts, until each message that fails does so alone."""

import math
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

    A part that fails is divided once its sibling was tried as well. If both failed in the same way, something else than
    a message may be the cause, so *is_pause_due* before they are divided further. That is one pause for all parts of
    one size, however many of them fail alike: else those that are good would wait for all that are not.
    """

    def __init__(self) -> None:
        self.waiting: deque[Part] = deque()
        self.current: Part | None = None
        self.is_pause_due = False
        self._smallest = math.inf

    @property
    def leases(self) -> list[Lease]:
        """All that wait."""
        return [lease for part in self.waiting for lease in part.leases]

    def begin(self) -> list[Lease]:
        """Return the messages of the next part, which is tried now."""
        self.is_pause_due = False
        self.current = self.waiting.popleft()
        return self.current.leases

    def add(self, leases: Sequence[Lease]) -> None:
        """Take *leases*, which are tried again together."""
        self.waiting.append(Part(leases))

    def done(self) -> None:
        """Note that the part that is tried now did not fail."""
        if self.current is not None:
            part, self.current = self.current, None
            self._end(part, "")

    def failed(self, leases: Sequence[Lease], failure: str) -> None:
        """Note that *leases* failed together, and in which way. More than one of them are tried again, in two parts."""
        if self.current is None and not self.waiting:
            self._smallest = math.inf
        part, self.current = self.current or Part(leases), None
        part.leases = list(leases)
        self._end(part, failure)

    def clear(self) -> list[Lease]:
        """Return all that wait, and forget it."""
        leases = self.leases
        self.waiting.clear()
        self.current, self.is_pause_due = None, False
        return leases

    def _end(self, part: Part, failure: str) -> None:
        part.failure = failure
        sibling = part.sibling
        if sibling is None:
            self._divide([part])
        elif sibling.failure is not None:
            self._divide([sibling, part])
            size = max(len(sibling.leases), len(part.leases))
            self.is_pause_due = bool(failure) and failure == sibling.failure and 1 < size < self._smallest
            if self.is_pause_due:
                self._smallest = size

    def _divide(self, parts: Sequence[Part]) -> None:
        halves: list[Part] = []
        for part in parts:
            if part.failure and len(part.leases) > 1:
                middle = len(part.leases) // 2
                first, second = Part(part.leases[:middle]), Part(part.leases[middle:])
                first.sibling, second.sibling = second, first
                halves += [first, second]
        self.waiting.extendleft(reversed(halves))
