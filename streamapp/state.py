"""Change state: read the keys of a batch, fold its events, commit one change a key, again where others won."""

import itertools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import msgspec

from streamapp.delivery import Outgoing
from streamapp.errors import Crowded, MessageTooLarge, ServiceError
from streamapp.lookup import UNREADABLE, StateUnreadable, good
from streamapp.once import Seen
from streamapp.outage import Outage
from streamapp.record import Record
from streamapp.store import MAX_PENDING, PENDING, TOKEN, Commit, Store


class Folded(Protocol):
    """What a table declares, as far as changing its state goes."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def record(self) -> Record[Any]:
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
        """Answer id and message of what a change says to the outside, or None."""
        ...


Place = tuple[str, str, str]
"""Redis key, id and mark of an announcement."""


class Announcement(msgspec.Struct, frozen=True):
    """A message that a change of state owes to the outside, until it is known to be sent.

    *id* names what it says, *mark* the commit that owed it. *at* is when that was, in Unix time, and *cause* the
    id of the message that made it, "" where that is not known. *is_found* says that an earlier commit owed it, which
    may be another worker's.
    """

    redis_key: str
    id: str
    mark: str
    sink: str
    sequence: int
    message: Outgoing
    ttl: float | None
    at: float
    cause: str = ""
    is_found: bool = False

    @property
    def place(self) -> Place:
        """Where it is owed, and since which commit: a change back and forth owes the same content again."""
        return self.redis_key, self.id, self.mark


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
    message *answers_for* what it announced, now or when it was delivered before.
    """

    state: Any
    is_new: bool
    pending: tuple[Announcement, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]
    answers_for: Sequence[Place]


class _Pending(msgspec.Struct, array_like=True):
    """An announcement in its hash; what it says is told at `Announcement`."""

    sequence: int
    at: float
    group: str | None
    deduplication: str | None
    body: str
    cause: str = ""


@dataclass(slots=True)
class _Plan:
    """What one commit of one key is to do, and what it then means for each of the key's changes."""

    outcomes: list[Changed | Exception] = field(default_factory=list[Changed | Exception])
    commit: Commit | None = None
    evicted: int = 0


class State:
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
            pending = pending_of(changes[0].redis_key, stored, table.sink_name or "", ttl)
        except UNREADABLE as error:
            return _Plan([StateUnreadable(changes[0].redis_key, error)] * len(changes))
        written: dict[str, str] | None = None
        new: dict[str, str] = {}
        steps: list[tuple[Any, bool, Mapping[str, str], Mapping[str, str], Sequence[Place]] | Exception] = []
        now = time.time()
        seen = Seen(stored, now)
        for change in changes:
            own = [it.place for it in pending if it.cause == change.cause] if pending else ()
            if change.identity is not None and change.identity in seen:
                same = stored if written is None else written
                steps.append((state, False, same, same, own))
                continue
            sequence = _next(pending)
            try:
                after, announcement = _step(change, state, len(pending))
                fields_after = {} if after is None else table.record.write(after)
                text = "" if announcement is None else _as_text(sequence, now, announcement[1], change.cause)
            except Exception as error:  # noqa: BLE001 - the fold is the application's; its bug ends one event
                steps.append(error)
                continue
            is_new = after != state
            if announcement is not None:
                identity, message = announcement
                pending.append(
                    Announcement(
                        change.redis_key,
                        identity,
                        _mark(text),
                        table.sink_name or "",
                        sequence,
                        message,
                        ttl,
                        now,
                        change.cause,
                    )
                )
                new[PENDING + identity] = text
                own = [*own, pending[-1].place]
            before = stored if written is None else written
            steps.append((after, is_new, before, fields_after, own))
            state, written = after, fields_after
            if change.identity is not None:
                seen.add(change.identity)
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


def pending_of(
    key: str, fields: Mapping[str, str], sink: str, ttl: float | None, *, begins: str = PENDING
) -> list[Announcement]:
    """Answer what a hash owes to the outside, in the order in which it was announced; or what *begins* otherwise."""
    owed: list[Announcement] = []
    for name, text in fields.items():
        if name.startswith(begins):
            it = msgspec.json.decode(text, type=_Pending)
            message = Outgoing(it.body, group=it.group, deduplication=it.deduplication)
            identity = name.removeprefix(begins)
            found = Announcement(
                key, identity, _mark(text), sink, it.sequence, message, ttl, it.at, it.cause, is_found=True
            )
            owed.append(found)
    return sorted(owed, key=lambda announcement: announcement.sequence)


def _step(change: Change, state: Any, owed: int) -> tuple[Any, tuple[str, Outgoing] | None]:  # noqa: ANN401 - as above
    after = change.table.fold(state, change.event)
    announcement = None if after is state else change.table.announcement(state, after, change.key)
    if announcement is not None:
        if owed >= MAX_PENDING:
            raise Crowded(change.redis_key, owed)
        if announcement[1].size > change.max_bytes:
            # Before anything is stored: what cannot be sent must not be owed.
            raise MessageTooLarge(announcement[1].size, change.max_bytes)
    return after, announcement


def _next(pending: Sequence[Announcement]) -> int:
    return pending[-1].sequence + 1 if pending else 1


def _as_text(sequence: int, at: float, message: Outgoing, cause: str) -> str:
    pending = _Pending(sequence, at, message.group, message.deduplication, message.body, cause)
    return msgspec.json.encode(pending).decode()


def _mark(text: str) -> str:
    """Answer how the text of an announcement begins: its sequence and time, which no other commit repeats."""
    return "".join(f"{part}," for part in text.split(",", 2)[:2])
