"""What the demo's worker has done so far, and whether that is what the traffic implies."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from streamapp.app import App
from streamapp.cli.terminal.words import many
from streamapp.config import Config
from streamapp.declared.traffic import Scenario
from streamapp.errors import ServiceError
from streamapp.observe.counters import Counters
from streamapp.state.store import Store


@dataclass(frozen=True, slots=True)
class Demo:
    """The app, its traffic, and the counters of the worker that processes it."""

    app: App
    config: Config
    scenario: Scenario
    counters: Counters = field(default_factory=Counters)

    def summary(self) -> str:
        """Return what was done so far, in one line."""
        count = self.counters.of
        announced = sum(count("sent", self.config.queue(sink)) for sink in self.app.sinks)
        return (
            f"{many(count('received'), 'event')} · {many(count('duplicate'), 'duplicate')} absorbed · "
            f"{many(self._dead_letters(), 'dead letter')} · {many(announced, 'announcement')}"
        )

    async def columns(self, store: Store) -> dict[str, list[str]]:
        """Return the keys in each column of the app's first board, by the stored states."""
        if not self.app.extras.boards:
            return {}
        board = self.app.extras.boards[0]
        columns: dict[str, list[str]] = {name: [] for name in board.columns}
        keys = list(self.scenario.expected.get(board.table, {}))
        for key, fields in zip(keys, await self._hashes(board.table, keys, store), strict=True):
            column = board.column_of(fields)
            if column in columns:
                columns[column].append(key)
        return columns

    async def mistakes(self, store: Store) -> list[str]:
        """Return each stored field, and each count, that is not what the traffic implies."""
        found: list[str] = []
        for table, expected in self.scenario.expected.items():
            hashes = await self._hashes(table, list(expected), store)
            for (key, fields), stored in zip(expected.items(), hashes, strict=True):
                found += [
                    f"{table} {key}: {name} is {stored.get(name)!r}, must be {text!r}"
                    for name, text in fields.items()
                    if stored.get(name) != text
                ]
        if self._dead_letters() != self.scenario.invalid:
            found.append(f"{self._dead_letters()} dead letters, must be {self.scenario.invalid}")
        return found

    async def _hashes(self, table: str, keys: Sequence[str], store: Store) -> list[dict[str, str]]:
        redis_key, prefix = self.app.tables[table].redis_key, self.config.key_prefix
        hashes = await store.read([redis_key(prefix, key) for key in keys])
        return [{} if isinstance(it, ServiceError) else it for it in hashes]

    def _dead_letters(self) -> int:
        return self.counters.of("invalid") + self.counters.of("dead")
