"""Read states and index keys, for many agents in one call."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from streamapp.errors import ServiceError, StreamappError, TimedOut, contained, kind_of
from streamapp.flow.batcher import Batcher
from streamapp.flow.expected_items import ExpectedItems
from streamapp.flow.outage import Outage
from streamapp.state.hash_codec import HashCodec
from streamapp.state.per_key import PerKey
from streamapp.state.store import Store

LIMIT = 100
"""Keys in one call: some milliseconds of Redis."""


LINGER = 0.002
"""Seconds that a call waits for company that can come, as do changes of state: many small calls cost more."""


class StateRequest(NamedTuple):
    """The state under one Redis key."""

    hash_codec: HashCodec[Any]
    key: str


class IndexEntry(NamedTuple):
    """A *member* for the set under one Redis key."""

    key: str
    member: str


class Lookup:
    """What agents read from Redis, and put into indexes; each key of a batch is read once for all who asked."""

    def __init__(
        self, store: Store, store_outage: Outage, *, ttl: float, expected_items: ExpectedItems | None = None
    ) -> None:
        self._store = store
        self._per_key = PerKey(store_outage)
        self._ttl = ttl
        self.reads: Batcher[StateRequest, Any] = Batcher(
            self._read, name="read", limit=LIMIT, linger=LINGER, expected_items=expected_items
        )
        """Returns the state, None if there is none."""
        self.adds: Batcher[IndexEntry, None] = Batcher(
            self._add, name="index", limit=LIMIT, linger=LINGER, expected_items=expected_items
        )

    async def _read(self, asked: list[StateRequest]) -> Sequence[Any]:
        keys = list(dict.fromkeys(key for _, key in asked))
        hashes = await self._per_key.call(self._store.read, keys, str)
        fields = dict(zip(keys, hashes, strict=True))
        states: dict[Hashable, Any] = {}
        for each in asked:
            if each not in states:
                states[each] = _state(each, fields[each.key])
        return [states[each] for each in asked]

    async def _add(self, members: list[IndexEntry]) -> Sequence[ServiceError | None]:
        sets: dict[str, list[str]] = {}
        for key, member in members:
            sets.setdefault(key, []).append(member)
        outcomes = await self._per_key.call(
            lambda keys: self._store.add({key: sets[key] for key in keys}, self._ttl), list(sets), str
        )
        by_key = dict(zip(sets, outcomes, strict=True))
        return [by_key[key] for key, _ in members]


class StateUnreadable(StreamappError):
    """A hash holds something that is not a state of its table."""

    def __init__(self, key: str, cause: Exception) -> None:
        super().__init__(
            f"{key!r} does not hold a state of its table ({kind_of(cause)}); is it another program's key?"
        )


def _state(asked: StateRequest, fields: dict[str, str] | ServiceError) -> Any:  # noqa: ANN401 - the state's own type, or its error
    if isinstance(fields, TimedOut):
        return fields
    try:
        return asked.hash_codec.read(good(fields))
    except BaseException as error:  # noqa: BLE001 - a struct's own checks are the application's; the other keys are read
        return StateUnreadable(asked.key, contained(error))


def good(fields: dict[str, str] | ServiceError) -> dict[str, str]:
    """Return *fields*, or raise the error that is there instead."""
    if isinstance(fields, ServiceError):
        raise fields
    return fields
