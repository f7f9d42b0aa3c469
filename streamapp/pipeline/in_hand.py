"""What an agent has in hand: the deliveries of its events, and what these owe to the outside."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import msgspec
from anyio import get_cancelled_exc_class

from streamapp.errors import NotInEvent, Refused, StreamappError
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

MOST = 100
"""Updates of which all is noted, and announcements that wait for the end of their event. One event may change any number of
keys; of more than these only what is still needed is kept."""


class InHand(msgspec.Struct, eq=False):
    """The deliveries whose events an agent is processing now, ended together when it asks for the next.

    *leases* come with the error of a body of which a part could not be decoded. *owed* are the announcements, by their
    place, that must be sent before the deliveries are deleted. *updates* are those that were made, and *changed_count* counts
    those that changed something. If there are many, *owing* are those that are only noted for what they owe, and *refused*
    are the deliveries that owed what SQS has refused already. *is_skipped* once the agent skipped an event, *is_batch* once more than one delivery was
    in hand, *is_cut* once the agent was cancelled while it waited for an effect.
    """

    runtime: Runtime
    deadline: Deadline
    leases: dict[Lease, DecodeError | None] = {}
    owed: dict[Place, Announcement] = {}
    updates: list[Update] = []
    owing: list[Update] = []
    refused: dict[Lease, Refused] = {}
    changed_count: int = 0
    is_skipped: bool = False
    is_batch: bool = False
    is_cut: bool = False

    def effect(self) -> "PendingEffect":
        """Return a context for something that must be done before the deliveries are deleted."""
        return PendingEffect(self)

    async def update(self, folding: Folding, key: str, event: object) -> Any:  # noqa: ANN401 - the table's own type
        """Fold *event* into the state of *key*, and return that state once it is durable."""
        change = self._change(folding, key, event)
        with self.effect():
            changed = await self.runtime.changes.submit(change)
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
                outcomes = await self.runtime.changes.submit_window(changes)
            for (key, event), outcome in zip(window, outcomes, strict=True):
                if isinstance(outcome, Changed):
                    self._note(folding.name, key, event, outcome)
                    states.append(outcome.state)
                else:
                    states.append(outcome)
            if len(self.owed) >= MOST:
                await self._announce_now()
        return raised(states)

    def _change(self, folding: Folding, key: str, event: object) -> Change:
        self.runtime.store_use.is_used = True
        key = plain(key)
        return Change(
            folding,
            key,
            folding.keys_prefix(self.runtime.config.key_prefix) + key,
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
        # Viewers are told of the first keys that changed and, in a batch, of those of each message.
        if (
            len(self.updates) < MOST
            or (changed.is_new and self.changed_count <= EFFECTS)
            or (self.is_batch and self.origins(event))
        ):
            self.updates.append(Update(table, key, event, changed))
        elif changed.keeps:
            self.owing.append(Update(table, key, event, changed))

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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, get_cancelled_exc_class()):
            self._in_hand.is_cut = True
        self._in_hand.deadline.resume()


class NoIdentity(StreamappError):
    """A `once=True` table was given an event that is in no message in hand, or in several places."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"table {table!r} applies each event once, and tells events apart by the messages that hold them; for one "
            "that the agent made, or one object that stands for several events, declare the table with identity="
        )


CURRENT: ContextVar[InHand | None] = ContextVar("in_hand", default=None)
"""What the agent of this task has in hand; its `Turn` sets it, in the task of the instance."""


def current_in_hand(what: object) -> InHand:
    """Return what the running agent has in hand. Raises `NotInEvent` outside of an agent, where *what* was used."""
    in_hand = CURRENT.get()
    if in_hand is None:
        raise NotInEvent(what)
    return in_hand
