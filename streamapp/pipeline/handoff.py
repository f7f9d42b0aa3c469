"""From the polls of a queue to the agents that work on its messages: order within groups is kept here."""

import itertools
import math
from collections import deque
from heapq import heappop, heappush

from anyio import CancelScope, Semaphore, current_time
from anyio.lowlevel import checkpoint

from streamapp.flow.wakeup import Wakeup
from streamapp.pipeline.fifo import FifoGroups
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.tokens import Tokens

LENT = 9
"""Leases that may wait with their tokens lent, for each token that there is: SQS gives up to ten messages of one group
at once, of which nine wait."""

LEAST_LENT = 100
"""As many may wait with their tokens lent however few tokens there are: a message of each of many groups may wait for its
next attempt, and none of them holds a place of another group."""

IN_A_ROW = 10
"""Leases that are taken before others have a turn of the loop: agents that never wait must not keep it."""


class Handoff:
    """Hands each lease to one taker, in the order in which leases and takers came.

    On a *fifo* queue the next lease of a group is handed over when the one before it is done. Tokens bound how many
    leases wait here, so `put` itself never waits. A call that finds leases which nobody will take returns them: its
    caller gives them back.
    """

    def __init__(self, *, fifo: bool = False, tokens: Tokens | None = None) -> None:
        self._ready: deque[Lease] = deque()
        # One permit for each lease: a taker needs one. Waiting for a permit costs half of waiting for an event.
        self._permits = Semaphore(0, fast_acquire=True)
        self._groups = FifoGroups() if fifo else None
        self._tokens = tokens or Tokens(0)
        self._lent = 0
        self._most_lent = max(LENT * self._tokens.total, LEAST_LENT if self._tokens.total else 0)
        self._waiting_to_retry: list[tuple[float, int, Lease]] = []
        self._retries = itertools.count()
        self._wake = Wakeup()
        self._gathered = 0
        self._gathering: set[CancelScope] = set()
        self._taken = 0
        self._last_turn = math.inf
        self._is_stopped = self._is_closed = self._is_abandoned = False

    def put(self, lease: Lease) -> list[Lease]:
        """Hand *lease* over, now or when it is the first of its group. Return the leases that nobody will take."""
        if self._groups is not None and not self._groups.enter(lease):
            self._lend(lease)
            return []
        return self._offer(lease)

    def retry_in_hand(self, lease: Lease, after: float) -> list[Lease]:
        """Hand *lease*, which stays the first of its group, over again *after* seconds; return it if none will take it.

        Given back it would be received again, and so would those behind it, which are not to blame.
        """
        if self._is_stopped or self._is_abandoned:
            return [lease]
        self._lend(lease)
        heappush(self._waiting_to_retry, (current_time() + after, next(self._retries), lease))
        self._wake.ring()
        return []

    async def run(self) -> None:
        """Hand over again what waits for its next attempt, each lease at its time; until cancelled."""
        while True:
            if not self._waiting_to_retry:
                await self._wake.wait()
                continue
            due = self._waiting_to_retry[0][0]
            if due > current_time():
                with CancelScope(deadline=due):
                    await self._wake.wait()
                continue
            _, _, lease = heappop(self._waiting_to_retry)
            self._take_place(lease)
            self._ready.append(lease)
            self._permits.release()

    def done(self, lease: Lease) -> list[Lease]:
        """Note that the message of *lease* is deleted: the next of its group follows. Return the leases that nobody will take."""
        following = self._groups.leave(lease) if self._groups is not None else None
        if following is None:
            return []
        self._take_place(following)
        return [following] if current_time() > self._last_turn else self._offer(following)

    def give_up(self, lease: Lease) -> list[Lease]:
        """Note that the message of *lease* comes again. Return the leases behind it, which must not come before it."""
        if self._groups is None:
            return []
        followers = self._groups.give_up(lease)
        for follower in followers:
            self._end_loan(follower)
        return followers

    async def take(self) -> Lease | None:
        """Return the next lease, None when no more will come."""
        self._taken += 1
        if not self._taken % IN_A_ROW:
            await checkpoint()
        if self._permits.value:
            self._permits.acquire_nowait()
        elif not self._is_closed:
            await self._permits.acquire()
        return self._ready.popleft() if self._ready else None

    async def take_company(self, held: int, until: float) -> Lease | None:
        """Return the next lease for a batch of so many; None when no more will come by *until* (monotonic).

        None comes sooner if all places are in batches that wait: then nothing can come before one of them goes on.
        """
        if self._permits.value or self._is_closed:
            with CancelScope(deadline=until):  # another may take what is there first
                return await self.take()
            return None
        self._gathered += held
        scope = CancelScope(deadline=until)
        self._gathering.add(scope)
        try:
            if self._gathered >= self._tokens.total > 0:
                for each in self._gathering:
                    each.cancel("no place is left for company")
            with scope:
                return await self.take()
        finally:
            self._gathered -= held
            self._gathering.discard(scope)
        return None

    @property
    def is_closed(self) -> bool:
        """Whether nothing more comes."""
        return self._is_closed

    def stop(self, last_turn: float) -> list[Lease]:
        """Hand over only to agents that wait, from now on. Return the leases that nobody has taken.

        Leases that wait in a group may still follow until *last_turn* (monotonic time).
        """
        self._is_stopped = True
        self._last_turn = last_turn
        return self._take_back()

    async def nobody_waits(self) -> None:
        """Return when no lease waits behind another one of its group; for one caller."""
        if self._groups is not None:
            await self._groups.nobody_waits()

    def close(self) -> None:
        """Note that nothing more comes: takers get what is there, then None."""
        self._is_closed = True
        for _ in range(self._permits.statistics().tasks_waiting):
            self._permits.release()

    def no_more_takers(self) -> list[Lease]:
        """Note that nobody takes any more, and return what is left."""
        self._is_abandoned = True
        return self._take_back()

    def _offer(self, lease: Lease) -> list[Lease]:
        # Once stopped, a lease goes to an agent that waits, or back: to come again would count against it.
        if self._is_abandoned or (self._is_stopped and not self._permits.statistics().tasks_waiting):
            return [lease]
        self._ready.append(lease)
        self._permits.release()
        return []

    def _lend(self, lease: Lease) -> None:
        """Lend the token of a lease that waits, so that it holds no place of another group."""
        if not lease.is_lent and self._lent < self._most_lent:
            lease.is_lent = True
            self._lent += 1
            self._tokens.give()

    def _take_place(self, lease: Lease) -> None:
        """Take the token of a lease back, which goes on; others may have it, then there is one fewer for the next poll."""
        if lease.is_lent:
            lease.is_lent = False
            self._lent -= 1
            if not lease.is_lost:
                self._tokens.free -= 1

    def _end_loan(self, lease: Lease) -> None:
        """Note that a lease ends while its token is lent: others keep it, and it is not given back."""
        if lease.is_lent:
            self._lent -= 1

    def _take_back(self) -> list[Lease]:
        rest: list[Lease] = []
        while self._permits.value:
            self._permits.acquire_nowait()
            if (
                self._ready
            ):  # a taker that `close` woke and that was cancelled leaves a permit without a lease
                rest.append(self._ready.pop())
        later = [lease for _, _, lease in self._waiting_to_retry]
        self._waiting_to_retry.clear()
        for lease in later:
            self._end_loan(lease)
        return rest[::-1] + later
