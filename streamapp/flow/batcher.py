"""Group concurrent calls into one."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from operator import is_
from typing import Any, Generic, TypeVar

from anyio import TASK_STATUS_IGNORED, Event, Lock, create_task_group, move_on_after
from anyio.abc import TaskStatus

from streamapp.errors import StreamappError
from streamapp.flow.expected_items import ExpectedItems

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


class FlushAgain(StreamappError):
    """The outcome that a flush returns for an item that the next flush gets again, ahead of all newer items."""


AGAIN = FlushAgain()

_is_again = partial(is_, AGAIN)  # for each outcome of each flush: in C


class _Late(Exception):
    """An *item* that is flushed again; *over* is set once its *outcome* is known and *take* was called with it."""

    def __init__(self, item: Any, *, is_posted: bool) -> None:  # noqa: ANN401 - of the batcher's own type
        super().__init__()
        self.item = item
        self.is_posted = is_posted
        self.take: Callable[[Any], None] | None = None
        self.over = Event()
        self.outcome: Any = AGAIN

    async def result(self) -> Any:  # noqa: ANN401 - of the batcher's own type, or an exception
        """Return its outcome once that is known."""
        await self.over.wait()
        return self.outcome


class _Batch(Generic[T, R]):
    """Items that are flushed together; *over* is set once *outcomes* are known and *takers* were called with theirs.

    Items that come *again* are flushed with them, ahead of them. With *is_posted* nobody awaits some of the items, so
    failures must be logged here.
    """

    __slots__ = ("again", "is_posted", "items", "outcomes", "over", "takers", "weight")

    def __init__(self) -> None:
        self.again: Sequence[_Late] = ()
        self.items: list[T] = []
        self.weight = 0
        self.is_posted = False
        self.takers: list[tuple[int, Callable[[R | Exception], None]]] = []
        self.over = Event()
        self.outcomes: Sequence[R | Exception] = ()


class _Idle(Generic[T, R]):
    """A task that waits for the next *batch* to flush; it ends if *given* is set without one."""

    __slots__ = ("batch", "given")

    def __init__(self) -> None:
        self.batch: _Batch[T, R] | None = None
        self.given = Event()


def raised(outcomes: Sequence[R | Exception]) -> list[R]:
    """Return *outcomes*, or raise the first that is an exception."""
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes  # type: ignore[return-value]  # none of them is one


def windows(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Return *items* in order, at most *size* at a time."""
    if len(items) <= size:
        return (items,) if items else ()
    return (items[start : start + size] for start in range(0, len(items), size))


class OutcomesMissing(StreamappError):
    """A flush returned another number of outcomes than it was given items."""

    def __init__(self, name: str, items: int, outcomes: int) -> None:
        super().__init__(f"{name}: expected one outcome for each item, {items} in all, got {outcomes}")


class Batcher(Generic[T, R]):
    """Collect items and hand them to *flush* together.

    *flush* takes 1..*limit* items, whose weights add up to at most *max_weight*, and returns one outcome for each item, in
    order. An outcome that is an exception is raised for the caller that awaits that item. When *flush* itself raises,
    the exception is the outcome of all its items. An item whose outcome is `AGAIN` is flushed again, together with the
    next batch (which is then over its limit) and ahead of it: what its caller waits for does not keep the others of its
    batch waiting. That is for a batcher without weights that makes one flush at a time.

    A batch is what arrived while the last flush ran. A second flush begins beside the first only when a full batch
    waits; up to *parallel* flushes run at once. *linger* is how many seconds a batch that
    is not full waits for more items. It does not wait if none can come: *expected_items* is how many items can be
    in this batcher at the same time.
    """

    def __init__(
        self,
        flush: Callable[[list[T]], Awaitable[Sequence[R | Exception]]],
        *,
        name: str,
        limit: int,
        linger: float = 0.0,
        expected_items: ExpectedItems | None = None,
        parallel: int = 1,
        weigh: Callable[[T], int] = lambda _: 0,
        max_weight: int = 0,
    ) -> None:
        self._flush = flush
        self.name = name
        self._limit = limit
        self._linger = linger
        self._expected_items = expected_items or ExpectedItems()
        self._parallel = parallel
        self._weigh = weigh
        self._max_weight = max_weight
        self._waiting: deque[_Batch[T, R]] = deque()
        self._again: Sequence[_Late] = ()
        self._turns = Lock(fast_acquire=True)
        self._items_waiting = 0
        self._flying = 0
        self._items_flying = 0
        self._idle: list[_Idle[T, R]] = []
        # Set while `run` waits: until a flush should begin, or until a batch that lingers has all the items it waits for.
        self._asleep: Event | None = None
        self._lingering: Event | None = None
        self._closed = False

    def __len__(self) -> int:
        """How many items wait for a flush."""
        return self._items_waiting

    async def submit(self, item: T) -> R:
        """Return *item*'s own outcome once it is known, or raise it. If a caller is cancelled, its batch is flushed all the same."""
        batch, position = self._enter(item)
        await batch.over.wait()
        outcome = batch.outcomes[position]
        if isinstance(outcome, Exception):
            if isinstance(outcome, _Late):
                result: R = raised([await outcome.result()])[0]
                return result
            raise outcome
        return outcome

    async def submit_all(
        self, items: Sequence[T], takers: Sequence[Callable[[R | Exception], None]] = ()
    ) -> list[R | Exception]:
        """Return each item's own outcome, in order; items handed over together are flushed in that order.

        Each item's taker, if there are any, is called with its outcome as soon as that is known, also when the caller
        was cancelled meanwhile.
        """
        places = [self._enter(item) for item in items]
        for (batch, position), taker in zip(places, takers, strict=False):
            batch.takers.append((position, taker))
        outcomes: list[R | Exception] = []
        for batch, position in places:
            if not batch.over.is_set():
                await batch.over.wait()
            outcome = batch.outcomes[position]
            outcomes.append(await outcome.result() if type(outcome) is _Late else outcome)
        return outcomes

    async def submit_window(self, items: Sequence[T]) -> list[R | Exception]:
        """Return each outcome as `submit_all` does, for one of any number of windows that a caller hands over one by one.

        Full batches take turns, so that single items never wait for more than one of them.
        """
        if len(items) < self._limit:
            return await self.submit_all(items)
        async with self._turns:
            return await self.submit_all(items)

    def post(self, item: T) -> None:
        """Hand *item* over without waiting for its outcome; a failure is logged."""
        batch, _ = self._enter(item)
        batch.is_posted = True

    def close(self) -> None:
        """End `run` once everything that was handed over is flushed."""
        self._closed = True
        self._wake_up()
        if self._lingering is not None:
            self._lingering.set()

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Flush until closed and empty."""
        async with create_task_group() as flushers:
            task_status.started()
            while await self._something_to_flush():
                batch: _Batch[T, R] = self._waiting.popleft() if self._waiting else _Batch()
                batch.again, self._again = self._again, ()
                items = len(batch.again) + len(batch.items)
                self._items_waiting -= items
                self._flying += 1
                self._items_flying += items
                if self._parallel == 1:
                    await self._run(batch)
                elif self._idle:
                    idle = self._idle.pop()
                    idle.batch = batch
                    idle.given.set()
                else:
                    flushers.start_soon(self._flush_on, batch, name=f"flush {self.name}")
            for idle in self._idle:
                idle.given.set()

    async def _flush_on(self, batch: _Batch[T, R] | None) -> None:
        """Flush *batch* and those after it. A new task for each would cost as much as half a call of SQS."""
        while batch is not None:
            await self._run(batch)
            if self._closed:
                return
            idle: _Idle[T, R] = _Idle()
            self._idle.append(idle)
            await idle.given.wait()
            batch = idle.batch

    def _enter(self, item: T) -> tuple[_Batch[T, R], int]:
        """Put *item* into the last batch if that has room for it, else into a new one, and return its place."""
        weight = self._weigh(item) if self._max_weight else 0
        batch: _Batch[T, R] | None = self._waiting[-1] if self._waiting else None
        if (
            batch is None
            or len(batch.items) == self._limit
            or (weight and batch.weight + weight > self._max_weight)
        ):
            batch = _Batch()
            self._waiting.append(batch)
        batch.items.append(item)
        batch.weight += weight
        self._items_waiting += 1
        if self._asleep is not None:
            self._wake_up()
        elif self._lingering is not None and not self._has_company_to_come():
            self._lingering.set()
        return batch, len(batch.items) - 1

    async def _something_to_flush(self) -> bool:
        """Wait until a flush should begin, and return True; False once closed with nothing left to flush."""
        while not self._may_begin():
            if self._closed and not (self._waiting or self._again):
                return False
            asleep = self._asleep = Event()
            await asleep.wait()
        if self._linger and not (self._closed or self._again) and self._has_company_to_come():
            lingering = self._lingering = Event()
            with move_on_after(self._linger):
                await lingering.wait()
            self._lingering = None
        return True

    def _wake_up(self) -> None:
        if self._asleep is not None and (self._closed or self._may_begin()):
            self._asleep.set()
            self._asleep = None

    def _has_company_to_come(self) -> bool:
        return (
            not self._is_one_full()
            and self._items_waiting + self._items_flying < self._expected_items.expected
        )

    def _is_one_full(self) -> bool:
        return len(self._waiting) > 1 or self._items_waiting >= self._limit

    def _may_begin(self) -> bool:
        if not (self._waiting or self._again) or self._flying >= self._parallel:
            return False
        return not self._flying or self._is_one_full() or self._closed

    async def _run(self, batch: _Batch[T, R]) -> None:
        items = [*(late.item for late in batch.again), *batch.items] if batch.again else batch.items
        outcomes: Sequence[R | Exception]
        try:
            outcomes = await self._flush(items)
            if len(outcomes) != len(items):
                raise OutcomesMissing(self.name, len(items), len(outcomes))  # noqa: TRY301 - an error like flush's own
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits these items, not to this loop
            outcomes = [error] * len(items)
        finally:
            self._flying -= 1
            self._items_flying -= len(items)
            self._wake_up()
        if batch.again or any(map(_is_again, outcomes)):
            outcomes = self._flush_some_again(batch, outcomes)
        batch.outcomes = outcomes
        for position, take in batch.takers:
            take(outcomes[position])
        if batch.is_posted:
            self._complain(outcomes)
        batch.over.set()

    def _flush_some_again(
        self, batch: _Batch[T, R], outcomes: Sequence[R | Exception]
    ) -> Sequence[R | Exception]:
        """Keep the items to be flushed again, in order; tell the outcomes of those that came again, and return the others'."""
        again: list[_Late] = []
        for late, outcome in zip(batch.again, outcomes, strict=False):
            if outcome is AGAIN:
                again.append(late)
                continue
            late.outcome = outcome
            if late.take is not None:
                late.take(outcome)
            if late.is_posted:
                self._complain([outcome])
            late.over.set()
        rest = list(outcomes[len(batch.again) :])
        for position, item in enumerate(batch.items):
            if rest[position] is AGAIN:
                rest[position] = late = _Late(item, is_posted=batch.is_posted)
                again.append(late)
        takers, batch.takers = batch.takers, []
        for position, take in takers:
            outcome = rest[position]
            if isinstance(outcome, _Late):
                outcome.take = take
            else:
                batch.takers.append((position, take))
        self._again = again
        self._items_waiting += len(again)
        return rest

    def _complain(self, outcomes: Sequence[R | Exception]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, _Late):
                about = {"batcher": self.name}
                logger.error("a call that nobody awaits failed", extra=about, exc_info=outcome)
