"""Send announcements that were left unsent: if a message never comes back, no other message finds what it announced."""

import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from anyio import CancelScope, current_time, sleep

from streamapp.config import Config
from streamapp.errors import ServiceError
from streamapp.flow.backoff import spread
from streamapp.observe.counters import Counters
from streamapp.observe.quiet_log import QuietLog
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.backlog import Backlog, Owing, survey
from streamapp.state.folding import Folding
from streamapp.state.store import Commit, Confirmed, Store

logger = logging.getLogger(__name__)

CLAIM = "_sweeper:"
"""Begins, after the app's prefix, the key by which a worker claims the sweep of a table; the rest is the table's name."""


@dataclass(frozen=True, slots=True)
class SweepPace:
    """How often, and how gently, a worker sweeps; in seconds.

    *every* is between two sweeps, give or take a half, so that workers do not sweep together; of several workers one sweeps
    a table in that time, or two. What has been owed for less than *age* is left to the message that keeps it. *pause* is
    between two steps of a scan.
    """

    every: float = 300.0
    age: float = 120.0
    pause: float = 0.05

    @property
    def claim(self) -> float:
        """Seconds for which a sweep keeps others from sweeping the same table: less than a worker ever waits itself."""
        return 0.45 * self.every


class Sweeper:
    """Sends, from time to time, what the tables have owed for long, and confirms it.

    Every worker has one. It claims each table before it scans it, so that a scan of a million keys is not made by every
    worker. The claim only saves work, and ends by itself: what two of them find is announced twice, with one id. With
    replicas to wait for, nothing is sent before they have the hash that owes it.
    """

    def __init__(
        self,
        foldings: Iterable[Folding],
        store: Store,
        announcer: Announcer,
        counters: Counters,
        config: Config,
        pace: SweepPace,
    ) -> None:
        self._foldings = list(foldings)
        self._store = store
        self._announcer = announcer
        self._counters = counters
        self._config = config
        self._pace = pace
        self._pausing = CancelScope()
        self._scope = CancelScope()
        self._is_stopped = False
        self._claimed: list[Folding] = []
        self._claimed_at = 0.0
        self.backlog: Backlog | None = None
        """What the last sweep found before it sent any of it; None before the first, and after one by another worker.

        A sweep that still sends may stand still at a queue that takes nothing: what it found is in here if it is older.
        """
        self._found = Backlog()
        self._quiet_log = QuietLog(logger)

    async def run(self) -> None:
        """Sweep until stopped. The first sweep comes early, because a worker may not live until a second one."""
        wait = random.uniform(0, self._pace.every)  # noqa: S311 - jitter, not a secret
        with self._scope:
            while not self._is_stopped:
                with CancelScope() as self._pausing:
                    await sleep(wait)
                if not self._is_stopped:
                    await self._try()
                wait = spread(self._pace.every)

    def stop(self, deadline: float) -> None:
        """Begin no further sweep; what is being sent may take until *deadline* (monotonic time)."""
        self._is_stopped = True
        self._pausing.cancel("the worker drains")
        self._scope.deadline = deadline

    async def sweep(self) -> Backlog:
        """Scan everything once, send and confirm what is old, and return what was owed before."""
        self.backlog = await self._sweep(self._foldings, self._send_old)
        return self.backlog

    async def _sweep(
        self, foldings: Iterable[Folding], found: Callable[[Sequence[Owing]], Awaitable[None]]
    ) -> Backlog:
        self._found = Backlog()
        return await survey(self._store, foldings, self._config, pause=self._pace.pause, found=found)

    async def _claim(self, folding: Folding, *, again: bool = False) -> bool:
        key = f"{self._config.key_prefix}{CLAIM}{folding.name}"
        return await self._store.claim(key, self._pace.claim, again=again)

    async def _send_while_claimed(self, owing: Sequence[Owing]) -> None:
        """Do what `_send_old` does, and keep the claims while the scan lasts."""
        if current_time() - self._claimed_at > self._pace.claim / 3:
            self._claimed_at = current_time()
            for folding in self._claimed:
                await self._claim(folding, again=True)
        await self._send_old(owing)

    async def _try(self) -> None:
        try:
            self._claimed = [it for it in self._foldings if it.stream is not None and await self._claim(it)]
            self._claimed_at = current_time()
            if self._claimed:
                self.backlog = await self._sweep(self._claimed, self._send_while_claimed)
            else:
                self.backlog = None
        except ServiceError as error:
            logger.warning("a sweep was cut short; the next one will do", extra={"reason": error.detail})

    async def _send_old(self, owing: Sequence[Owing]) -> None:
        idle = [Confirmed(each.key, ttl=each.ttl) for each in owing if not each.pending and each.ttl]
        if idle:
            # A crash before a confirmation can leave a hash that owes nothing and yet never expires.
            await self._store.confirm(idle)
        limit = time.time() - self._pace.age
        old = [each for each in owing if any(it.at < limit for it in each.pending)]
        if old and self._config.replicas:
            old = await self._proven(old)
        self._found = self._found.plus(owing)
        if self.backlog is None or self._found.since < self.backlog.since:
            self.backlog = self._found
        for each in old:
            await self._send(each, limit)

    async def _send(self, owing: Owing, limit: float) -> None:
        announcements = [it for it in owing.pending if it.at < limit]
        sentence = "announcements were left owed; sending them now"
        about = {"key": owing.key, "announcements": len(announcements)}
        self._quiet_log.log(logging.WARNING, sentence, "", **about)
        # What is refused is parked, and has been logged.
        refused = await self._announcer.announce(announcements)
        self._counters.add(
            self._announcer.queue_name(announcements[0]), "swept", len(announcements) - len(refused)
        )

    async def _proven(self, owing: Sequence[Owing]) -> list[Owing]:
        """Return the hashes in *owing* that the replicas have too and that did not change meanwhile."""
        commits = [Commit(it.key, it.token, os.urandom(12).hex(), {}, keep=True, ttl=it.ttl) for it in owing]
        outcomes = await self._store.commit(commits)
        return [it for it, outcome in zip(owing, outcomes, strict=True) if outcome is True]
