"""Change state: read the keys of a batch, fold its events, and commit one change for each key."""

import itertools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from streamapp.errors import Crowded, MessageTooLarge, ServiceError, StateMutated, TimedOut, contained
from streamapp.flow.batcher import AGAIN
from streamapp.flow.outage import Outage, PerKey
from streamapp.messages import Outgoing, Queue
from streamapp.state.announcement import Announcement, Place, adopt, mark_of, pending_of
from streamapp.state.dedupe import Deduplication
from streamapp.state.folding import Folding
from streamapp.state.hash_codec import HashCodec
from streamapp.state.reads import StateUnreadable, good
from streamapp.state.store import MAX_PENDING, PENDING, TOKEN, Commit, Store

FLUSH = 100
"""Events in one flush of state: about 20 ms of Redis and of folding."""


class Change(msgspec.Struct, frozen=True, eq=False):
    """One event for one key of one table; one with an *event_identity* is folded only if that was not seen yet.

    *key* is spelled as in its *redis_key*. *queue* is where its announcement goes. *cause* is the id of the message that brought the event, the same
    whenever that message is delivered again.
    """

    folding: Folding
    key: str
    redis_key: str
    event: object
    queue: Queue | None = None
    cause: str = ""
    event_identity: str | None = None


class Changed(msgspec.Struct, frozen=True):
    """What an event did: the state after it, whether that differs from before, and what the key owes.

    *before* and *after* are the hash's fields, for viewers. *pending* is all that the key owes. The event's message
    *keeps* a part of that: what it announced, now or at an earlier delivery, and what others had left unsent.
    What is *due* must be sent before the message is deleted: what it keeps or, for a FIFO queue, all that is pending in
    order; such a queue drops what comes twice.
    """

    state: Any
    is_new: bool
    pending: Sequence[Announcement]
    before: Mapping[str, str]
    after: Mapping[str, str]
    keeps: Sequence[Announcement] = ()
    due: Sequence[Announcement] = ()


@dataclass(slots=True)
class _Plan:
    """What the commit of one key does, and the outcome of each of the key's changes once it is made."""

    outcomes: list[Changed | Exception] = field(default_factory=list[Changed | Exception])
    commit: Commit | None = None
    evicted: int = 0


class Committer:
    """Changes hashes in batches: two round trips for each batch, one commit for each key.

    With a *barrier* a commit returns only when the replicas have it (`WAIT`).
    """

    def __init__(
        self,
        store: Store,
        store_outage: Outage,
        *,
        ttl: float,
        barrier: bool,
        evicted: Callable[[str, int], None] = lambda _table, _number: None,
    ) -> None:
        self._store = store
        self._store_outage = store_outage
        self._per_key = PerKey(store_outage)
        self._ttl = ttl
        # With a barrier a duplicate commits too: WAIT covers only writes of its own connection.
        self._barrier = barrier
        self._evicted = evicted
        self._run_id = os.urandom(9).hex()
        self._counter = itertools.count()

    async def flush(self, changes: list[Change]) -> Sequence[Changed | Exception]:
        """Apply each change once. A change that fails does not touch the others, not even those of its key.

        The outcome is `AGAIN` for the changes of a key that another worker changed meanwhile: the next flush gets them
        again, so that a key that many workers want keeps no other key waiting.
        """
        outcomes: dict[int, Changed | Exception] = {}
        todo: dict[str, list[int]] = {}
        for position, change in enumerate(changes):
            todo.setdefault(change.redis_key, []).append(position)
        keys = list(todo)
        hashes = await self._per_key.call(self._store.read, keys, str)
        plans = {
            key: self._plan([changes[n] for n in todo[key]], fields)
            for key, fields in zip(keys, hashes, strict=True)
        }
        for key in await self._make_commits(plans):
            plans[key] = _Plan([AGAIN] * len(todo[key]))
        for key, plan in plans.items():
            if plan.evicted:
                self._evicted(changes[todo[key][0]].folding.name, plan.evicted)
            outcomes.update(zip(todo[key], plan.outcomes, strict=True))
        return [outcomes[position] for position in range(len(changes))]

    async def _make_commits(self, plans: Mapping[str, _Plan]) -> list[str]:
        """Make the planned commits, and return the keys that another worker changed since they were read."""
        commits = [plan.commit for plan in plans.values() if plan.commit is not None]
        if not commits:
            return []
        outcomes = await self._per_key.call(self._store.commit, commits, _key_of)
        conflicts: list[str] = []
        for commit, outcome in zip(commits, outcomes, strict=True):
            if isinstance(outcome, ServiceError):
                plan = plans[commit.key]
                plan.outcomes = [outcome] * len(plan.outcomes)
            elif not outcome:
                conflicts.append(commit.key)
        return conflicts

    def _plan(self, changes: Sequence[Change], fields: dict[str, str] | ServiceError) -> _Plan:
        """Fold the events of one key in order, and plan the commit of what they come to."""
        first, folding = changes[0], changes[0].folding
        if isinstance(fields, TimedOut):
            return _Plan([fields] * len(changes))
        ttl = self._ttl if folding.expires else None
        try:
            stored = good(fields)
            state = folding.hash_codec.read(stored)
            # Without a destination what the table once owed stays as it is: nothing says where to send it.
            to = folding.to
            pending = pending_of(first.redis_key, stored, to.stream, ttl) if to else []
        except BaseException as error:  # noqa: BLE001 - a struct's own checks are the application's too
            return _Plan([StateUnreadable(first.redis_key, contained(error))] * len(changes))
        now = time.time()
        seen = Deduplication({} if first.event_identity is None else stored, now)
        codec = None if folding.hash_codec.is_immutable else folding.hash_codec
        draft = _Draft(stored, state, pending, seen, ttl, now, codec)
        outcomes = [draft.apply(change) for change in changes]
        if draft.spoilt:
            outcomes = [_restored(outcome, draft.spoilt, folding.hash_codec) for outcome in outcomes]
        forgotten, evicted = seen.drop()
        draft.put.update(seen.put)
        commit = self._commit_of(
            first, draft.written, stored, draft.put, forgotten, keep=bool(pending), ttl=ttl
        )
        return _Plan(outcomes, commit, evicted)

    def _commit_of(
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
        names = change.folding.hash_codec.names
        if written is None:  # no event got through
            written = {name: text for name, text in stored.items() if name in names}
        put = {name: text for name, text in written.items() if stored.get(name) != text}
        drop = [name for name in stored if name in names and name not in written] + list(forgotten)
        if not (put or drop or new or (self._barrier and stored)):
            return None
        token = f"{self._run_id}{next(self._counter):x}"
        return Commit(change.redis_key, stored.get(TOKEN, ""), token, {**put, **new}, drop, keep, ttl)


class _Draft:
    """One hash while the events of a flush are folded into it.

    *pending* grows by what they announce. *written* are the fields of the newest state, None before the first event.
    *put* are other fields to set. *codec* is that of states which a fold could change in place, None for all others;
    *spoilt* are those that one may have changed.
    """

    __slots__ = (
        "_codec",
        "_now",
        "_pending",
        "_seen",
        "_stored",
        "_ttl",
        "put",
        "spoilt",
        "state",
        "written",
    )

    def __init__(
        self,
        stored: Mapping[str, str],
        state: Any,  # noqa: ANN401 - the state's own type
        pending: list[Announcement],
        seen: Deduplication,
        ttl: float | None,
        now: float,
        codec: HashCodec[Any] | None,
    ) -> None:
        self._codec = codec
        self.spoilt: list[object] = []
        self._stored = stored
        self._pending = pending
        self._seen = seen
        self._ttl = ttl
        self._now = now
        self.state = state
        self.written: Mapping[str, str] | None = None
        self.put: dict[str, str] = {}

    def apply(self, change: Change) -> Changed | Exception:
        """Fold one event, and return what it did. If that fails, nothing changes and the exception is returned."""
        before = after = self._stored if self.written is None else self.written
        is_new = False
        if change.event_identity is None or change.event_identity not in self._seen:
            try:
                following, said = _step(change, self.state, self._pending)
                after = {} if following is None else change.folding.hash_codec.write(following, before)
                if self._codec is not None:
                    self._check(self._codec, change.folding.name, following, before, after)
                is_new = bool(following != self.state)
                if said is not None:
                    self._owe(change, said)
            except BaseException as error:  # noqa: BLE001 - the fold is the application's; its bug ends one event
                return self._failed(before, error)
            self.state, self.written = following, after
            if change.event_identity is not None:
                self._seen.add(change.event_identity)
        if not self._pending:
            return Changed(self.state, is_new, (), before, after)
        keeps = self._kept_by(change.cause)
        due = self._pending if change.queue is not None and change.queue.fifo else keeps
        return Changed(self.state, is_new, self._pending, before, after, keeps, due)

    def _failed(self, before: Mapping[str, str], error: BaseException) -> Exception:
        """Return the outcome of an event whose fold raised *error*, and take back what that did to a mutable state."""
        if self._codec is not None:
            self.spoilt.append(self.state)
            try:
                self.state = self._codec.read(before)
            except BaseException as unreadable:  # noqa: BLE001 - as above
                return contained(unreadable)
        return contained(error)

    def _check(
        self,
        codec: HashCodec[Any],
        table: str,
        following: Any,  # noqa: ANN401 - the state's own type
        before: Mapping[str, str],
        after: Mapping[str, str],
    ) -> None:
        """Raise `StateMutated` if the state that was folded does not say any more what it said *before*."""
        if self.state is None:
            return
        now = after if following is self.state else codec.write(self.state)
        if now != {name: text for name, text in before.items() if name in codec.names}:
            # The texts of an older version may differ, too, and mean the same.
            known = codec.read(before)
            if known is None or codec.write(known) != now:
                raise StateMutated(table)

    def _owe(self, change: Change, said: tuple[str, Outgoing]) -> None:
        owed = _owed_from_now(change, said, self._pending, self._ttl, self._now)
        self.put[PENDING + owed.place.id] = owed.text()
        self._pending.append(owed)

    def _kept_by(self, cause: str) -> list[Announcement]:
        """Return what the message *cause* keeps, with what it now takes over from others."""
        # What is owed anew under the same id is newer than what others had left.
        self.put = {**adopt(self._pending, cause, self._now), **self.put}
        return [it for it in self._pending if it.keeper in {cause, ""}]


def _key_of(commit: Commit) -> str:
    return commit.key


def _restored(
    outcome: Changed | Exception, spoilt: Sequence[object], codec: HashCodec[Any]
) -> Changed | Exception:
    """Return *outcome* with its state as it was before a later fold changed that in place."""
    if isinstance(outcome, Changed) and any(outcome.state is each for each in spoilt):
        return msgspec.structs.replace(outcome, state=codec.read(outcome.after))
    return outcome


def _step(
    change: Change,
    state: Any,  # noqa: ANN401 - the state's own type
    pending: Sequence[Announcement],
) -> tuple[Any, tuple[str, Outgoing] | None]:
    after = change.folding.fold(state, change.event)
    said = None if after is state else change.folding.announcement(state, after, change.key)
    if said is not None:
        if len(pending) >= MAX_PENDING:
            raise Crowded(change.redis_key, pending)
        if change.queue is not None and (size := said[1].size) > change.queue.max_bytes:
            # Before anything is stored: what cannot be sent must not be owed.
            raise MessageTooLarge(size, change.queue.max_bytes)
    return after, said


def _owed_from_now(
    change: Change, said: tuple[str, Outgoing], pending: Sequence[Announcement], ttl: float | None, now: float
) -> Announcement:
    announcement_id, message = said
    sequence = pending[-1].sequence + 1 if pending else 1
    mark, stream = mark_of(sequence, now), change.folding.to.stream if change.folding.to else ""
    return Announcement(
        Place(change.redis_key, announcement_id, mark),
        stream,
        sequence,
        message,
        ttl,
        now,
        keeper=change.cause,
        since=now,
    )
