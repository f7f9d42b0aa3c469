"""What the tables owe to the outside, found by a scan of all their keys."""

import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from anyio import sleep

from streamapp.config import Config
from streamapp.errors import ServiceError
from streamapp.state.announcement import Announcement, pending_of
from streamapp.state.folding import Folding
from streamapp.state.store import PARKED, TOKEN, Store


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the tables owed to the outside at the last scan: *pending* announcements of *keys* keys.

    *since* is the Unix time of the oldest of them, infinite if nothing is owed. *parked* are the keys that hold
    announcements which SQS refused for good.
    """

    keys: int = 0
    pending: int = 0
    since: float = math.inf
    parked: tuple[str, ...] = ()

    @property
    def oldest(self) -> float:
        """For how many seconds the oldest announcement has been owed by now; 0 if nothing is."""
        return max(0.0, time.time() - self.since)

    def plus(self, owing: Sequence["Owing"]) -> "Backlog":
        """Return the sum of this and what *owing* owe."""
        announcements = [it for each in owing for it in each.pending]
        return Backlog(
            self.keys + sum(bool(each.pending) for each in owing),
            self.pending + len(announcements),
            min([self.since, *(it.at for it in announcements)]),
            (*self.parked, *(each.key for each in owing if each.parked)),
        )


@dataclass(frozen=True, slots=True)
class Owing:
    """One hash that may owe something: the *token* of its last commit, what is *pending*, how many are *parked*."""

    key: str
    token: str
    ttl: float | None
    pending: Sequence[Announcement]
    parked: int = 0


async def survey(
    store: Store,
    foldings: Iterable[Folding],
    config: Config,
    *,
    pause: float = 0.0,
    found: Callable[[Sequence[Owing]], Awaitable[None]] | None = None,
) -> Backlog:
    """Scan all states of *foldings*, and return what is owed; *found* is called with it page by page.

    *pause* is seconds between pages. Raises `ServiceError`.
    """
    backlog = Backlog()
    for folding in foldings:
        cursor = None if folding.stream is None else ""
        while cursor is not None:
            start = folding.keys_prefix(config.key_prefix)
            found_keys, following = await store.scan(start, cursor)
            # A plain key holds no colon: this one is of a table whose name begins like this table's.
            keys = [key for key in found_keys if ":" not in key[len(start) :]]
            owing = await _read(store, folding, keys, config.state_ttl) if keys else []
            backlog = backlog.plus(owing)
            if found is not None:
                await found(owing)
            cursor = following or None
            await sleep(pause)
    return backlog


async def _read(store: Store, folding: Folding, keys: Sequence[str], state_ttl: float) -> list[Owing]:
    ttl = state_ttl if folding.expires else None
    owing: list[Owing] = []
    for key, fields in zip(keys, await store.read(keys), strict=True):
        with suppress(msgspec.MsgspecError):  # a hash of another program, or no text
            if not isinstance(fields, ServiceError) and TOKEN in fields:
                pending = pending_of(key, fields, folding.stream or "", ttl)
                parked = sum(name.startswith(PARKED) for name in fields)
                owing.append(Owing(key, fields[TOKEN], ttl, pending, parked))
    return owing
