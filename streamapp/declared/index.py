"""Sets of keys, by a key."""

from collections.abc import Sequence

from streamapp.errors import ServiceError
from streamapp.flow.batcher import raised
from streamapp.pipeline.in_hand import InHand, current_in_hand
from streamapp.pipeline.runtime import Runtime
from streamapp.state.keys import plain
from streamapp.state.reads import IndexEntry, StateUnreadable


class Index:
    """Sets of keys, by a key: which orders hold a product. It lives as long as the state it leads to."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<Index {self.name}>"

    async def add(self, keys: Sequence[str], member: str) -> None:
        """Put *member* into the set of each key. Raises `UnicodeEncodeError` for an unpaired surrogate."""
        member.encode()  # raise here: later, what is added with it would fail too
        in_hand, runtime = self._at_work()
        members = [IndexEntry(self._place(runtime, key), member) for key in keys]
        if members:
            with in_hand.effect():
                raised(await runtime.lookup.adds.submit_all(members))

    async def members(self, key: str) -> set[str]:
        """Return the set of *key*."""
        in_hand, runtime = self._at_work()
        place = self._place(runtime, key)
        with in_hand.deadline.paused():
            members = await runtime.store_outage.ride_out(lambda: runtime.store.members(place))
        if isinstance(members, ServiceError):
            raise StateUnreadable(place, members)
        return members

    async def discard(self, key: str, members: Sequence[str]) -> None:
        """Take *members* out of the set of *key*."""
        in_hand, runtime = self._at_work()
        place = self._place(runtime, key)
        if members:
            with in_hand.effect():
                failure = await runtime.store_outage.ride_out(lambda: runtime.store.remove(place, members))
            if failure is not None:
                raise StateUnreadable(place, failure)

    def _at_work(self) -> tuple[InHand, Runtime]:
        in_hand = current_in_hand(self)
        return in_hand, in_hand.runtime

    def _place(self, runtime: Runtime, key: str) -> str:
        return f"{runtime.config.key_prefix}{self.name}:{plain(key)}"
