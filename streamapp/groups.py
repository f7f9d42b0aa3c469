"""FIFO queues: the messages of one group are processed one at a time, in order."""

from collections import deque

from streamapp.leases import Lease


class Groups:
    """Who may be processed now, and who waits behind whom; a lease without a group waits for nobody."""

    def __init__(self) -> None:
        self._first: dict[str, Lease] = {}
        self._behind: dict[str, deque[Lease]] = {}

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
        if not waiting:
            self._behind.pop(group, None)
            return None
        self._first[group] = waiting.popleft()
        return self._first[group]

    def abandon(self, lease: Lease) -> list[Lease]:
        """*lease* is not done: answer those that waited behind it, which must not come before it."""
        group = lease.delivery.group
        if group is None or self._first.get(group) is not lease:
            return []
        del self._first[group]
        return list(self._behind.pop(group, ()))

    def waiting(self) -> list[Lease]:
        """Take out everybody who waits behind somebody."""
        found = [lease for waiting in self._behind.values() for lease in waiting]
        self._behind.clear()
        return found
