"""Typed state, one Redis hash a key."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from streamapp.declared.sink import Sink
from streamapp.errors import StreamappError
from streamapp.flow.batcher import raised
from streamapp.pipeline.in_hand import InHand, current_in_hand
from streamapp.state.committer import Change, Changed
from streamapp.state.dedupe import identity_of, shortened
from streamapp.state.folding import Folding
from streamapp.state.hash_codec import HashCodec
from streamapp.state.reads import StateRequest

S = TypeVar("S", bound=msgspec.Struct)
E = TypeVar("E")


class Table(Generic[S, E]):
    """State of type S by key, changed by events of type E.

    *fold* answers the state after an event from the one before it (None: no state), *announce* what the
    change says to the outside. Both are pure: they may run again when somebody else's change came first.

    With *once* an event is folded into a key once, though it may come again: its identity is kept in the hash, by
    the same commit, for 30 days and among the last 1,000. That identity is what *identity* answers (which implies
    *once*), or the hash of the message's body and the event's place in it: neither changes when the message comes
    again, or back from a dead-letter queue. Two messages with one body are then one event.
    """

    def __init__(
        self,
        name: str,
        of: type[S],
        *,
        fold: Callable[[S | None, E], S | None],
        announce: Callable[[S | None, S | None], Any] | None = None,
        to: Sink[Any] | None = None,
        expires: bool = True,
        once: bool = False,
        identity: Callable[[E], str] | None = None,
    ) -> None:
        destination = to.destination if to else None
        self.folding = Folding(name, HashCodec(of), fold, announce, destination, expires)
        """How events change its states."""
        self._once = once or identity is not None
        self._identity = identity

    def __repr__(self) -> str:
        return f"<Table {self.name}>"

    @property
    def name(self) -> str:
        """What it is called."""
        return self.folding.name

    async def update(self, key: str, event: E) -> S | None:
        """Return the state of *key* after *event*, once that is durable.

        What the change announces is sent before the event's message is deleted. An event that changes nothing
        is a duplicate; it still sends what an earlier one left behind.
        """
        in_hand = current_in_hand(self)
        with in_hand.effect():
            changed = await in_hand.runtime.changes.submit(self._change(in_hand, key, event))
        in_hand.note(self.name, key, event, changed)
        return changed.state  # type: ignore[no-any-return]  # fold's answer

    async def update_many(self, events: Sequence[tuple[str, E]]) -> list[S | None]:
        """Apply each event to its key, together; answer the states. Raises the first failure once all are through."""
        in_hand = current_in_hand(self)
        changes = [self._change(in_hand, key, event) for key, event in events]
        with in_hand.effect():
            outcomes = await in_hand.runtime.changes.submit_all(changes)
        for (key, event), outcome in zip(events, outcomes, strict=True):
            if isinstance(outcome, Changed):
                in_hand.note(self.name, key, event, outcome)
        return [outcome.state for outcome in raised(outcomes)]

    async def get(self, key: str) -> S | None:
        """Return the state of *key* as committed now, None where there is none."""
        (state,) = await self.get_many([key])
        return state

    async def get_many(self, keys: Sequence[str]) -> list[S | None]:
        """Return the state of each key, in one round trip."""
        in_hand = current_in_hand(self)
        prefix = in_hand.runtime.config.key_prefix
        with in_hand.deadline.paused():
            asked = [StateRequest(self.folding.hash_codec, self.redis_key(prefix, key)) for key in keys]
            return raised(await in_hand.runtime.lookup.reads.submit_all(asked))

    def redis_key(self, prefix: str, key: str) -> str:
        """Return where the state of *key* is kept in Redis."""
        return self.folding.redis_key(prefix, key)

    def _change(self, in_hand: InHand, key: str, event: E) -> Change:
        runtime, folding = in_hand.runtime, self.folding
        queue = runtime.outboxes[folding.to.stream].queue if folding.to else None
        redis_key = folding.redis_key(runtime.config.key_prefix, key)
        return Change(
            folding, key, redis_key, event, queue, in_hand.cause(event), self._identity_of(in_hand, event)
        )

    def _identity_of(self, in_hand: InHand, event: E) -> str | None:
        if not self._once:
            return None
        if self._identity is not None:
            return shortened(self._identity(event))
        origins = in_hand.origins(event)
        if len(origins) != 1:
            raise NoIdentity(self.name)
        ((lease, position),) = origins
        return identity_of(lease.delivery.body, position)


class NoIdentity(StreamappError):
    """A table that applies each event once was given one that no message in hand holds, or that several places do."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"table {table!r} applies each event once, and knows an event that the agent's stream brought by its "
            "message; for one that the agent made, or one object that stands for several events, declare the table "
            "with identity="
        )
