"""FIFO queues: the messages of one group are processed one at a time, in order."""

from collections import deque
from collections.abc import Iterable

from anyio import Event

from streamapp.pipeline.leases import Lease


class FifoGroups:
    """Which lease may be processed now, and which ones wait behind it; a lease without a group never waits."""

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
        """Note that *lease* is done and deleted, and return the next of its group.

        That one may be lost. Its message comes again, so call `give_up` for it: those behind it may not pass it.
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

    def give_up(self, lease: Lease) -> list[Lease]:
        """Note that *lease* is not done, and return those that waited behind it: they must not come before it."""
        group = lease.delivery.group
        if group is None or self._first.get(group) is not lease:
            return []
        del self._first[group]
        return list(self._forget(group))

    async def nobody_waits(self) -> None:
        """Return when no lease waits behind another one; for one caller."""
        while self._behind:
            self._fewer_wait = Event()
            await self._fewer_wait.wait()

    def _forget(self, group: str) -> Iterable[Lease]:
        self._fewer_wait.set()
        return self._behind.pop(group, ())
