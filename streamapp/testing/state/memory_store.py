"""The state store in memory: the rules of the store's Redis scripts, without Redis."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from streamapp.errors import Fault, ServiceError, TimedOut
from streamapp.state.store import PAGE, PARKED, PENDING, TOKEN, Commit, Confirmed
from streamapp.testing.clocks.clock import Clock, RealClock
from streamapp.testing.faults.call import ResponseLost, SimulatedCall
from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.plan import Faults
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.state.replicas import ReplicatedValues, StoredValue

T = TypeVar("T")

TIMEOUT = 2.0
"""Seconds after which a call fails because the store does not respond, as in the real client."""

SCAN = 100
"""Keys that one step of a scan looks at."""

_FAULTS = {
    "OOM": Fault.CAPACITY,
    "MISCONF": Fault.CAPACITY,
    "NOAUTH": Fault.CONFIGURATION,
    "WRONGPASS": Fault.CONFIGURATION,
    "NOPERM": Fault.CONFIGURATION,
    "CROSSSLOT": Fault.CONFIGURATION,
    "WRONGTYPE": Fault.CONFIGURATION,
    "ERR": Fault.SENDER,
}
"""Faults by the first word of Redis's error; any other is TRANSIENT."""


class MemoryStore:
    """A state store that follows the rules of the real one, fails on command, and records every call in a ledger.

    *clock* is its time, the real one by default. With *replicas* a commit is durable once the replica has it; the
    replica is *lag* seconds behind (infinite: the link is cut), and `fail_over` makes it the master. Operations to
    fail are the verbs of `Store`; a code is the first word of Redis's error.

        store = MemoryStore(lag=0.5)
        store.faults.add("commit", Lose(), times=1)          # done, and its response is lost
        store.faults.add("read", Fail("OOM"), times=3)
        with store.faults.add("*", Fail("ConnectionError")):  # down
            ...
        store.fail_over()                                    # the last half second never was
    """

    def __init__(
        self, *, clock: Clock | None = None, seed: int = 0, replicas: int = 0, lag: float = 0.0
    ) -> None:
        self.clock = clock or RealClock()
        self.ledger = Ledger()
        # Chance has to repeat itself here, not to keep a secret.
        self.faults = Faults(self.clock, Random(seed))  # noqa: S311
        self.values = ReplicatedValues(self.clock, lag)
        """The values of the master and of its replica."""
        self._replicas = replicas

    def hashes(self) -> dict[str, dict[str, str]]:
        """Return the fields of all hashes by key, without a call in the ledger."""
        return {key: dict(value.fields) for key, value in self.values.all().items() if value.members is None}

    def ttl(self, key: str) -> float | None:
        """Return the seconds until *key* expires, None when it does not expire or does not exist."""
        value = self.values.get(key)
        return None if value is None or value.expires_at is None else value.expires_at - self.clock.now()

    def fail_over(self) -> None:
        """Make the replica the master: the writes that it had not got are lost."""
        self.values.fail_over()

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Return the fields of each hash, or the error of this key alone; an empty dict is a missing hash."""
        return await self._call("read", lambda: [self._read(key) for key in keys])

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Make the changes durable. The result of each is False if another change came first."""
        return await self._call(
            "commit", lambda: [self._commit(commit) for commit in commits], is_durable=self._replicas > 0
        )

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Remove announcements from the pending ones; a hash with none left expires by its ttl again."""

        def act() -> None:
            for each in confirmed:
                self._confirm(each)

        await self._call("settle", act)  # as tests of apps name it

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Add members to each set by its key, which then expires in *ttl* seconds; return the error of each set."""
        return await self._call("add", lambda: [self._add(key, texts, ttl) for key, texts in members.items()])

    async def members(self, key: str) -> set[str] | ServiceError:
        """Return a set's members, or the error of this key."""

        def act() -> set[str] | ServiceError:
            value = self.values.get(key) or _EMPTY
            return _WRONG_TYPE if value.members is None else set(value.members)

        return await self._call("members", act)

    async def members_page(
        self, key: str, cursor: str = "", size: int = PAGE
    ) -> tuple[list[str], str] | ServiceError:
        """Return some members of a set and the next cursor, empty at the end; or the error of this key."""

        def act() -> tuple[list[str], str] | ServiceError:
            value = self.values.get(key) or _EMPTY
            if value.members is None:
                return _WRONG_TYPE
            left = sorted(member for member in value.members if member > cursor)
            return left[:size], left[size - 1] if len(left) > size else ""

        return await self._call("members", act)

    async def remove(self, key: str, members: Sequence[str]) -> ServiceError | None:
        """Remove members from a set; return the error of this key."""

        def act() -> ServiceError | None:
            value = self.values.get(key) or _EMPTY
            if value.members is None:
                return _WRONG_TYPE
            if left := value.members.difference(members):
                self.values.put(key, StoredValue(members=left, expires_at=value.expires_at))
            else:
                self.values.drop(key)
            return None

        return await self._call("remove", act)

    async def claim(self, key: str, seconds: float, *, again: bool = False) -> bool:
        """Hold *key* for *seconds* from now, *again* if somebody holds it already; return whether that was possible."""

        def act() -> bool:
            if (self.values.get(key) is not None) is not again:
                return False
            self.values.put(key, StoredValue(members=frozenset({"1"}), expires_at=self._in(seconds)))
            return True

        return await self._call("claim", act)

    async def scan(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys of hashes that begin with *prefix* and do not expire: those with pending announcements."""

        def act() -> tuple[list[str], str]:
            keys = sorted(key for key in self.values.all() if key.startswith(prefix) and key > cursor)
            page = keys[:SCAN]
            lasting = [key for key in page if self.ttl(key) is None and self._read(key) is not _WRONG_TYPE]
            return lasting, page[-1] if len(keys) > SCAN else ""

        return await self._call("scan", act)

    async def ping(self) -> None:
        """Return when the store responds."""
        await self._call("ping", lambda: None)

    async def _call(self, operation: str, act: Callable[[], T], *, is_durable: bool = False) -> T:
        call = SimulatedCall(operation, "redis", self.clock, self.faults, self.ledger)
        try:
            with self.clock.move_on_at(self.clock.now() + TIMEOUT):
                await call.begin()
                result = call.act(lambda _: act())
                if is_durable and not await self.values.follows(within=TIMEOUT / 2):
                    raise ServiceError("Redis", Fault.TRANSIENT, "fewer than 1 replicas have the commit")
                await call.finish()
                return result
        except Refusal as refusal:
            fault = _FAULTS.get(refusal.code, Fault.TRANSIENT)
            raise ServiceError("Redis", fault, refusal.code) from refusal
        except ResponseLost as lost:
            raise ServiceError("Redis", Fault.TRANSIENT, repr(lost.effect)) from lost
        raise TimedOut("Redis", "TimeoutError")

    def _read(self, key: str) -> dict[str, str] | ServiceError:
        value = self.values.get(key) or StoredValue()
        return _WRONG_TYPE if value.members is not None else dict(value.fields)

    def _commit(self, commit: Commit) -> bool | ServiceError:
        value = self.values.get(commit.key) or StoredValue()
        if value.members is not None:
            return _WRONG_TYPE
        stored = value.fields.get(TOKEN, "")
        if stored == commit.token:
            # Written again, because only a write of this call waits for the replica.
            self.values.put(commit.key, value)
            return self._note("repeated", commit, result=True)
        if stored != commit.seen:
            return self._note("conflict", commit, result=False)
        fields = {**value.fields, TOKEN: commit.token, **commit.put}
        for name in commit.drop:
            fields.pop(name, None)
        expires_at = None if commit.keep or _owes(fields) else self._in(commit.ttl)
        self.values.put(commit.key, StoredValue(fields, expires_at=expires_at))
        return self._note("done", commit, result=True)

    def _confirm(self, confirmed: Confirmed) -> None:
        value = self.values.get(confirmed.key)
        if value is None or value.members is not None:
            return
        fields = dict(value.fields)
        for identity, mark in confirmed.sent:
            _take(fields, identity, mark)
        for identity, mark in confirmed.parked:
            if body := _take(fields, identity, mark):
                fields[PARKED + identity] = body
        is_over = confirmed.ttl is not None and not _owes(fields)
        self.values.put(
            confirmed.key,
            StoredValue(fields, expires_at=self._in(confirmed.ttl) if is_over else value.expires_at),
        )

    def _add(self, key: str, members: Sequence[str], ttl: float) -> ServiceError | None:
        value = self.values.get(key) or _EMPTY
        if value.members is None:
            return _WRONG_TYPE
        self.values.put(key, StoredValue(members=value.members.union(members), expires_at=self._in(ttl)))
        return None

    def _in(self, ttl: float | None) -> float | None:
        return None if ttl is None else self.clock.now() + ttl

    def _note(self, outcome: str, commit: Commit, *, result: bool) -> bool:
        self.ledger.note(self.clock.now(), "commit", commit.key, outcome, commit.token)
        return result


_WRONG_TYPE = ServiceError("Redis", Fault.CONFIGURATION, "WRONGTYPE")
_EMPTY = StoredValue(members=frozenset())


def _take(fields: dict[str, str], identity: str, mark: str) -> str | None:
    """Remove this announcement from the pending ones unless it was announced again since, and return its text."""
    text = fields.get(PENDING + identity)
    return fields.pop(PENDING + identity) if text is not None and text.startswith(mark) else None


def _owes(fields: Mapping[str, str]) -> bool:
    return any(name.startswith(PENDING) for name in fields)
