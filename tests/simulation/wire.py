"""The connection between one simulated worker and its services: delays, crashes and freezes, by chance."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from anyio import CancelScope, current_time, sleep

from streamapp.errors import Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs.client import Failure, Sqs
from streamapp.state.store import Commit, Confirmed, Store

T = TypeVar("T")


class Wire:
    """All calls of one process to its services go through here.

    A crash cuts it: what the dead process still does while it ends has no effect. The crash may come before or after
    any call takes effect; services cannot see more of a crash at any await.
    """

    def __init__(self, chance: Random, *, crashes: float, freezes: float, longest_freeze: float) -> None:
        self.crash = CancelScope()
        self._is_cut = False
        self._scopes: dict[CancelScope, None] = {}
        self._frozen_until = 0.0
        self._chance = chance
        self._crashes = crashes
        self._freezes = freezes
        self._longest_freeze = longest_freeze

    async def call(self, what: Callable[[], Awaitable[T]]) -> T:
        """Return the result of *what*, after the time of the way there and back."""
        await self._hop()
        with CancelScope() as scope:
            self._scopes[scope] = None
            try:
                answer = await what()
            finally:
                del self._scopes[scope]
        if scope.cancelled_caught:
            raise _dead()
        await self._hop()
        return answer

    def cut(self) -> None:
        """Crash the process: no call gets through any more, and none returns."""
        self._is_cut = True
        self.crash.cancel("crash")
        for scope in list(self._scopes):
            scope.cancel("crash")

    async def _hop(self) -> None:
        if self._is_cut:
            raise _dead()
        luck = self._chance.random()
        if luck < self._crashes:
            self.cut()
            raise _dead()
        if luck > 1 - self._freezes:
            self._frozen_until = current_time() + self._chance.uniform(0, self._longest_freeze)
        slow = self._chance.random()
        await sleep(slow * 0.02 if slow < 0.9 else (slow - 0.9) * 10)
        while not self._is_cut and self._frozen_until > current_time():  # clock: virtual
            # A timer may fire some nanoseconds early, and frozen time would never reach it.
            await sleep(max(self._frozen_until - current_time(), 0.001))
        if self._is_cut:
            raise _dead()


def _dead() -> ServiceError:
    # Tasks that are shielded from the crash have to end as well, and they handle this error.
    return ServiceError("the world", Fault.TRANSIENT, "this process is dead")


class WiredSqs:
    """SQS at the other end of a wire."""

    def __init__(self, sqs: Sqs, wire: Wire) -> None:
        self._sqs = sqs
        self._wire = wire

    async def find(self, name: str) -> Queue:
        """Find a queue."""
        return await self._wire.call(lambda: self._sqs.find(name))

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        """Receive."""
        return await self._wire.call(
            lambda: self._sqs.receive(queue, limit=limit, wait=wait, visibility=visibility)
        )

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send."""
        return await self._wire.call(lambda: self._sqs.send(queue, messages))

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete."""
        return await self._wire.call(lambda: self._sqs.delete(queue, handles))

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Change visibility."""
        return await self._wire.call(lambda: self._sqs.change_visibility(queue, changes))

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create a queue."""
        return await self._wire.call(lambda: self._sqs.create(name, attributes))

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return a queue's attributes."""
        return await self._wire.call(lambda: self._sqs.attributes(queue))


class WiredStore:
    """The state store at the other end of a wire."""

    def __init__(self, store: Store, wire: Wire) -> None:
        self._store = store
        self._wire = wire

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Read hashes."""
        return await self._wire.call(lambda: self._store.read(keys))

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Change hashes."""
        return await self._wire.call(lambda: self._store.commit(commits))

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Remove pending announcements."""
        await self._wire.call(lambda: self._store.confirm(confirmed))

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Add to sets."""
        return await self._wire.call(lambda: self._store.add(members, ttl))

    async def members(self, key: str) -> set[str]:
        """Return a set."""
        return await self._wire.call(lambda: self._store.members(key))

    async def members_page(
        self, key: str, cursor: str = "", size: int = 100
    ) -> tuple[list[str], str] | ServiceError:
        """Return some members of a set."""
        return await self._wire.call(lambda: self._store.members_page(key, cursor, size))

    async def remove(self, key: str, members: Sequence[str]) -> None:
        """Remove from a set."""
        await self._wire.call(lambda: self._store.remove(key, members))

    async def claim(self, key: str, seconds: float, *, again: bool = False) -> bool:
        """Hold a key."""
        return await self._wire.call(lambda: self._store.claim(key, seconds, again=again))

    async def scan(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys."""
        return await self._wire.call(lambda: self._store.scan(prefix, cursor))

    async def ping(self) -> None:
        """Return when the store responds."""
        await self._wire.call(self._store.ping)
