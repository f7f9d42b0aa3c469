"""Change state: read the keys of a batch, fold its events, commit one change a key, again where others won."""

import itertools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import msgspec

from streamapp.errors import Crowded, MessageTooLarge, ServiceError
from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing
from streamapp.state.announcement import Announcement, adopt, mark_of, pending_of
from streamapp.state.dedupe import Deduplication
from streamapp.state.hash_codec import HashCodec
from streamapp.state.reads import UNREADABLE, StateUnreadable, good
from streamapp.state.store import MAX_PENDING, PENDING, TOKEN, Commit, Store


class Folded(Protocol):
    """What a table declares, as far as changing its state goes."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def record(self) -> HashCodec[Any]:
        """How its state becomes a hash."""
        ...

    @property
    def fold(self) -> Callable[[Any, Any], Any]:
        """How an event changes a state; None is no state."""
        ...

    @property
    def expires(self) -> bool:
        """Whether its hashes outlive their last change by the state's TTL only."""
        ...

    @property
    def sink_name(self) -> str | None:
        """The sink of its announcements."""
        ...

    def announcement(self, before: Any, after: Any, key: str) -> tuple[str, Outgoing] | None:  # noqa: ANN401 - the state's own type
        """Return id and message of what a change says to the outside, or None."""
        ...


class Change(msgspec.Struct, frozen=True, eq=False):
    """One event for one key of one table; one with an *identity* is folded only where that was not seen yet.

    *cause* is the id of the message that brought it, the same whenever that is delivered again.
    """

    table: Folded
    key: str
    redis_key: str
    event: object
    max_bytes: int
    cause: str = ""
    identity: str | None = None


class Changed(msgspec.Struct, frozen=True):
    """What an event did: the state after it, whether that differs from before, and all that the key owes.

    *before* and *after* are the hash's fields, for whoever wants to tell what changed. Of what is *pending* its
    message *keeps* what it announced, now or when it was delivered before, and what it found left alone.
    """

    state: Any
    is_new: bool
    pending: tuple[Announcement, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]
    keeps: Sequence[Announcement]


@dataclass(slots=True)
class _Plan:
    """What one commit of one key is to do, and what it then means for each of the key's changes."""

    outcomes: list[Changed | Exception] = field(default_factory=list[Changed | Exception])
    commit: Commit | None = None
    evicted: int = 0


class Committer:
    """Changes hashes in batches: two round trips a batch, one commit a key."""

    def __init__(
        self,
        store: Store,
        outage: Outage,
        *,
        ttl: float,
        barrier: bool,
        evicted: Callable[[str, int], None] = lambda _table, _number: None,
    ) -> None:
        self._store = store
        self._outage = outage
        self._ttl = ttl
        # With a barrier a duplicate commits too: only a write of its own can prove that the replicas follow.
        self._barrier = barrier
        self._evicted = evicted
        self._run_id = os.urandom(9).hex()
        self._counter = itertools.count()

    async def flush(self, changes: list[Change]) -> Sequence[Changed | Exception]:
        """Apply each change once; a change that fails leaves the others of its batch, and of its key, alone."""
        outcomes: dict[int, Changed | Exception] = {}
        todo: dict[str, list[int]] = {}
        for position, change in enumerate(changes):
            todo.setdefault(change.redis_key, []).append(position)
        while todo:
            keys = list(todo)
            hashes = await self._outage.ride_out(partial(self._store.read, keys))
            plans = {
                key: self._plan([changes[n] for n in todo[key]], fields)
                for key, fields in zip(keys, hashes, strict=True)
            }
            for key in await self._conflicts(plans):
                del plans[key]
            for key, plan in plans.items():
                if plan.evicted:
                    self._evicted(changes[todo[key][0]].table.name, plan.evicted)
                outcomes.update(zip(todo.pop(key), plan.outcomes, strict=True))
        return [outcomes[position] for position in range(len(changes))]

    async def _conflicts(self, plans: Mapping[str, _Plan]) -> list[str]:
        """Make the planned commits; answer the keys that somebody else changed since they were read."""
        commits = [plan.commit for plan in plans.values() if plan.commit is not None]
        if not commits:
            return []
        answers = await self._outage.ride_out(lambda: self._store.commit(commits))
        conflicts: list[str] = []
        for commit, answer in zip(commits, answers, strict=True):
            if isinstance(answer, ServiceError):
                plan = plans[commit.key]
                plan.outcomes = [answer] * len(plan.outcomes)
            elif not answer:
                conflicts.append(commit.key)
        return conflicts

    def _plan(self, changes: Sequence[Change], fields: dict[str, str] | ServiceError) -> _Plan:
        table = changes[0].table
        ttl = self._ttl if table.expires else None
        try:
            stored = good(fields)
            state = table.record.read(stored)
            sink = table.sink_name
            # Where a table has none any more, what it once owed stays as it is: nobody could say where to.
            pending = pending_of(changes[0].redis_key, stored, sink, ttl) if sink else []
        except UNREADABLE as error:
            return _Plan([StateUnreadable(changes[0].redis_key, error)] * len(changes))
        written: dict[str, str] | None = None
        new: dict[str, str] = {}
        steps: list[
            tuple[Any, bool, Mapping[str, str], Mapping[str, str], Sequence[Announcement]] | Exception
        ]
        steps = []
        now = time.time()
        seen = Deduplication({} if changes[0].identity is None else stored, now)
        for change in changes:
            before = after = stored if written is None else written
            is_new = False
            if change.identity is None or change.identity not in seen:
                try:
                    following, said = _step(change, state, len(pending))
                    after = {} if following is None else table.record.write(following)
                except Exception as error:  # noqa: BLE001 - the fold is the application's; its bug ends one event
                    steps.append(error)
                    continue
                if said is not None:
                    pending.append(_owed_from_now(change, said, pending, ttl, now))
                    new[PENDING + said[0]] = pending[-1].text()
                is_new = following != state
                state, written = following, after
                if change.identity is not None:
                    seen.add(change.identity)
            keeps: Sequence[Announcement] = ()
            if pending:
                # What is owed anew under the same id is newer than what was left alone.
                new = {**adopt(pending, change.cause, now), **new}
                keeps = [it for it in pending if it.keeper in {change.cause, ""}]
            steps.append((state, is_new, before, after, keeps))
        owed_now = tuple(pending)
        outcomes = [
            step if isinstance(step, Exception) else Changed(step[0], step[1], owed_now, *step[2:])
            for step in steps
        ]
        forgotten, evicted = seen.drop()
        new.update(seen.put)
        commit = self._commit(changes[0], written, stored, new, forgotten, keep=bool(pending), ttl=ttl)
        return _Plan(outcomes, commit, evicted)

    def _commit(
        self,
        change: Change,
        written: Mapping[str, str] | None,
        stored: Mapping[str, str],
        new: Mapping[str, str],
        forgotten: Sequence[str],
        *,
        keep: bool,
        ttl: float | None,
    ) -> Commit | None:
        names = change.table.record.names
        if written is None:  # no event got through
            written = {name: text for name, text in stored.items() if name in names}
        put = {name: text for name, text in written.items() if stored.get(name) != text}
        drop = [name for name in stored if name in names and name not in written] + list(forgotten)
        if not (put or drop or new or (self._barrier and stored)):
            return None
        token = f"{self._run_id}{next(self._counter):x}"
        return Commit(change.redis_key, stored.get(TOKEN, ""), token, {**put, **new}, drop, keep, ttl)


def _step(change: Change, state: Any, owed: int) -> tuple[Any, tuple[str, Outgoing] | None]:  # noqa: ANN401 - as above
    after = change.table.fold(state, change.event)
    said = None if after is state else change.table.announcement(state, after, change.key)
    if said is not None:
        if owed >= MAX_PENDING:
            raise Crowded(change.redis_key, owed)
        if said[1].size > change.max_bytes:
            # Before anything is stored: what cannot be sent must not be owed.
            raise MessageTooLarge(said[1].size, change.max_bytes)
    return after, said


def _owed_from_now(
    change: Change, said: tuple[str, Outgoing], pending: Sequence[Announcement], ttl: float | None, now: float
) -> Announcement:
    identity, message = said
    sequence = pending[-1].sequence + 1 if pending else 1
    mark, sink = mark_of(sequence, now), change.table.sink_name or ""
    return Announcement(
        change.redis_key, identity, mark, sink, sequence, message, ttl, now, keeper=change.cause, since=now
    )
