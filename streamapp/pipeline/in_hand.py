"""What an agent has in hand: the deliveries of its events, and what these owe to the outside."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType

import msgspec
from anyio import get_cancelled_exc_class

from streamapp.errors import NotInEvent, Refused
from streamapp.flow.deadline import Deadline
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.runtime import Runtime
from streamapp.state.announcement import Announcement, Place
from streamapp.state.committer import Changed
from streamapp.state.done import Done
from streamapp_codecs import DecodeError


class InHand(msgspec.Struct, eq=False):
    """The deliveries whose events an agent is processing now, ended together when it asks for the next.

    *leases* come with why a part of their body could not be decoded, if one could not. *owed* are the
    announcements that must be sent before the deliveries are deleted, by their place. *updates* are those that were
    made, and *changes* counts those that changed something. *is_skipped* once the agent skipped an event,
    *is_batch* once more than one delivery was in hand, *is_cut* once the agent did not wait for an effect.
    """

    runtime: Runtime
    deadline: Deadline
    leases: dict[Lease, DecodeError | None] = {}
    owed: dict[Place, Announcement] = {}
    updates: list[Done] = []
    changes: int = 0
    is_skipped: bool = False
    is_batch: bool = False
    is_cut: bool = False

    def effect(self) -> "Effect":
        """Return a context for something that must be done before the deliveries are deleted."""
        return Effect(self)

    def note(self, table: str, key: str, event: object, changed: Changed) -> None:
        """Take over what an update did."""
        self.updates.append(Done(table, key, event, changed))
        self.changes += changed.is_new
        for it in changed.due:
            self.owed[it.place] = it

    def cause(self, event: object) -> str:
        """Return the id of the message that holds *event*, or was in hand alone when the agent made it; else ""."""
        if len(self.leases) == 1:
            lease = next(iter(self.leases))
        elif origins := self.origins(event):
            lease = origins[0][0]
        else:
            return ""
        return lease.delivery.message_id

    def origins(self, event: object) -> list[tuple[Lease, int]]:
        """Return the deliveries that hold *event*, and its places there; none for one that the agent made.

        There are several where a codec answers one object again and again, such as a member of an enum.
        """
        return [
            (lease, place)
            for lease in self.leases
            for place, one in enumerate(lease.decoded.events if lease.decoded else ())
            if one is event
        ]

    def blamed(self, refused: Mapping[Place, str]) -> dict[Lease, Refused]:
        """Return the deliveries whose events owed what SQS *refused*; all, where the agent made the event itself."""
        found: dict[Lease, Refused] = {}
        for done in self.updates:
            for it in done.changed.keeps:
                if it.place in refused and not it.is_adopted:
                    holders = [lease for lease, _ in self.origins(done.event)]
                    found |= dict.fromkeys(holders or self.leases, Refused(refused[it.place]))
        return found


class Effect:
    """Something that is being done for an agent; the agent's timeout does not run meanwhile."""

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


CURRENT: ContextVar[InHand | None] = ContextVar("in_hand", default=None)


def current_in_hand(what: object) -> InHand:
    """Return what the agent that is running now has in hand; *what* is used by it. Raises `NotInEvent`."""
    in_hand = CURRENT.get()
    if in_hand is None:
        raise NotInEvent(what)
    return in_hand
