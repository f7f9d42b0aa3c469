"""FIFO queues: the messages of one group are processed one at a time, in order."""

from collections import deque
from collections.abc import Iterable

from anyio import Event

from streamapp.pipeline.leases import Lease


class FifoGroups:
    """Who may be processed now, and who waits behind whom; a lease without a group waits for nobody."""

    def __init__(self) -> None:
        self._first: dict[str, Lease] = {}
        self._behind: dict[str, deque[Lease]] = {}
        self._fewer_wait = Event()

    def enter(self, lease: Lease) -> bool:
        """Whether *lease* may be processed now; otherwise it waits for those of its group before it."""
        group = lease.delivery.group
        if group is None:
            return True
        if group in self._first:
            self._behind.setdefault(group, deque()).append(lease)
            return False
        self._first[group] = lease
        return True

    def leave(self, lease: Lease) -> Lease | None:
        """*lease* is done, and deleted: answer whose turn is next.

        That one may be lost. It comes again, so it is to be abandoned, and not to be passed over.
        """
        group = lease.delivery.group
        if group is None or self._first.get(group) is not lease:
            return None
        del self._first[group]
        waiting = self._behind.get(group)
        if waiting is None:
            return None
        self._first[group] = waiting.popleft()
        if not waiting:
            self._forget(group)
        return self._first[group]

    def abandon(self, lease: Lease) -> list[Lease]:
        """*lease* is not done: answer those that waited behind it, which must not come before it."""
        group = lease.delivery.group
        if group is None or self._first.get(group) is not lease:
            return []
        del self._first[group]
        return list(self._forget(group))

    async def nobody_waits(self) -> None:
        """Return when nobody waits behind anybody; for one caller."""
        while self._behind:
            self._fewer_wait = Event()
            await self._fewer_wait.wait()

    def _forget(self, group: str) -> Iterable[Lease]:
        self._fewer_wait.set()
        return self._behind.pop(group, ())
