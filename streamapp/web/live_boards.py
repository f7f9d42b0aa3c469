"""The current boards: one reader of state for any number of watchers."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from anyio import Event, current_time, move_on_after, sleep

from streamapp.declared.boards import Card
from streamapp.errors import ServiceError
from streamapp.observe.quiet_log import QuietLog
from streamapp.web.board_reader import BoardReader

logger = logging.getLogger(__name__)

AT_MOST_EVERY = 0.25
"""Seconds between two looks at the state, however much happens: people see no difference."""

AT_LEAST_EVERY = 5.0
"""Seconds between two looks when no change is announced, as with the tap off."""

PAUSE = 1.0
"""Seconds without a look after Redis failed."""


class ChangeFeed(Protocol):
    """Reads the tap entries of each queue."""

    async def last_id(self, queue: str) -> str:
        """Return the id of the newest entry."""
        ...

    async def after(
        self, positions: Mapping[str, str], wait: float
    ) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return the entries after each position, waiting up to *wait* seconds for the first."""
        ...


class LiveBoards:
    """Reads boards whenever something happened in *queues*. *boards* are by name.

    `now` is what each board shows, as JSON. `id` is the position in Redis's stream up to which it is current, so that
    it means the same after a restart.
    """

    def __init__(self, boards: Mapping[str, BoardReader], feed: ChangeFeed, queues: Sequence[str]) -> None:
        self._boards = boards
        self._feed = feed
        self._queues = queues
        self._quiet_log = QuietLog(logger)
        self._changed = Event()
        self.now: dict[str, bytes] = {}
        self.id = "0-0"
        self.looked_at = float("-inf")
        """Monotonic time of the last successful look."""

    async def run(self) -> None:
        """Read the boards for ever; when Redis fails, log it and try again."""
        positions: dict[str, str] = {}
        while True:
            try:
                positions = positions or {queue: await self._feed.last_id(queue) for queue in self._queues}
                await self._look(positions)
                changes = await self._feed.after(positions, AT_LEAST_EVERY)
                positions |= {queue: page[-1][0] for queue, page in changes.items() if page}
                await sleep(AT_MOST_EVERY)
            except ServiceError as error:
                self._quiet_log.log(
                    logging.WARNING, "the boards cannot be read", error.detail, reason=error.detail
                )
                await sleep(PAUSE)

    async def change(self, within: float) -> bool:
        """Wait up to *within* seconds for a board to change; return whether one has."""
        changed = self._changed
        with move_on_after(within):
            await changed.wait()
        return changed.is_set()

    async def _look(self, positions: Mapping[str, str]) -> None:
        shown = {name: _shown(await reader.look()) for name, reader in self._boards.items()}
        self.looked_at = current_time()
        if shown != self.now:
            self.now, self.id = shown, max(positions.values(), key=_place, default="0-0")
            self._changed.set()
            self._changed = Event()


def _place(entry: str) -> tuple[int, ...]:
    return tuple(int(part) for part in entry.split("-"))


def _shown(columns: Mapping[str, Sequence[Card]]) -> bytes:
    return msgspec.json.encode([{"name": name, "cards": cards} for name, cards in columns.items()])
