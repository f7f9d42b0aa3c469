"""Sets of keys, by a key."""

from collections.abc import AsyncGenerator, Sequence
from functools import partial

from streamapp.errors import ServiceError
from streamapp.flow.batcher import raised, windows
from streamapp.pipeline.in_hand import InHand, current_in_hand
from streamapp.pipeline.runtime import Runtime
from streamapp.state.keys import plain
from streamapp.state.reads import LIMIT, IndexEntry, StateUnreadable
from streamapp.state.store import PAGE


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
        with in_hand.effect():
            for window in windows(members, LIMIT):
                raised(await runtime.lookup.adds.submit_window(window))

    async def members(self, key: str) -> set[str]:
        """Return the set of *key*. Where it may be large, `pages` holds less of it at once."""
        found: set[str] = set()
        async for page in self.pages(key):
            found.update(page)
        return found

    async def pages(self, key: str, size: int = PAGE) -> AsyncGenerator[list[str]]:
        """Yield the set of *key* in lists of at most *size*; between them the agent may work as long as it likes.

        What is in the set all the time comes at least once; what is added or discarded meanwhile may come or not. While the
        set grows or Redis is away, some members may come twice.
        """
        in_hand, runtime = self._at_work()
        place, outage = self._place(runtime, key), runtime.store_outage
        cursor, outages = "", outage.begun
        while True:
            with in_hand.deadline.paused():
                page = await outage.ride_out(partial(runtime.store.members_page, place, cursor, size))
            if isinstance(page, ServiceError):
                raise StateUnreadable(place, page)
            members, cursor = page
            for window in windows(list(dict.fromkeys(members)), size):
                yield list(window)
            if outages != outage.begun:
                # Another server may answer since, to which the cursor means nothing.
                cursor, outages = "", outage.begun
            elif not cursor:
                return

    async def discard(self, key: str, members: Sequence[str]) -> None:
        """Take *members* out of the set of *key*."""
        in_hand, runtime = self._at_work()
        place = self._place(runtime, key)
        for window in windows(members, PAGE):
            with in_hand.effect():
                failure = await runtime.store_outage.ride_out(partial(runtime.store.remove, place, window))
            if failure is not None:
                raise StateUnreadable(place, failure)

    def _at_work(self) -> tuple[InHand, Runtime]:
        in_hand = current_in_hand(self)
        in_hand.runtime.store_use.is_used = True
        return in_hand, in_hand.runtime

    def _place(self, runtime: Runtime, key: str) -> str:
        return f"{runtime.config.key_prefix}{self.name}:{plain(key)}"
