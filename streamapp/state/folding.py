"""How events change the states of one table, as the table declares it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamapp.messages import Outgoing
from streamapp.state.destination import Destination
from streamapp.state.hash_codec import HashCodec
from streamapp.state.keys import plain


@dataclass(frozen=True, slots=True)
class Folding:
    """How events change the states of the table *name*.

    *hash_codec* turns a state into a hash and back. *fold* returns the state after an event from the state before it;
    None is no state. *announce* returns what a change announces, or None; that goes *to* a queue. A hash of a
    table that *expires* outlives its last change by the state's TTL only. With *once* each event is folded into a key
    once, by what *identity* returns for it or, without that, by the message that holds it.
    """

    name: str
    hash_codec: HashCodec[Any]
    fold: Callable[[Any, Any], Any]
    announce: Callable[[Any, Any], Any] | None = None
    to: Destination | None = None
    expires: bool = True
    once: bool = False
    identity: Callable[[Any], str] | None = None

    @property
    def stream(self) -> str | None:
        """The stream of the table's announcements, None if it makes none."""
        return self.to.stream if self.to else None

    def announcement(self, before: object, after: object, key: str) -> tuple[str, Outgoing] | None:
        """Return identity and message of what a change announces, or None; *key* is as spelled in Redis."""
        if self.announce is None or self.to is None:
            return None
        said = self.announce(before, after)
        return None if said is None else self.to.outgoing(said, key)

    def keys_prefix(self, prefix: str) -> str:
        """Return how the Redis keys of all its states begin."""
        return f"{prefix}{self.name}:"

    def redis_key(self, prefix: str, key: str) -> str:
        """Return where the state of *key* is kept."""
        return self.keys_prefix(prefix) + plain(key)
