"""What an agent has in hand: the deliveries of its events, and what these owe to the outside."""

import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import CORO_CREATED, getcoroutinestate
from types import TracebackType
from typing import Any, TypeVar

import msgspec
from anyio import Event, get_cancelled_exc_class, get_current_task
from anyio.lowlevel import checkpoint

from streamapp.errors import Crowded, EventOver, NotAwaited, NotInEvent, Refused, StreamappError
from streamapp.flow.batcher import raised, windows
from streamapp.flow.deadline import Deadline
from streamapp.pipeline.attempt import EFFECTS
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.runtime import Runtime
from streamapp.state.announcement import Announcement, Place
from streamapp.state.committer import FLUSH, Change, Changed
from streamapp.state.dedupe import identity_of, shortened
from streamapp.state.folding import Folding
from streamapp.state.keys import plain
from streamapp.state.update import Update
from streamapp_codecs import DecodeError

logger = logging.getLogger(__name__)

R = TypeVar("R")

TURNS = 3
"""Turns of the event loop within which a task that was started for a call has begun it."""

MOST = 100
"""Updates of which all is noted, and announcements that wait for the end of their event. One event may change any number of
keys; of more than these only what is still needed is kept."""


class InHand(msgspec.Struct, eq=False):
    """The deliveries whose events an agent is processing now, ended together when it asks for the next.

    *leases* come with the error of a body of which a part could not be decoded. *owed* are the announcements, by their
    place, that must be sent before the deliveries are deleted. *updates* are those that were made, and *changed_count* counts
    those that changed something. If there are many, *owing* are those that are only noted for what they owe, and *refused*
    are the deliveries that owed what SQS has refused already. *is_skipped* once the agent skipped an event, *is_batch* once
    more than one delivery was in hand, *is_cut* once the agent was cancelled while it waited for an effect. *decisions* are
    the agent's on single messages of a batch.

    *begun* are the updates and sends that the agent called, with what it called them on. *pending* is how many effects
    are under way. *is_closed* once nothing may be added, because the event has ended. Before that *ends* is set while an
    effect that nobody awaits is waited for; *failure* is what it raised. *seat* is where the next ones follow.
    """

    runtime: Runtime
    deadline: Deadline
    leases: dict[Lease, DecodeError | None] = {}
    owed: dict[Place, Announcement] = {}
    updates: list[Update] = []
    owing: list[Update] = []
    refused: dict[Lease, Refused] = {}
    changed_count: int = 0
    decisions: dict[Lease, Exception] = {}
    is_skipped: bool = False
    is_batch: bool = False
    is_cut: bool = False
    begun: list[tuple[Coroutine[Any, Any, object], object]] = []
    pending: int = 0
    is_closed: bool = False
    ends: Event | None = None
    failure: BaseException | None = None
    seat: "Seat | None" = None

    def effect(self) -> "PendingEffect":
        """Return a context for something that must be done before the deliveries are deleted."""
        return PendingEffect(self)

    def begin(self, coroutine: Coroutine[Any, Any, R], what: object) -> Coroutine[Any, Any, R]:
        """Return *coroutine*, which the agent must await before its event ends; *what* it was called on."""
        self.begun.append((coroutine, what))
        return coroutine

    def has_unfinished(self) -> bool:
        """Whether an effect is under way, or was called and never awaited."""
        for coroutine, _ in self.begun:
            if coroutine.cr_frame is not None:  # type: ignore[attr-defined]  # they are of `async def`
                return True
        return self.pending > 0

    async def finish(self) -> None:
        """Return when no effect is under way. Raises what one of them raised, or `NotAwaited`."""
        for _ in range(TURNS):
            if any(getcoroutinestate(coroutine) == CORO_CREATED for coroutine, _ in self.begun):
                await checkpoint()  # a task that was started for it may begin only now
        while self.pending:
            self.ends = Event()
            await self.ends.wait()
        failure, self.failure = self.failure, None
        idle = [(it, what) for it, what in self.begun if getcoroutinestate(it) == CORO_CREATED]
        self.begun.clear()
        for coroutine, _ in idle:
            coroutine.close()
        if failure is not None:
            raise failure
        if idle:
            raise NotAwaited(idle[0][1])

    async def update(self, folding: Folding, key: str, event: object) -> Any:  # noqa: ANN401 - the table's own type
        """Fold *event* into the state of *key*, and return that state once it is durable."""
        change = self._change(folding, key, event)
        with self.effect():
            while True:
                try:
                    changed = await self.runtime.changes.submit(change)
                    break
                except Crowded as crowded:
                    # Given back it would be received again for nothing: it waits in hand until the key has room.
                    await self.runtime.announcer.make_room(crowded.pending)
            self._note(folding.name, key, event, changed)
            if len(self.owed) >= MOST:
                await self._announce_now()
        return changed.state

    async def update_many(self, folding: Folding, events: Sequence[tuple[str, object]]) -> list[Any]:
        """Fold each event into its key, and return the states. Raises the first failure once all are done."""
        states: list[Any] = []
        for window in windows(events, FLUSH):
            changes = [self._change(folding, key, event) for key, event in window]
            with self.effect():
                outcomes = await self._submit_window(changes)
                for (key, event), outcome in zip(window, outcomes, strict=True):
                    if isinstance(outcome, Changed):
                        self._note(folding.name, key, event, outcome)
                        states.append(outcome.state)
                    else:
                        states.append(outcome)
                if len(self.owed) >= MOST:
                    await self._announce_now()
        return raised(states)

    async def _submit_window(self, changes: Sequence[Change]) -> list[Changed | Exception]:
        """Return the outcome of each change; those of keys that owe all they may wait in hand until there is room."""
        outcomes = await self.runtime.changes.submit_window(changes)
        while late := {n: it for n, it in enumerate(outcomes) if isinstance(it, Crowded)}:
            for crowded in late.values():
                await self.runtime.announcer.make_room(crowded.pending)
            again = await self.runtime.changes.submit_window([changes[n] for n in late])
            for n, outcome in zip(late, again, strict=True):
                outcomes[n] = outcome
        return outcomes

    def _change(self, folding: Folding, key: str, event: object) -> Change:
        self.runtime.store_use.is_used = True
        key = plain(key)
        return Change(
            folding,
            key,
            f"{self.runtime.config.key_prefix}{folding.name}:{key}",
            event,
            self.runtime.senders[folding.to.stream].queue if folding.to else None,
            self.cause(event),
            self._identity_of(folding, event) if folding.once else None,
        )

    def _identity_of(self, folding: Folding, event: object) -> str:
        if folding.identity is not None:
            return shortened(folding.identity(event))
        origins = self.origins(event)
        if len(origins) != 1:
            raise NoIdentity(folding.name)
        ((lease, position),) = origins
        return identity_of(lease.delivery.body, position)

    def _note(self, table: str, key: str, event: object, changed: Changed) -> None:
        """Note what an update did, and what must be sent for it."""
        self.changed_count += changed.is_new
        for it in changed.due:
            self.owed[it.place] = it
        origins = self.origins(event) if self.is_batch else []
        cause = origins[0][0].delivery.message_id if len(origins) == 1 else ""
        # Viewers are told of the first keys that changed and, in a batch, of those of each message.
        if len(self.updates) < MOST or (changed.is_new and self.changed_count <= EFFECTS) or origins:
            self.updates.append(Update(table, key, event, changed, cause))
        elif changed.keeps:
            self.owing.append(Update(table, key, event, changed, cause))

    async def _announce_now(self) -> None:
        """Send what is owed so far: kept until the event ends, it could be any amount."""
        owed, owing = list(self.owed.values()), len(self.owing)
        with self.effect():
            refused = await self.runtime.announcer.announce(owed)
        if refused:
            self.refused.update(self.blamed(refused))
        kept = next(iter(refused), None)  # so that the end of the event asks who is to blame
        for it in owed:
            if it.place != kept:
                self.owed.pop(it.place, None)
        del self.owing[:owing]

    def cause(self, event: object) -> str:
        """Return the id of the message that holds *event*, or that is the only one in hand; else ""."""
        if len(self.leases) == 1:
            lease = next(iter(self.leases))
        elif origins := self.origins(event):
            lease = origins[0][0]
        else:
            return ""
        return lease.delivery.message_id

    def origins(self, event: object) -> list[tuple[Lease, int]]:
        """Return the deliveries that hold *event*, with its place in each; none for an event that the agent made.

        There are several if a codec returns the same object again, such as a member of an enum.
        """
        return [
            (lease, place)
            for lease in self.leases
            for place, one in enumerate(lease.decoded.events if lease.decoded else ())
            if one is event
        ]

    def blamed(self, refused: Mapping[Place, str]) -> dict[Lease, Refused]:
        """Return the deliveries whose events owed what SQS *refused*; all deliveries if the agent made the event itself."""
        found = {lease: error for lease, error in self.refused.items() if lease in self.leases}
        for done in (*self.updates, *self.owing):
            for it in done.changed.keeps:
                if it.place in refused and not it.is_adopted:
                    holders = [lease for lease, _ in self.origins(done.event)]
                    found |= dict.fromkeys(holders or self.leases, Refused(refused[it.place]))
        return found


class PendingEffect:
    """A context in which something is done for an agent; the agent's timeout does not run meanwhile."""

    __slots__ = ("_in_hand",)

    def __init__(self, in_hand: InHand) -> None:
        self._in_hand = in_hand

    def __enter__(self) -> None:
        self._in_hand.deadline.pause()
        self._in_hand.pending += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        in_hand = self._in_hand
        if kind is not None and issubclass(kind, get_cancelled_exc_class()):
            in_hand.is_cut = True
        in_hand.deadline.resume()
        in_hand.pending -= 1
        if in_hand.ends is not None:
            if kind is not None and not in_hand.is_cut:
                # The agent has gone on, so nobody else fails the event.
                in_hand.failure = error
            if not in_hand.pending:
                in_hand.ends.set()


class NoIdentity(StreamappError):
    """A `once=True` table was given an event that is in no message in hand, or in several places."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"table {table!r} applies each event once, and tells events apart by the messages that hold them; for one "
            "that the agent made, or one object that stands for several events, declare the table with identity="
        )


CURRENT: ContextVar[InHand | None] = ContextVar("in_hand", default=None)
"""What the agent of this task has in hand; its `Turn` sets it, in the task of the instance."""


@dataclass(slots=True, eq=False)
class Seat:
    """What one instance of an agent has *in_hand*, one after the other; *task_id* is the task that it runs in."""

    task_id: int
    in_hand: InHand


def current_in_hand(what: object) -> InHand:
    """Return what the running agent has in hand. Raises `NotInEvent` outside of an agent, where *what* was used.

    That is `EventOver` in a task that an agent started at an earlier event.
    """
    in_hand = CURRENT.get()
    if in_hand is None:
        raise NotInEvent(what)
    return _following(in_hand, what) if in_hand.is_closed else in_hand


def _following(in_hand: InHand, what: object) -> InHand:
    """Return what the agent has in hand after *in_hand*, if the agent itself asks and not a task that it left behind.

    The context of the agent's task is not the newest if the agent asked for its event in another task.
    """
    seat = in_hand.seat
    if seat is None or get_current_task().id != seat.task_id or seat.in_hand.is_closed:
        # Whoever started the task may never look at its exception.
        logger.error("an agent's task goes on after its event", extra={"used": repr(what)})
        raise EventOver(what)
    return seat.in_hand
