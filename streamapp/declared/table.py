"""Typed state, one Redis hash for each key."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from streamapp.declared.sink import Sink
from streamapp.flow.batcher import raised, windows
from streamapp.pipeline.in_hand import current_in_hand
from streamapp.state.folding import Folding
from streamapp.state.hash_codec import HashCodec
from streamapp.state.reads import LIMIT, StateRequest

S = TypeVar("S", bound=msgspec.Struct)
E = TypeVar("E")


class Table(Generic[S, E]):
    """State of type S by key, changed by events of type E.

    *fold* returns the state after an event from the state before it (None: no state), *announce* what the change tells
    the outside. Both are pure: if another worker changed the key meanwhile, it is read and folded again.

    With *once* an event that comes again is not folded again. The same commit that applies it keeps its identity in the
    hash, for 30 days and among the last 1,000. *identity* returns that identity (and implies *once*); by default it is
    the hash of the message's body and the event's place in it. Neither changes when the message comes again, or back
    from a dead-letter queue. Two messages with the same body are then one event.
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
        by_identity = once or identity is not None
        self.folding = Folding(
            name, HashCodec(of), fold, announce, destination, expires, by_identity, identity
        )
        """How events change its states."""

    def __repr__(self) -> str:
        return f"<Table {self.name}>"

    @property
    def name(self) -> str:
        """What it is called."""
        return self.folding.name

    def update(self, key: str, event: E) -> Coroutine[Any, Any, S | None]:
        """Return the state of *key* after *event*, once that is durable.

        What the change announces is sent before the event's message is deleted. An event that changes nothing is a
        duplicate; what an earlier one had left unsent is sent all the same.
        """
        in_hand = current_in_hand(self)
        return in_hand.begin(in_hand.update(self.folding, key, event), self)

    def update_many(self, events: Sequence[tuple[str, E]]) -> Coroutine[Any, Any, list[S | None]]:
        """Apply each event to its key, together, and return the states. Raises the first failure once all are done.

        There may be any number: they are applied a hundred at a time, and changes of other agents come in between.
        """
        in_hand = current_in_hand(self)
        return in_hand.begin(in_hand.update_many(self.folding, events), self)

    async def get(self, key: str) -> S | None:
        """Return the state of *key* as it is committed now, None if there is none."""
        (state,) = await self.get_many([key])
        return state

    async def get_many(self, keys: Sequence[str]) -> list[S | None]:
        """Return the state of each key, in one round trip for each hundred."""
        in_hand = current_in_hand(self)
        in_hand.runtime.store_use.is_used = True
        prefix = in_hand.runtime.config.key_prefix
        with in_hand.deadline.paused():
            asked = [StateRequest(self.folding.hash_codec, self.redis_key(prefix, key)) for key in keys]
            states: list[Any] = []
            for window in windows(asked, LIMIT):
                states += await in_hand.runtime.lookup.reads.submit_window(window)
            return raised(states)

    def redis_key(self, prefix: str, key: str) -> str:
        """Return where the state of *key* is kept in Redis."""
        return self.folding.redis_key(prefix, key)
