"""Typed state, one Redis hash a key."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from streamapp.declared.sink import Sink
from streamapp.errors import StreamappError
from streamapp.flow.batcher import raised
from streamapp.messages import Outgoing
from streamapp.pipeline.work import InHand, current_in_hand
from streamapp.state.committer import Change, Changed
from streamapp.state.dedupe import identity_of, shortened
from streamapp.state.hash_codec import HashCodec
from streamapp.state.keys import plain
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
        self.name: str = name
        self.record: HashCodec[Any] = HashCodec(of)
        self.fold: Callable[[Any, Any], Any] = fold
        self.expires = expires
        self._announce = announce
        self._sink = to
        self._once = once or identity is not None
        self._identity = identity

    def __repr__(self) -> str:
        return f"<Table {self.name}>"

    @property
    def sink_name(self) -> str | None:
        """The queue of its announcements."""
        return self._sink.queue if self._sink else None

    async def update(self, key: str, event: E) -> S | None:
        """Return the state of *key* after *event*, once that is durable.

        What the change announces is sent before the event's message is deleted. An event that changes nothing
        is a duplicate; it still sends what an earlier one left behind.
        """
        work = current_in_hand(self)
        with work.effect():
            changed = await work.runtime.changes.submit(self._change(work, key, event))
        work.note(self.name, key, event, changed)
        return changed.state  # type: ignore[no-any-return]  # fold's answer

    async def update_many(self, events: Sequence[tuple[str, E]]) -> list[S | None]:
        """Apply each event to its key, together; answer the states. Raises the first failure once all are through."""
        work = current_in_hand(self)
        changes = [self._change(work, key, event) for key, event in events]
        with work.effect():
            outcomes = await work.runtime.changes.submit_all(changes)
        for (key, event), outcome in zip(events, outcomes, strict=True):
            if isinstance(outcome, Changed):
                work.note(self.name, key, event, outcome)
        return [outcome.state for outcome in raised(outcomes)]

    async def get(self, key: str) -> S | None:
        """Return the state of *key* as committed now, None where there is none."""
        (state,) = await self.get_many([key])
        return state

    async def get_many(self, keys: Sequence[str]) -> list[S | None]:
        """Return the state of each key, in one round trip."""
        work = current_in_hand(self)
        prefix = work.runtime.config.key_prefix
        with work.timeout.paused():
            asked = [StateRequest(self.record, self.redis_key(prefix, key)) for key in keys]
            return raised(await work.runtime.lookup.reads.submit_all(asked))

    def redis_key(self, prefix: str, key: str) -> str:
        """Return where the state of *key* lives."""
        return self.start(prefix) + plain(key)

    def start(self, prefix: str) -> str:
        """Return how all its keys begin."""
        return f"{prefix}{self.name}:"

    def announcement(self, before: S | None, after: S | None, key: str) -> tuple[str, Outgoing] | None:
        """Return id and message of what a change says to the outside, or None."""
        if self._announce is None or self._sink is None:
            return None
        message = self._announce(before, after)
        return None if message is None else self._sink.outgoing(message, plain(key))

    def _change(self, work: InHand, key: str, event: E) -> Change:
        runtime = work.runtime
        max_bytes = runtime.outboxes[self._sink.queue].queue.max_bytes if self._sink else 0
        redis_key = self.redis_key(runtime.config.key_prefix, key)
        return Change(
            self, key, redis_key, event, max_bytes, work.cause(event), self._identity_of(work, event)
        )

    def _identity_of(self, work: InHand, event: E) -> str | None:
        if not self._once:
            return None
        if self._identity is not None:
            return shortened(self._identity(event))
        origins = work.origins(event)
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
