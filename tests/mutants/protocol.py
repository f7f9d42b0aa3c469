"""The wrong parts that the variants put into the engine."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from streamapp.errors import Retry, ServiceError
from streamapp.flow.batcher import AGAIN
from streamapp.messages import Queue
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.backlog import Owing
from streamapp.outbox.sweeper import Sweeper
from streamapp.pipeline.fifo import FifoGroups
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.in_hand import InHand
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.rights import Rights
from streamapp.pipeline.settler import Settler, _word
from streamapp.pipeline.turn import Turn
from streamapp.state.announcement import Announcement, Place
from streamapp.state.committer import Change, Changed, Committer, _Plan, _step
from streamapp.state.store import TOKEN, Commit, Confirmed
from streamapp.testing import MemoryStore
from streamapp.testing.state.replicas import ReplicatedValues, StoredValue

_commit = Committer._commit_of
_flush = Committer.flush
_init = Committer.__init__
_plan = Committer._plan
_conflicts = Committer._make_commits
_announce = Announcer.announce
_note = InHand._note
_store_commit = MemoryStore._commit


def commit_without_marker(self: Committer, *args: Any, keep: bool, ttl: float | None) -> Commit | None:
    """Keep the announcement only in memory."""
    del keep
    change, written, stored, _, forgotten = args
    return _commit(self, change, written, stored, {}, forgotten, keep=False, ttl=ttl)


async def delete_then_send(self: Settler, in_hand: InHand) -> None:
    """Delete the message before the announcement is sent."""
    owed = list(in_hand.owed.values())
    in_hand.owed.clear()
    while in_hand.leases:
        lease, _ = in_hand.leases.popitem()
        self.delete(lease, _word(in_hand))
    if owed:
        await self._announcer.announce(owed)


def forget_what_a_duplicate_finds(self: InHand, *where: str | Changed) -> None:
    """Send no announcement that a duplicate finds pending."""
    *where, changed = where
    _note(self, *where, changed if changed.is_new else replace(changed, pending=(), keeps=(), due=()))


async def confirm_then_announce(self: Announcer, pending: Sequence[Announcement]) -> dict[Place, str]:
    """Remove the marker of the announcement before it is sent."""
    await self._store.confirm(
        [Confirmed(it.place.redis_key, [(it.place.id, it.place.mark)], ttl=it.ttl) for it in pending]
    )
    return await _announce(self, pending)


async def wait_for_nobody(self: ReplicatedValues, within: float) -> bool:
    """Wait for no replica."""
    del self, within
    return True


def without_writes_of_duplicates(self: Committer, *args: Any, barrier: bool, **options: Any) -> None:
    """Wait for the replica, but write nothing for a duplicate, so that there is nothing to wait for."""
    del barrier
    _init(self, *args, barrier=False, **options)


def counter_as_identity(group: str, body: str) -> str:
    """Make a counter of the key the identity of an announcement, whatever its content."""
    return f"{group} {msgspec.json.decode(body)['version']}"


def event_as_identity(change: Change, state: Any, owed: int) -> tuple[Any, Any]:
    """Make the event's identity the identity of its announcement."""
    after, announcement = _step(change, state, owed)
    if announcement is not None:
        announcement = (_name(change.event), announcement[1])
    return after, announcement


def whole_state(
    self: Committer,
    change: Change,
    written: Mapping[str, str] | None,
    stored: Mapping[str, str],
    *args: Any,
    **options: Any,
) -> Commit | None:
    """Write all fields, changed or not."""
    commit = _commit(self, change, written, stored, *args, **options)
    return commit and replace(commit, put={**(written or {}), **commit.put})


def commit_without_token(self: MemoryStore, commit: Commit) -> bool | ServiceError:
    """The last writer wins: the token is not checked."""
    value = self.values.get(commit.key) or StoredValue()
    return _store_commit(self, replace(commit, seen=value.fields.get(TOKEN, "")))


def counter_as_token(self: Committer, *args: Any, **options: Any) -> Commit | None:
    """Make the number of the commit its token."""
    commit = _commit(self, *args, **options)
    return commit and replace(commit, token=str(int(commit.seen or 0) + 1))


async def sweep_without_barrier(self: Sweeper, owing: Sequence[Owing]) -> list[Owing]:
    """Send what the sweeper finds, without waiting for a replica."""
    del self
    return list(owing)


def raise_again(raised: BaseException) -> Exception:
    """Raise what a declaration raised, which fails the whole flush."""
    raise raised


async def flush_until_done(self: Committer, changes: list[Change]) -> Sequence[Changed | Exception]:
    """Tell no outcome before the last key is out of conflict."""
    outcomes = list(await _flush(self, changes))
    while left := [n for n, outcome in enumerate(outcomes) if outcome is AGAIN]:
        for n, outcome in zip(left, await _flush(self, [changes[n] for n in left]), strict=True):
            outcomes[n] = outcome
    return outcomes


def all_at_once(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Make one window of all *items*."""
    del size
    return [items]


class SeenMarks:
    """Marks each event as seen, in a command of its own before the state is written."""

    def __init__(self) -> None:
        self._stored: Mapping[str, str] = {}
        self._marks: dict[str, dict[str, str]] = {}

    def patches(self) -> list[tuple[object | str, str, Any]]:
        """Return the replacements of this variant."""
        marks = self

        def plan(self: Committer, changes: Sequence[Change], fields: dict[str, str] | ServiceError) -> _Plan:
            marks._stored = fields if isinstance(fields, dict) else {}
            marks._marks[changes[0].redis_key] = {f"_seen:{_name(it.event)}": "1" for it in changes}
            return _plan(self, changes, fields)

        def step(change: Change, state: Any, owed: int) -> tuple[Any, Any]:
            return (
                (state, None)
                if f"_seen:{_name(change.event)}" in marks._stored
                else _step(change, state, owed)
            )

        async def conflicts(self: Committer, plans: Mapping[str, _Plan]) -> list[str]:
            for key, it in plans.items():
                if it.commit is not None:
                    token = it.commit.token + "m"
                    first = replace(it.commit, token=token, put=marks._marks[key], drop=())
                    (answer,) = await self._store_outage.ride_out(
                        lambda first=first: self._store.commit([first])
                    )
                    if answer is True:
                        it.commit = replace(it.commit, seen=token)
            return await _conflicts(self, plans)

        return [
            (Committer, "_plan", plan),
            ("streamapp.state.committer", "_step", step),
            (Committer, "_make_commits", conflicts),
        ]


def _name(event: object) -> str:
    return hashlib.sha256(msgspec.json.encode(event)).hexdigest()[:12]


def mildest(errors: Sequence[BaseException]) -> Exception:
    """Return the error that decides least."""
    return max((it for it in errors if isinstance(it, Exception)), key=lambda it: isinstance(it, Retry))


def wait_for_no_update(_: InHand) -> bool:
    """Say that nothing is under way."""
    return False


async def bury_at_once(_: object, error: Exception) -> Exception:
    """Send nothing."""
    return error


def believe(*_: object) -> None:
    """Take any state that a fold returns."""


def give_back_at_once(self: Handoff, lease: Lease, after: float) -> list[Lease]:
    """A message that failed is received again, and all behind it."""
    del self, after
    return [lease]


async def fail_all(self: Turn[Any], error: Exception) -> None:
    """All messages of a batch fail as it did."""
    self._rest.clear()
    for lease in list(self._in_hand.leases):
        await self._settler.fail(lease, error, self._in_hand)
    self._in_hand.leases.clear()
    self._forget()


def lease_of_the_queue(queue: Queue, shortest: float = 0.0) -> int:
    """Hold messages for as long as their queue says, however short that is."""
    del shortest
    return int(queue.visibility)


def never_refused(self: Rights, right: str, outcomes: Sequence[object]) -> bool:
    """Take no note of a right that is missing."""
    del self, right, outcomes
    return False


async def claim_for_all(self: MemoryStore, key: str, seconds: float, *, again: bool = False) -> bool:
    """Say yes to each worker that wants to sweep, whoever sweeps already."""
    del self, key, seconds, again
    return True


def enter_all(self: FifoGroups, lease: Lease) -> bool:
    """Hand over the messages of a group side by side."""
    del self, lease
    return True


def divide_nothing(self: Turn[Any]) -> bool:
    """Take what comes out of a batch for what comes out of each of its messages."""
    del self
    return False


async def forget_what_a_window_owes(self: InHand) -> None:
    """Forget what an event with very many changes owes before its end."""
    self.owed.clear()
