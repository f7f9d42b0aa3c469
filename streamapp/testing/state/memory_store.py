"""The state store in memory: the rules of Redis's scripts, without Redis."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from streamapp.errors import Fault, ServiceError
from streamapp.state.store import PARKED, PENDING, TOKEN, Commit, Confirmed
from streamapp.testing.clocks.clock import Clock, RealClock
from streamapp.testing.faults.call import AnswerLost, Call
from streamapp.testing.faults.ledger import Ledger
from streamapp.testing.faults.plan import Faults
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.state.replicas import Kept, Replicated

T = TypeVar("T")

TIMEOUT = 2.0
"""Seconds after which a caller hears that the store does not answer, as from a real client."""

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
"""What an error of Redis means, by its first word; any other may heal."""


class MemoryStore:
    """A state store that keeps the rules of the real one, can be told to fail, and writes down everything.

    *clock* is its time, the real one by default. With *replicas* a commit counts as durable once the replica
    has it; the replica is *lag* seconds behind (infinite: the link is cut), and `fail_over` puts it in the
    master's place. Operations to fail are the verbs of `Store`; a code is the first word of Redis's error.

        store = MemoryStore(lag=0.5)
        store.faults.add("commit", Lose(), times=1)          # done, and its answer is lost
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
        self.kept = Replicated(self.clock, lag)
        """What it holds, and what its replica does."""
        self._replicas = replicas

    def hashes(self) -> dict[str, dict[str, str]]:
        """Return the fields of all hashes, by key; nobody notices."""
        return {key: dict(kept.fields) for key, kept in self.kept.all().items() if kept.members is None}

    def ttl(self, key: str) -> float | None:
        """Return for how many seconds *key* still lives, None: for ever, or it is not there."""
        kept = self.kept.get(key)
        return None if kept is None or kept.expires_at is None else kept.expires_at - self.clock.now()

    def fail_over(self) -> None:
        """Put the replica in the master's place: what it had not heard of yet never was."""
        self.kept.fail_over()

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Return the fields of each hash, or why this key alone has none; an empty one is not there."""
        return await self._call("read", lambda: [self._read(key) for key in keys])

    async def commit(self, commits: Sequence[Commit]) -> list[bool | ServiceError]:
        """Make each change; False where somebody else's came first. When this returns, they are durable."""
        return await self._call(
            "commit", lambda: [self._commit(commit) for commit in commits], is_durable=self._replicas > 0
        )

    async def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Take announcements off the pending ones; a hash with none left expires by its ttl again."""

        def act() -> None:
            for each in confirmed:
                self._confirm(each)

        await self._call("settle", act)  # as tests of apps name it

    async def add(self, members: Mapping[str, Sequence[str]], ttl: float) -> list[ServiceError | None]:
        """Add members to each set, by its key, which lives *ttl* seconds from now; answer why a set takes none."""
        return await self._call("add", lambda: [self._add(key, texts, ttl) for key, texts in members.items()])

    async def members(self, key: str) -> set[str] | ServiceError:
        """Return a set's members, or why this key alone has none."""

        def act() -> set[str] | ServiceError:
            kept = self.kept.get(key) or _EMPTY
            return _WRONG_TYPE if kept.members is None else set(kept.members)

        return await self._call("members", act)

    async def remove(self, key: str, members: Sequence[str]) -> ServiceError | None:
        """Take members out of a set; answer why this key alone has none."""

        def act() -> ServiceError | None:
            kept = self.kept.get(key) or _EMPTY
            if kept.members is None:
                return _WRONG_TYPE
            if left := kept.members.difference(members):
                self.kept.put(key, Kept(members=left, expires_at=kept.expires_at))
            else:
                self.kept.drop(key)
            return None

        return await self._call("remove", act)

    async def scan(self, prefix: str, cursor: str = "") -> tuple[list[str], str]:
        """Return some keys of the hashes that begin with *prefix* and do not expire, as what owes does not."""

        def act() -> tuple[list[str], str]:
            keys = sorted(key for key in self.kept.all() if key.startswith(prefix) and key > cursor)
            page = keys[:SCAN]
            lasting = [key for key in page if self.ttl(key) is None and self._read(key) is not _WRONG_TYPE]
            return lasting, page[-1] if len(keys) > SCAN else ""

        return await self._call("scan", act)

    async def ping(self) -> None:
        """Return when the store answers."""
        await self._call("ping", lambda: None)

    async def _call(self, operation: str, act: Callable[[], T], *, is_durable: bool = False) -> T:
        call = Call(operation, "redis", self.clock, self.faults, self.ledger)
        try:
            with self.clock.move_on_at(self.clock.now() + TIMEOUT):
                await call.begin()
                answer = call.act(lambda _: act())
                if is_durable and not await self.kept.follows(within=TIMEOUT / 2):
                    raise ServiceError("Redis", Fault.TRANSIENT, "fewer than 1 replicas have the commit")
                await call.answer()
                return answer
        except Refusal as refusal:
            fault = _FAULTS.get(refusal.code, Fault.TRANSIENT)
            raise ServiceError("Redis", fault, refusal.code) from refusal
        except AnswerLost as lost:
            raise ServiceError("Redis", Fault.TRANSIENT, repr(lost.effect)) from lost
        raise ServiceError("Redis", Fault.TRANSIENT, "TimeoutError")

    def _read(self, key: str) -> dict[str, str] | ServiceError:
        kept = self.kept.get(key) or Kept()
        return _WRONG_TYPE if kept.members is not None else dict(kept.fields)

    def _commit(self, commit: Commit) -> bool | ServiceError:
        kept = self.kept.get(commit.key) or Kept()
        if kept.members is not None:
            return _WRONG_TYPE
        stored = kept.fields.get(TOKEN, "")
        if stored == commit.token:
            # Written again all the same: only a write of its own waits for the replica.
            self.kept.put(commit.key, kept)
            return self._note("repeated", commit, answer=True)
        if stored != commit.seen:
            return self._note("conflict", commit, answer=False)
        fields = {**kept.fields, TOKEN: commit.token, **commit.put}
        for name in commit.drop:
            fields.pop(name, None)
        expires_at = None if commit.keep or _owes(fields) else self._in(commit.ttl)
        self.kept.put(commit.key, Kept(fields, expires_at=expires_at))
        return self._note("done", commit, answer=True)

    def _confirm(self, confirmed: Confirmed) -> None:
        kept = self.kept.get(confirmed.key)
        if kept is None or kept.members is not None:
            return
        fields = dict(kept.fields)
        for identity, mark in confirmed.sent:
            _take(fields, identity, mark)
        for identity, mark in confirmed.parked:
            if body := _take(fields, identity, mark):
                fields[PARKED + identity] = body
        is_over = confirmed.ttl is not None and not _owes(fields)
        self.kept.put(
            confirmed.key, Kept(fields, expires_at=self._in(confirmed.ttl) if is_over else kept.expires_at)
        )

    def _add(self, key: str, members: Sequence[str], ttl: float) -> ServiceError | None:
        kept = self.kept.get(key) or _EMPTY
        if kept.members is None:
            return _WRONG_TYPE
        self.kept.put(key, Kept(members=kept.members.union(members), expires_at=self._in(ttl)))
        return None

    def _in(self, ttl: float | None) -> float | None:
        return None if ttl is None else self.clock.now() + ttl

    def _note(self, outcome: str, commit: Commit, *, answer: bool) -> bool:
        self.ledger.note(self.clock.now(), "commit", commit.key, outcome, commit.token)
        return answer


_WRONG_TYPE = ServiceError("Redis", Fault.CONFIGURATION, "WRONGTYPE")
_EMPTY = Kept(members=frozenset())


def _take(fields: dict[str, str], identity: str, mark: str) -> str | None:
    """Take this announcement off the pending ones, unless it was owed again since; answer its text."""
    text = fields.get(PENDING + identity)
    return fields.pop(PENDING + identity) if text is not None and text.startswith(mark) else None


def _owes(fields: Mapping[str, str]) -> bool:
    return any(name.startswith(PENDING) for name in fields)
