"""Group concurrent calls into one."""

import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from anyio import TASK_STATUS_IGNORED, Event, create_task_group, move_on_after
from anyio.abc import TaskStatus

from streamapp.errors import StreamappError

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class _Wait:
    """Somebody who awaits so many calls."""

    left: int
    over: Event = field(default_factory=Event)


@dataclass(slots=True, eq=False)
class _Call(Generic[T, R]):
    item: T
    weight: int
    wait: _Wait | None
    outcome: R | Exception | None = None


def raised(outcomes: Sequence[R | Exception]) -> list[R]:
    """Answer *outcomes*, or raise the first that is an exception."""
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes  # type: ignore[return-value]  # none of them is one


class OutcomesMissing(StreamappError):
    """A flush answered another number of outcomes than it was given items."""

    def __init__(self, name: str, items: int, outcomes: int) -> None:
        super().__init__(f"{name}: expected one outcome an item, {items} in all, got {outcomes}")


class Batcher(Generic[T, R]):
    """Collect items and hand them to *flush* together.

    *flush* takes 1..*limit* items, whose weights add up to at most *max_weight*, and answers one outcome an
    item, in order; an outcome that is an exception is raised to whoever awaits that item. When *flush* itself
    raises, all its items have that exception for an outcome.

    A batch is what arrived while the last flush ran, and no flush is under way without a reason: a second one
    begins beside the first only when a full batch waits, up to *parallel*. *linger* is how many seconds a batch
    that is not full waits for company, if any can come: *in_hand* answers how many items there can be in all, those
    that wait or fly included, so that nobody waits for nobody.
    """

    def __init__(
        self,
        flush: Callable[[list[T]], Awaitable[Sequence[R | Exception]]],
        *,
        name: str,
        limit: int,
        linger: float = 0.0,
        in_hand: Callable[[], float] = lambda: math.inf,
        parallel: int = 1,
        weigh: Callable[[T], int] = lambda _: 0,
        max_weight: int = 0,
    ) -> None:
        self._flush = flush
        self.name = name
        self._limit = limit
        self._linger = linger
        self._in_hand = in_hand
        self._parallel = parallel
        self._weigh = weigh
        self._max_weight = max_weight
        self._waiting: deque[_Call[T, R]] = deque()
        self._flying = 0
        self._items_flying = 0
        self._wake = Event()
        self._full = Event()
        self._closed = False

    def __len__(self) -> int:
        """How many items wait for a flush."""
        return len(self._waiting)

    async def submit(self, item: T) -> R:
        """Answer *item*'s own outcome once it is known, or raise it; a cancelled caller leaves the batch whole."""
        wait = _Wait(1)
        call = self._enter(item, wait)
        await wait.over.wait()
        if isinstance(call.outcome, Exception):
            raise call.outcome
        return call.outcome  # type: ignore[return-value]  # set before the wait is over

    async def submit_all(self, items: Sequence[T]) -> list[R | Exception]:
        """Answer each item's own outcome, in order; items handed over together are flushed in that order."""
        if not items:
            return []
        wait = _Wait(len(items))
        calls = [self._enter(item, wait) for item in items]
        await wait.over.wait()
        return [call.outcome for call in calls]  # type: ignore[misc]  # as above

    def post(self, item: T) -> None:
        """Hand *item* over without waiting for its outcome, which is *flush*'s to deal with."""
        self._enter(item, None)

    def close(self) -> None:
        """Let `run` return once what has been handed over is flushed."""
        self._closed = True
        self._wake.set()
        self._full.set()

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Flush until closed and empty."""
        async with create_task_group() as flushes:
            task_status.started()
            while await self._something_to_flush():
                batch = self._cut()
                self._flying += 1
                self._items_flying += len(batch)
                if self._parallel == 1:
                    await self._run(batch)
                else:
                    flushes.start_soon(self._run, batch, name=f"flush {self.name}")

    def _enter(self, item: T, wait: _Wait | None) -> _Call[T, R]:
        call: _Call[T, R] = _Call(item, self._weigh(item), wait)
        self._waiting.append(call)
        self._wake.set()
        if self._linger and not self._has_company_to_come():
            self._full.set()
        return call

    async def _something_to_flush(self) -> bool:
        """Wait until a flush should begin; False once closed with nothing left to begin."""
        while not self._may_begin():
            if self._closed and not self._waiting:
                return False
            self._wake = Event()
            await self._wake.wait()
        if self._linger and not self._closed and self._has_company_to_come():
            self._full = Event()
            with move_on_after(self._linger):
                await self._full.wait()
        return True

    def _has_company_to_come(self) -> bool:
        waiting = len(self._waiting)
        return waiting < self._limit and waiting + self._items_flying < self._in_hand()

    def _may_begin(self) -> bool:
        if not self._waiting or self._flying >= self._parallel:
            return False
        return not self._flying or len(self._waiting) >= self._limit or self._closed

    def _cut(self) -> list[_Call[T, R]]:
        """Take the next batch off the queue: at least one item, as many as the limits allow."""
        batch: list[_Call[T, R]] = []
        weight = 0
        while self._waiting and len(batch) < self._limit:
            weight += self._waiting[0].weight
            if batch and self._max_weight and weight > self._max_weight:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _run(self, batch: list[_Call[T, R]]) -> None:
        try:
            outcomes = await self._flush([call.item for call in batch])
            if len(outcomes) != len(batch):
                raise OutcomesMissing(self.name, len(batch), len(outcomes))  # noqa: TRY301 - an error like flush's own
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits these items, not to this loop
            outcomes = [error] * len(batch)
        finally:
            self._flying -= 1
            self._items_flying -= len(batch)
            self._wake.set()
        for call, outcome in zip(batch, outcomes, strict=True):
            call.outcome = outcome
            if call.wait is not None:
                call.wait.left -= 1
                if not call.wait.left:
                    call.wait.over.set()
            elif isinstance(outcome, Exception):
                logger.error(
                    "a call that nobody awaits failed", extra={"batcher": self.name}, exc_info=outcome
                )
